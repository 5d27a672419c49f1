package exporters

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait between attempts: it doubles from Min to Max, each time somewhere
// in the upper half at random, so that sidecars do not come back in step. It is for one goroutine.
type Backoff struct {
	Min, Max time.Duration
	attempt  int
}

// Next returns how long to wait now.
func (b *Backoff) Next() time.Duration {
	ceiling := b.Max
	if shift := b.attempt; shift < 32 && b.Min<<shift > 0 {
		ceiling = min(b.Max, b.Min<<shift)
	}
	b.attempt++
	return ceiling/2 + rand.N(ceiling/2+1)
}

// Reset begins again at Min: an attempt succeeded.
func (b *Backoff) Reset() { b.attempt = 0 }

// Wait waits as long as Next says, or until ctx ends, whose error it returns.
func (b *Backoff) Wait(ctx context.Context) error { return sleep(ctx, b.Next()) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
