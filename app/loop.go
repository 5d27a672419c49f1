package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

const (
	// tickEvery bounds how long a deadline waits to be noticed while nothing arrives.
	tickEvery = 50 * time.Millisecond
	// overviewEvery is how old the counts on pages and in metrics may be.
	overviewEvery = 500 * time.Millisecond
	// drainBatches bounds how many committed batches one save takes along.
	drainBatches = 64
	// balanceEvery is how old the balance of the hand-offs may be.
	balanceEvery = 2 * time.Second
	// storeRetry is the usual loop.retry.
	storeRetry = time.Second
)

// loop is the engine's goroutine: it folds what is committed, judges what falls due and saves both.
type loop struct {
	flow    *order.Flow
	store   store.Store // set before restore
	batches <-chan *sla.Batch
	now     func() time.Time
	log     *slog.Logger
	observe func(*sla.Change)
	retry   time.Duration // wait before a store that did not answer is asked again

	engine    *sla.Shards
	incidents *sla.Incidents
	ledger    *sla.Ledger
	applied   int64                        // last sequence that the engine has seen
	saved     int64                        // last sequence that the read model has wholly
	shown     atomic.Int64                 // last sequence of which nothing is still to be saved
	overview  atomic.Pointer[sla.Overview] // nil until the state is restored
	open      atomic.Pointer[[]sla.Incident]
	balance   atomic.Pointer[sla.LedgerOverview]
}

func (l *loop) closeStore() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

// restore brings the engine to where the journal stands.
func (l *loop) restore(ctx context.Context) error {
	position, err := l.store.Position(ctx)
	if err != nil {
		return fmt.Errorf("restore engine: %w", err)
	}
	sources, err := l.store.Sources(ctx)
	if err != nil {
		return fmt.Errorf("restore engine: %w", err)
	}
	memory, err := l.store.IncidentMemory(ctx)
	if err != nil {
		return fmt.Errorf("restore engine: %w", err)
	}
	l.incidents = sla.NewIncidents(l.flow, memory)
	entries, err := l.store.LedgerMemory(ctx, l.now().Add(-sla.LedgerKeep))
	if err != nil {
		return fmt.Errorf("restore engine: %w", err)
	}
	l.ledger = sla.NewLedger(l.flow, entries)
	l.engine = sla.NewShards(sla.Options{Flow: l.flow, Sources: sources, LastOrder: position.Order, Applied: position.Applied}, runtime.GOMAXPROCS(0))
	restored := 0
	err = l.store.Restore(ctx, func(h sla.History) error {
		l.engine.Restore(h)
		restored++
		return nil
	})
	if err != nil {
		return fmt.Errorf("restore engine: %w", err)
	}
	l.applied, l.saved = position.Journal, position.Applied
	l.log.Info("engine restored", "orders", restored, "journal", position.Journal, "not_folded_before", position.Journal-position.Applied)
	return l.advance(ctx)
}

// run folds and judges until ctx ends. What is committed and not folded by then is folded at the next start.
func (l *loop) run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-l.batches:
			l.apply(b)
		case <-tick.C:
		}
		if err := l.advance(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// apply folds a batch and those that wait behind it.
func (l *loop) apply(b *sla.Batch) {
	for range drainBatches {
		l.applyOne(b)
		select {
		case b = <-l.batches:
		default:
			return
		}
	}
	l.applyOne(b)
}

func (l *loop) applyOne(b *sla.Batch) {
	l.incidents.WatchedSince(b.At)
	l.engine.Apply(b)
	if n := len(b.Records); n > 0 {
		l.applied = b.Records[n-1].Seq
	}
}

// advance judges, saves, and feeds the engine the histories that it asks for.
func (l *loop) advance(ctx context.Context) error {
	for {
		now := l.now()
		l.engine.Advance(now)
		change := l.engine.Flush()
		l.incidents.Fold(change, now)
		l.ledger.Fold(change, now)
		applied := l.applied
		if len(change.History) > 0 {
			applied = l.saved // records that wait for a history are not folded: a restart has to find them
		}
		if err := l.save(ctx, change, applied); err != nil {
			return err
		}
		l.observe(change)
		if len(change.History) == 0 {
			break
		}
		for _, id := range change.History {
			h, err := l.history(ctx, id)
			if err != nil {
				return err
			}
			l.engine.Restore(h)
		}
	}
	l.shown.Store(l.applied)
	l.publish()
	return nil
}

// publish gives pages and metrics a new view where the last has become old.
func (l *loop) publish() {
	last := l.overview.Load()
	if last != nil && l.now().Sub(last.AsOf) < overviewEvery {
		return
	}
	view := l.engine.Overview()
	open := l.incidents.Open()
	l.open.Store(&open)
	if balance := l.balance.Load(); balance == nil || view.AsOf.Sub(balance.AsOf) >= balanceEvery {
		ledger := l.ledger.View(&view)
		l.balance.Store(&ledger)
	}
	l.overview.Store(&view)
}

// save writes a change.
func (l *loop) save(ctx context.Context, c *sla.Change, applied int64) error {
	if c.Empty() {
		return nil
	}
	err := l.insist(ctx, "save read model", func() error { return l.store.Save(ctx, c, applied) })
	if err == nil {
		l.saved = applied
	}
	return err
}

// history reads all that is kept of an order.
func (l *loop) history(ctx context.Context, id sla.OrderID) (h sla.History, err error) {
	err = l.insist(ctx, "read history", func() error {
		h, err = l.store.History(ctx, id)
		return err
	})
	return h, err
}

// insist tries until the store answers: the engine has moved on already, so a store that is away is waited
// for. It fails when ctx ends, which loses nothing since the journal has it all, and when the
// store will never take this process back.
func (l *loop) insist(ctx context.Context, what string, try func() error) error {
	for failed := false; ; failed = true {
		err := try()
		switch {
		case err == nil:
			if failed {
				l.log.Info("store answers again", "operation", what)
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, store.ErrLocked), errors.Is(err, store.ErrOutOfStep), errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("%s: %w", what, err)
		case !failed:
			l.log.Error("store does not answer, trying again", "operation", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(l.retry):
		}
	}
}
