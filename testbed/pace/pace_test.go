package pace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func TestLognormalHasItsMedianIsCappedAndCompressed(t *testing.T) {
	p, err := New(10, 1, "test")
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	draws := make([]time.Duration, n)
	for i := range draws {
		draws[i] = p.Lognormal(90*time.Second, 1, 30*time.Minute)
	}
	slices.Sort(draws)
	if median := draws[n/2].Seconds(); math.Abs(median-9) > 0.4 {
		t.Errorf("median %v s, want about 9", median)
	}
	if most := draws[n-1]; most > 3*time.Minute || most < time.Minute {
		t.Errorf("longest %v, want close to but not above 3m", most)
	}
}

func TestTheSameSeedAndNameGiveTheSameDraws(t *testing.T) {
	draw := func(seed uint64, name string) []time.Duration {
		p, err := New(1, seed, name)
		if err != nil {
			t.Fatal(err)
		}
		return []time.Duration{p.Exponential(time.Hour), p.Lognormal(time.Hour, 1, 9*time.Hour)}
	}
	if !slices.Equal(draw(1, "mes"), draw(1, "mes")) {
		t.Error("two paces of one seed and name differ")
	}
	if slices.Equal(draw(1, "mes"), draw(2, "mes")) || slices.Equal(draw(1, "mes"), draw(1, "crm")) {
		t.Error("paces of different seeds or names agree")
	}
}

func TestChanceIsUniformAndSeparatesWords(t *testing.T) {
	below := 0
	for i := range 10_000 {
		if Chance(1, "fault", fmt.Sprint(i)) < 0.3 {
			below++
		}
	}
	if below < 2800 || below > 3200 {
		t.Errorf("%d of 10000 chances are below 0.3", below)
	}
	if Chance(1, "ab", "c") == Chance(1, "a", "bc") {
		t.Error("words run together")
	}
}

func TestNewRefusesAFactorThatWouldStretchTime(t *testing.T) {
	for _, factor := range []float64{0, -1, 0.5, math.NaN(), math.Inf(1)} {
		if _, err := New(factor, 1, "x"); err == nil {
			t.Errorf("factor %v is taken", factor)
		}
	}
}

func TestRetry(t *testing.T) {
	tries := 0
	err := Retry(t.Context(), func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries, %v; want 3 and none", tries, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := errors.New("the database is away")
	if err := Retry(ctx, func(context.Context) error { cancel(); return last }); !errors.Is(err, last) {
		t.Errorf("after the context's end: %v, want the last error", err)
	}
}
