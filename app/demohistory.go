package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/collector"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/sqlite"
	"github.com/alexandrite/orderwatch/testbed/simulation"
)

// history writes a company's past into a new database: through the commit path that live events take,
// on the past's own clock, in large batches.
type history struct {
	company *simulation.Simulation
	flow    *order.Flow
	path    string
	log     *slog.Logger

	events, orders, late int // of the whole, once written

	clock  atomic.Pointer[time.Time]   // the committer's
	seen   map[string]*sla.SourceState // sources as the engine is to see them
	engine *sla.Engine
}

const (
	historyBatch = 7 * 24 * time.Hour  // of the past in one transaction
	historySave  = 61 * 24 * time.Hour // of the past in one change of the read model
)

// write makes the database under another name first: an interrupted one leaves nothing that looks whole.
func (h *history) write(ctx context.Context, from, until time.Time) error {
	unfinished := h.path + ".new"
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(unfinished + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	st, err := sqlite.Open(ctx, sqlite.Options{Path: unfinished})
	if err != nil {
		return err
	}
	if err := errors.Join(h.replay(ctx, st, from, until), st.Close()); err != nil {
		return err
	}
	if err := os.Remove(unfinished + ".lock"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(unfinished, h.path)
}

// backdated is a journal of records received when their sidecars sent them, not when the batch ended.
type backdated struct{ store.Store }

// receivedAfter is what a record took from a sidecar to the journal.
const receivedAfter = 150 * time.Millisecond

func (j backdated) Append(ctx context.Context, b *sla.Batch) error {
	for i := range b.Records {
		r := &b.Records[i]
		r.Received = r.Event.Observed.Add(receivedAfter)
	}
	return j.Store.Append(ctx, b)
}

// stretch is what the sources sent in one batch.
type stretch struct {
	until  time.Time
	events []order.Event
}

func (h *history) replay(ctx context.Context, st store.Store, from, until time.Time) error {
	h.engine = sla.New(sla.Options{Flow: h.flow})
	h.seen = map[string]*sla.SourceState{}
	for _, s := range h.flow.Sources {
		h.seen[s.Name] = &sla.SourceState{Name: s.Name}
	}
	h.clock.Store(&from)
	batches := make(chan *sla.Batch, 2)
	committer, err := collector.NewCommitter(collector.CommitterOptions{
		Journal: backdated{st}, Position: journalPosition(st), Environment: "prod", Flow: h.flow, Out: batches, Logger: h.log,
		Now: func() time.Time { return *h.clock.Load() },
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(ctx)
	defer stop()
	stretches := make(chan stretch, 2)
	group.Go(func() error { h.generate(ctx, stretches, from, until); return nil })
	group.Go(func() error {
		defer close(batches)
		return committer.Run(running)
	})
	group.Go(func() error {
		defer stop()
		return h.commit(ctx, committer, stretches)
	})
	group.Go(func() error { return h.fold(ctx, st, batches, from, until) })
	return group.Wait()
}

func (h *history) generate(ctx context.Context, out chan<- stretch, from, until time.Time) {
	defer close(out)
	for at := from; at.Before(until); {
		if at = at.Add(historyBatch); at.After(until) {
			at = until
		}
		select {
		case out <- stretch{at, h.company.Next(at)}:
		case <-ctx.Done():
			return
		}
	}
}

// commit gives the committer each stretch's events as at its end.
func (h *history) commit(ctx context.Context, c *collector.Committer, stretches <-chan stretch) error {
	for part := range stretches {
		h.clock.Store(&part.until)
		outcomes, err := c.Commit(ctx, part.events)
		if err != nil {
			return err
		}
		for i := range outcomes {
			if outcomes[i].Result != collector.Accepted {
				return fmt.Errorf("event %d of %s: %w", part.events[i].Seq, part.events[i].Source, errors.Join(outcomes[i].Err, errNotAccepted))
			}
		}
		h.events += len(part.events)
	}
	return ctx.Err()
}

var (
	errNotAccepted = errors.New("not accepted")
	errEnded       = errors.New("events came for orders that had ended")
)

// fold plays the batches to the engine and saves what it says.
func (h *history) fold(ctx context.Context, st store.Store, batches <-chan *sla.Batch, from, until time.Time) error {
	saved, applied := from, int64(0)
	for b := range batches {
		for i := range b.Records {
			h.play(&b.Records[i])
		}
		for i := range b.Sources {
			h.see(&b.Sources[i])
		}
		if n := len(b.Records); n > 0 {
			applied = b.Records[n-1].Seq
		}
		if b.At.Sub(saved) >= historySave && b.At.Before(until) {
			if err := h.save(ctx, st, applied); err != nil {
				return err
			}
			saved = b.At
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.advance(until)
	h.late = h.engine.Overview().Orders.Late
	return h.save(ctx, st, applied)
}

// play judges what fell due before a record and then folds the record.
func (h *history) play(r *sla.Record) {
	h.advance(r.Event.Time.Add(-1))
	h.engine.Apply(&sla.Batch{Records: []sla.Record{*r}, At: r.Received})
	h.seen[r.Event.Source].Through = r.Event.Seq
}

// advance lets all sources vouch for what they sent before an instant, as those of a living company do every
// second: the watermarks of the past are few, so that the journal stays small. What they say of queues holds
// throughout, since these fill for moments only.
func (h *history) advance(to time.Time) {
	b := &sla.Batch{Sources: make([]sla.SourceState, 0, len(h.seen))}
	for _, f := range h.flow.Sources {
		s := h.seen[f.Name]
		s.Watermark = to
		if len(s.Queues) > 0 {
			s.QueuesAt = to
		}
		b.Sources = append(b.Sources, *s)
	}
	h.engine.Apply(b)
	h.engine.Advance(to)
}

// see takes over what a source said of its gaps and of queues.
func (h *history) see(s *sla.SourceState) {
	old := h.seen[s.Name]
	old.Gaps, old.Queues = s.Gaps, s.Queues
}

func (h *history) save(ctx context.Context, st store.Store, applied int64) error {
	change := h.engine.Flush()
	if len(change.History) > 0 {
		return fmt.Errorf("%w: %v", errEnded, change.History)
	}
	h.orders += len(change.Created)
	return st.Save(ctx, change, applied)
}
