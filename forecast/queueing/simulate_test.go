package queueing_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alexandrite/orderwatch/forecast/queueing"
)

// quantiles of a distribution, as a sample that is close to it.
func sample(n int, quantile func(p float64) float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = quantile((float64(i) + 0.5) / float64(n))
	}
	return out
}

func exponentialTimes(mean float64) []float64 {
	return sample(2000, func(p float64) float64 { return -mean * math.Log(1-p) })
}

// lognormalTimes is the calculation of the company: median 90 s, σ 1, capped at 30 minutes.
func lognormalTimes() []float64 {
	return sample(4000, func(p float64) float64 {
		return min(1800, 90*math.Exp(math.Sqrt2*math.Erfinv(2*p-1)))
	})
}

func TestSimulationAndFormulaAgree(t *testing.T) {
	cases := map[string]struct {
		service []float64
		servers int
		rho     float64
	}{
		"one server, exponential":         {exponentialTimes(60), 1, 0.7},
		"three servers, exponential":      {exponentialTimes(60), 3, 0.8},
		"two servers, constant":           {[]float64{60}, 2, 0.8},
		"four servers, two values":        {[]float64{30, 90}, 4, 0.8},
		"one calculator, lognormal":       {lognormalTimes(), 1, 0.6},
		"three calculators, lognormal":    {lognormalTimes(), 3, 0.7},
		"six servers, one in ten is long": {[]float64{10, 10, 10, 10, 10, 10, 10, 10, 10, 200}, 6, 0.7},
	}
	for name, c := range cases {
		s, err := queueing.Measured(c.service)
		if err != nil {
			t.Fatal(err)
		}
		rate := c.rho * float64(c.servers) / s.Mean
		w, err := queueing.Solve(queueing.Queue{Rate: rate, Service: s, Servers: c.servers})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := queueing.Simulate(queueing.Simulation{Rate: rate, Service: c.service, Servers: c.servers, Jobs: 400_000, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(seen.Mean/w.Mean-1) > 0.06 || math.Abs(seen.Probability-w.Probability) > 0.03 {
			t.Errorf("%s: simulated mean %.2f, P %.3f; computed %.2f, %.3f", name, seen.Mean, seen.Probability, w.Mean, w.Probability)
		}
		if p, q := seen.Percentile(0.95), w.Percentile(0.95); math.Abs(p/q-1) > 0.12 {
			t.Errorf("%s: simulated p95 %.1f, computed %.1f", name, p, q)
		}
	}
}

func officeHours() queueing.Week {
	var w queueing.Week
	for h := range queueing.HoursInWeek {
		day, hour := h/24, h%24
		if day < 5 && hour >= 9 && hour < 18 {
			w.Open[h] = 1
		}
		w.Arrive[h] = 1
		if hour >= 18 {
			w.Arrive[h] = 4
		}
	}
	return w
}

func TestWorkThatComesAtNightWaitsForTheMorning(t *testing.T) {
	s := queueing.Simulation{Rate: 30.0 / 86400, Service: []float64{600}, Servers: 1, Week: officeHours(), Jobs: 20_000, Seed: 2}
	w, err := queueing.Simulate(s)
	if err != nil {
		t.Fatal(err)
	}
	// A night's or a weekend's orders stand before the door together: in open time the last of them
	// waits for all the others.
	if w.Probability < 0.8 || w.Percentile(0.95) < 3600 {
		t.Errorf("P %.2f, p95 %.0f s", w.Probability, w.Percentile(0.95))
	}
	s.Servers = 20
	if w, err = queueing.Simulate(s); err != nil || w.Percentile(0.95) > 3600 {
		t.Errorf("twenty servers: p95 %.0f s, %v", w.Percentile(0.95), err)
	}
}

func TestTakingTheNewestFirstStarvesTheOld(t *testing.T) {
	s := queueing.Simulation{Rate: 0.9 / 60, Service: exponentialTimes(60), Servers: 1, Jobs: 200_000, Seed: 3}
	oldest, err := queueing.Simulate(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Newest = true
	newest, err := queueing.Simulate(s)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(newest.Mean/oldest.Mean-1) > 0.1 {
		t.Errorf("the order of service changed the mean: %.1f to %.1f", oldest.Mean, newest.Mean)
	}
	if newest.Percentile(0.99) < 1.5*oldest.Percentile(0.99) || newest.Percentile(0.5) > oldest.Percentile(0.5) {
		t.Errorf("newest first: median %.0f, p99 %.0f; oldest first: %.0f, %.0f",
			newest.Percentile(0.5), newest.Percentile(0.99), oldest.Percentile(0.5), oldest.Percentile(0.99))
	}
}

func TestPathByPathMoreServersAndFasterServiceNeverWaitLonger(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 20 {
		s := queueing.Simulation{Service: lognormalTimes(), Servers: 1 + r.IntN(6), Week: officeHours(), Batch: 1 + 3*r.Float64(), Jobs: 3000, Seed: r.Uint64()}
		s.Rate = (0.3 + 0.6*r.Float64()) * float64(s.Servers) * s.Week.OpenShare() / 150
		base, err := queueing.Simulate(s)
		if err != nil {
			t.Fatal(err)
		}
		more, fast := s, s
		more.Servers++
		fast.Factor = 0.8
		for name, changed := range map[string]queueing.Simulation{"one server more": more, "faster service": fast} {
			w, err := queueing.Simulate(changed)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []float64{0.5, 0.95, 0.999} {
				if w.Percentile(p) > base.Percentile(p)+1e-6 {
					t.Errorf("%s: %v percentile from %v to %v", name, p, base.Percentile(p), w.Percentile(p))
				}
			}
		}
	}
}

func TestASimulationThatCannotBeIsAnError(t *testing.T) {
	good := queueing.Simulation{Rate: 0.001, Service: []float64{60}, Servers: 1, Jobs: 10}
	cases := map[string]struct {
		change   func(s *queueing.Simulation)
		unstable bool
	}{
		"overload":               {func(s *queueing.Simulation) { s.Rate = 1 }, true},
		"overload of open hours": {func(s *queueing.Simulation) { s.Rate, s.Week = 0.01, officeHours() }, true},
		"no jobs":                {func(s *queueing.Simulation) { s.Jobs = 0 }, false},
		"too many jobs":          {func(s *queueing.Simulation) { s.Jobs = queueing.MostJobs + 1 }, false},
		"no service times":       {func(s *queueing.Simulation) { s.Service = nil }, false},
		"no rate":                {func(s *queueing.Simulation) { s.Rate = 0 }, false},
		"hours of two hours":     {func(s *queueing.Simulation) { s.Week.Open[3] = 2 }, false},
		"an endless batch":       {func(s *queueing.Simulation) { s.Batch = math.Inf(1) }, false},
	}
	for name, c := range cases {
		s := good
		c.change(&s)
		if _, err := queueing.Simulate(s); err == nil || errors.Is(err, queueing.ErrUnstable) != c.unstable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w, err := queueing.Simulate(good); err != nil || w.Within(0) < 0.5 || w.Within(1e9) != 1 {
		t.Errorf("a good one: %+v, %v", w, err)
	}
}
