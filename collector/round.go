package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

var errMoved = errors.New("another writer has moved the journal")

// round makes one batch durable and answers its requests. It returns only what ends the committer.
func (c *Committer) round(ctx context.Context, requests []*request, expire bool) error {
	// A batch once begun is finished, also when we are told to stop meanwhile.
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.CommitLimit)
	defer cancel()
	began := time.Now()
	fatal, err := c.write(ctx, work, requests, expire)
	switch {
	case err != nil:
		c.o.Logger.Warn("batch not committed", "requests", len(requests), "error", err)
	case len(requests) > 0:
		c.metrics.commit.Observe(time.Since(began).Seconds())
	}
	for _, r := range requests {
		if err != nil {
			r.outcomes, r.err = nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		c.tally(r)
		close(r.done)
	}
	return fatal
}

func (c *Committer) tally(r *request) {
	for i := range r.outcomes {
		c.metrics.count(r.entries[i].event.Source, &r.outcomes[i])
	}
}

// write commits the batch. err says why it is not known to be durable, fatal why no other ever will be.
func (c *Committer) write(ctx, work context.Context, requests []*request, expire bool) (fatal, err error) {
	if err := c.settle(ctx, work); err != nil {
		if errors.Is(err, errMoved) {
			return err, err
		}
		return nil, fmt.Errorf("settle the batch before: %w", err)
	}
	now := c.o.Now()
	b, err := c.build(work, requests, now)
	if err != nil {
		c.rollback()
		return nil, err
	}
	if expire {
		if n := c.tracker.Expire(now, c.o.HoleAfter); n > 0 {
			c.o.Logger.Warn("missing records given up", "gaps", n)
		}
	}
	b.Keys, b.Merges = c.resolver.Staged()
	b.Sources = c.tracker.Touched()
	if len(b.Records)+len(b.Sources) == 0 {
		c.rollback()
		return nil, nil
	}
	if err := c.o.Journal.Append(work, b); err != nil {
		c.doubt = b // the answer may have been lost and not the batch
		if len(requests) > 1 {
			c.alone = len(requests)
		}
		return nil, fmt.Errorf("append: %w", err)
	}
	c.accept(ctx, b)
	return nil, nil
}

// settle finds out whether a batch whose Append failed was written nevertheless.
func (c *Committer) settle(ctx, work context.Context) error {
	b := c.doubt
	if b == nil {
		return nil
	}
	journal, _, err := c.o.Position(work)
	if err != nil {
		return err
	}
	switch journal {
	case c.last: // not written; or without records, and to write it again does no harm
		c.rollback()
	case c.last + int64(len(b.Records)):
		c.accept(ctx, b)
	default:
		return fmt.Errorf("%w: it stands at %d, and we left it at %d", errMoved, journal, c.last)
	}
	c.doubt = nil
	return nil
}

func (c *Committer) rollback() {
	c.tracker.Rollback()
	c.resolver.Rollback()
}

// accept makes a durable batch current and hands it on. When we are told to stop, whoever reads
// Out may be gone: it finds the batch in the journal at the next start.
func (c *Committer) accept(ctx context.Context, b *sla.Batch) {
	c.last += int64(len(b.Records))
	c.tracker.Commit()
	c.resolver.Commit()
	select {
	case c.o.Out <- b:
		return
	default:
	}
	select {
	case c.o.Out <- b:
	case <-ctx.Done():
	}
}

// build decides about every event and gathers the records to write. Its changes are staged.
func (c *Committer) build(ctx context.Context, requests []*request, now time.Time) (*sla.Batch, error) {
	seen, err := c.prefetch(ctx, requests)
	if err != nil {
		return nil, err
	}
	b := &sla.Batch{At: now}
	n := 0
	for _, r := range requests {
		n += len(r.entries)
	}
	b.Records = make([]sla.Record, 0, n)
	for _, r := range requests {
		for i := range r.entries {
			r.outcomes[i] = c.decide(&r.entries[i], seen, now)
			if e := &r.entries[i].event; r.outcomes[i].Result == Accepted && aboutOrder(e) {
				res := c.resolver.Resolve(e)
				b.Records = append(b.Records, sla.Record{
					Seq: c.last + int64(len(b.Records)) + 1, Order: res.Order, Received: now,
					Event: *e, Link: res.Link, Offset: c.tracker.OffsetAt(e.Position),
				})
			}
		}
	}
	return b, nil
}

func aboutOrder(e *order.Event) bool {
	return e.Kind != order.KindWatermark && e.Kind != order.KindGap
}

// decide enters one event in the tracker.
func (c *Committer) decide(en *entry, seen seenIDs, now time.Time) Outcome {
	e := &en.event
	if en.err == nil && aboutOrder(e) && !c.tracker.Seen(e.Position) {
		en.err = c.checkTime(e, now)
	}
	if en.err != nil {
		return c.reject(e, en.err, now)
	}
	if e.Seq == 0 && !seen.add(e) {
		c.tracker.Duplicate(e.Source)
		return Outcome{Result: Duplicate}
	}
	switch c.tracker.Take(e, now) {
	case sla.TakenAccepted:
		return Outcome{Result: Accepted}
	case sla.TakenDuplicate:
		return Outcome{Result: Duplicate}
	case sla.TakenStaleEpoch:
		return rejected(fmt.Errorf("%w: epoch %d of %s", ReasonStaleEpoch, e.Epoch, e.Source))
	case sla.TakenFuture:
		return rejected(fmt.Errorf("%w: a watermark of %s", order.ReasonFromTheFuture, e.Time.UTC().Format(time.RFC3339)))
	case sla.TakenUnsequenced:
		return rejected(order.ReasonNoSequence)
	}
	if e.Seq == 0 {
		seen.remove(e)
	}
	return Outcome{Result: Deferred}
}

func (c *Committer) checkTime(e *order.Event, now time.Time) error {
	if corrected := e.Time.Add(-c.tracker.OffsetAt(e.Position)); corrected.After(now.Add(sla.FutureTolerance)) {
		return fmt.Errorf("%w: %s", order.ReasonFromTheFuture, corrected.UTC().Format(time.RFC3339))
	}
	return nil
}

// reject counts an event as refused. Its sequence, where it can be read, is not waited for.
func (c *Committer) reject(e *order.Event, err error, now time.Time) Outcome {
	if c.tracks(e) && !c.tracker.Reject(e.Position, now) {
		return Outcome{Result: Deferred}
	}
	return rejected(err)
}

// tracks reports whether a refused event belongs to a stream of ours whose numbers count.
func (c *Committer) tracks(e *order.Event) bool {
	here := c.o.Environment == "" || e.Environment == c.o.Environment
	return here && e.Epoch >= 0 && validSource(e.Source)
}
