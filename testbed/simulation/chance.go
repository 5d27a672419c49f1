package simulation

import (
	"math"
	"time"
)

func (s *Simulation) chance(p float64) bool { return s.random.Float64() < p }

// between draws evenly.
func (s *Simulation) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.random.Int64N(int64(to-from)))
}

// lognormal draws a duration with that median, whose logarithm has the standard deviation sigma.
func (s *Simulation) lognormal(median time.Duration, sigma float64, limit time.Duration) time.Duration {
	return min(time.Duration(float64(median)*math.Exp(sigma*s.random.NormFloat64())), limit)
}

// exponential draws the time to the next of independent events.
func (s *Simulation) exponential(mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * s.random.ExpFloat64())
}

// geometric draws a count of at least 1.
func (s *Simulation) geometric(mean float64) int {
	return 1 + int(math.Log(1-s.random.Float64())/math.Log(1-1/mean))
}

// zipf draws one of n, the k-th with a weight of 1/k.
func (s *Simulation) zipf(n int) int {
	total := 0.0
	for k := range n {
		total += 1 / float64(k+1)
	}
	pick := s.random.Float64() * total
	for k := range n - 1 {
		if pick -= 1 / float64(k+1); pick < 0 {
			return k
		}
	}
	return n - 1
}
