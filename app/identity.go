package app

import (
	"context"
	"time"

	"github.com/alexandrite/orderwatch/collector"
	"github.com/alexandrite/orderwatch/sla"
)

const (
	// showWithin bounds how long a correction waits to be on the pages after it is durable.
	showWithin = 2 * time.Second
	showEvery  = 10 * time.Millisecond
)

// identity takes people's corrections to the commit loop. It returns once pages show them, or soon after.
type identity struct {
	committer *collector.Committer // set before the state is restored
	loop      *loop
}

func (i *identity) Link(ctx context.Context, x sla.Linking) (int64, error) {
	seq, err := i.committer.Link(ctx, x)
	if err == nil {
		i.wait(ctx, seq)
	}
	return seq, err
}

func (i *identity) Unlink(ctx context.Context, x sla.Unlinking) (int64, error) {
	seq, err := i.committer.Unlink(ctx, x)
	if err == nil {
		i.wait(ctx, seq)
	}
	return seq, err
}

// wait lets the engine fold what is durable. It is done whether somebody sees it yet or not.
func (i *identity) wait(ctx context.Context, seq int64) {
	ctx, cancel := context.WithTimeout(ctx, showWithin)
	defer cancel()
	again := time.NewTicker(showEvery)
	defer again.Stop()
	for i.loop.shown.Load() < seq {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
