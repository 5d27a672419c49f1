package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// correction is a person's word on identities, on its way to the journal.
type correction struct {
	build func(ctx context.Context, now time.Time) (*sla.Batch, error) // the batch is staged
	seq   int64
	err   error
	done  chan struct{} // closed once seq and err are final
}

// Link makes one order of the two that a person says are one, and returns the sequence of the
// journal with which it is durable. It waits for Run. Where nothing was changed the error wraps a
// *sla.Refusal; one that wraps ErrUnavailable, or of ctx, means that the link may or may not be durable.
func (c *Committer) Link(ctx context.Context, x sla.Linking) (int64, error) {
	return c.correct(ctx, func(ctx context.Context, now time.Time) (*sla.Batch, error) {
		if err := c.loadIdentities(ctx, []order.Key{x.A, x.B}); err != nil {
			return nil, err
		}
		return c.resolver.Link(x, c.last+1, now)
	})
}

// Unlink undoes a link and keeps its keys apart from then on. It returns as Link does.
func (c *Committer) Unlink(ctx context.Context, x sla.Unlinking) (int64, error) {
	return c.correct(ctx, func(ctx context.Context, now time.Time) (*sla.Batch, error) {
		owners, err := c.o.Journal.Owners(ctx, []order.Key{x.Of})
		if err != nil {
			return nil, fmt.Errorf("look up key: %w", err)
		}
		id, ok := owners[x.Of]
		if !ok {
			return nil, &sla.Refusal{Code: sla.RefusedKey, Detail: x.Of.Name + ":" + x.Of.Value}
		}
		h, err := c.o.Journal.History(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		return c.resolver.Unlink(x, &h, c.last+1, now)
	})
}

func (c *Committer) correct(ctx context.Context, build func(context.Context, time.Time) (*sla.Batch, error)) (int64, error) {
	x := &correction{build: build, done: make(chan struct{})}
	select {
	case c.corrections <- x:
	case <-c.stopped:
		return 0, ErrUnavailable
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	select {
	case <-x.done:
		return x.seq, x.err
	case <-c.stopped:
		select { // it may have been answered just before
		case <-x.done:
			return x.seq, x.err
		default:
			return 0, ErrUnavailable
		}
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// roundOf makes one correction durable, in a batch of its own, and answers it. It returns only what
// ends the committer.
func (c *Committer) roundOf(ctx context.Context, x *correction) error {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.CommitLimit)
	defer cancel()
	defer close(x.done)
	fatal, err := c.writeCorrection(ctx, work, x)
	if refusal := (*sla.Refusal)(nil); err != nil && !errors.As(err, &refusal) {
		c.o.Logger.Warn("correction not committed", "error", err)
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	x.seq, x.err = c.last, err
	return fatal
}

func (c *Committer) writeCorrection(ctx, work context.Context, x *correction) (fatal, err error) {
	if err := c.settle(ctx, work); err != nil {
		if errors.Is(err, errMoved) {
			return err, err
		}
		return nil, fmt.Errorf("settle the batch before: %w", err)
	}
	b, err := x.build(work, c.o.Now())
	if err != nil {
		c.rollback()
		return nil, err
	}
	if err := c.o.Journal.Append(work, b); err != nil {
		c.doubt = b // the answer may have been lost and not the batch
		return nil, fmt.Errorf("append: %w", err)
	}
	c.accept(ctx, b)
	return nil, nil
}
