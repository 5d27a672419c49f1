// Package pace owns how long people and machines of the simulated company take: seeded random
// durations, all divided by one factor, on the real clock. A Pace is safe for concurrent use.
package pace

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Pace draws compressed durations.
type Pace struct {
	factor float64
	mu     sync.Mutex // guards random
	random *rand.Rand
}

// New returns a Pace that divides every duration by factor (at least 1). The same seed and name
// give the same sequence of draws.
func New(factor float64, seed uint64, name string) (*Pace, error) {
	if math.IsNaN(factor) || math.IsInf(factor, 0) || factor < 1 {
		return nil, fmt.Errorf("set pace: compression %v is not a number of 1 or more", factor)
	}
	return &Pace{factor: factor, random: rand.New(rand.NewPCG(seed, hash(name)))}, nil
}

// Lognormal draws a duration with the given median and the sigma of its logarithm, at most most.
func (p *Pace) Lognormal(median time.Duration, sigma float64, most time.Duration) time.Duration {
	p.mu.Lock()
	z := p.random.NormFloat64()
	p.mu.Unlock()
	return p.Compress(min(most, time.Duration(float64(median)*math.Exp(sigma*z))))
}

// Exponential draws a duration with the given mean, at most four times as long.
func (p *Pace) Exponential(mean time.Duration) time.Duration {
	p.mu.Lock()
	x := p.random.ExpFloat64()
	p.mu.Unlock()
	return p.Compress(time.Duration(float64(mean) * min(x, 4)))
}

// Compress divides a duration of the company's world by the factor.
func (p *Pace) Compress(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.factor)
}

// Wait returns after d, or with ctx's error when that ends earlier.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Retry repeats do, with a tenth of a second in between, until it succeeds or ctx ends. The
// company's databases and its broker may be away for a while; nothing it does is lost by that.
func Retry(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if err == nil {
			return nil
		}
		if Wait(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// Chance returns a number in [0, 1) that depends on the seed and the words alone, so that a
// choice about an order is the same whenever and wherever it is made.
func Chance(seed uint64, words ...string) float64 {
	return rand.New(rand.NewPCG(seed, hash(words...))).Float64()
}

func hash(words ...string) uint64 {
	h := fnv.New64a()
	for _, word := range words {
		_, _ = h.Write([]byte(word)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
