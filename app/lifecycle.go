package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// teardown is a last-in-first-out list of named steps that undo a start.
type teardown struct {
	log   *slog.Logger
	steps []step
}

type step struct {
	name string
	undo func() error
}

func (t *teardown) add(name string, undo func() error) {
	t.steps = append(t.steps, step{name, undo})
}

// run undoes every step, the last first, whatever the others say.
func (t *teardown) run() error {
	var failed error
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := t.steps[i]
		t.log.Debug("stopping", "part", s.name)
		if err := s.undo(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	t.steps = nil
	return failed
}

// background runs a part until its step is undone, so that it may outlive ctx by what stops before it. If
// the part stops on its own, fail ends the whole.
func (t *teardown) background(ctx context.Context, name string, fail context.CancelCauseFunc, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			fail(fmt.Errorf("%s: %w", name, cmp.Or(err, errStopped)))
		}
		done <- err
	}()
	t.add(name, func() error {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

var errStopped = errors.New("stopped by itself")
