package queueing

import (
	"errors"
	"fmt"
	"math"
)

// ErrNoSample means there is no service time to learn from.
var ErrNoSample = errors.New("no service time above zero")

// Service is a distribution of service times by its moments.
type Service struct {
	Mean  float64 // seconds, above 0
	SCV   float64 // variance over squared mean: 0 constant, 1 exponential
	Third float64 // third raw moment over the cubed mean; 0: not known
}

// Measured takes the moments of service times in seconds as they are, heavy tails included. Values that
// are not finite or below zero are left out.
func Measured(seconds []float64) (Service, error) {
	n, sum := 0.0, 0.0
	usable := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	for _, v := range seconds {
		if usable(v) {
			n++
			sum += v
		}
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return Service{}, ErrNoSample
	}
	s := Service{Mean: sum / n}
	for _, v := range seconds {
		if usable(v) {
			x := v / s.Mean
			s.SCV += (x - 1) * (x - 1) / n
			s.Third += x * x * x / n
		}
	}
	return s, nil
}

func (s Service) check() error {
	if !(s.Mean > 0) || math.IsInf(s.Mean, 0) {
		return fmt.Errorf("mean service time %v: %w", s.Mean, ErrNoSample)
	}
	if !(s.SCV >= 0) || math.IsInf(s.SCV, 0) || math.IsNaN(s.Third) {
		return fmt.Errorf("service SCV %v, third moment %v: not a distribution", s.SCV, s.Third)
	}
	return nil
}

// phases is a service of at most two exponential phases: it starts in the first with probability
// enter, else in the second; after the first it goes on to the second with probability on.
type phases struct {
	first, second float64 // rates
	enter, on     float64
}

// twoPhase fits the moments, for an SCV of at least 1/2. Above 1 it is the hyperexponential with the
// third moment too, or with balanced means where that is not known.
func (s Service) twoPhase() phases {
	switch {
	case s.SCV <= 1:
		return phases{first: 2 / s.Mean, second: 1 / (s.Mean * s.SCV), enter: 1, on: 1 / (2 * s.SCV)}
	case s.Third > 0:
		return s.threeMoments()
	}
	p := (1 + math.Sqrt((s.SCV-1)/(s.SCV+1))) / 2
	return phases{first: 2 * p / s.Mean, second: 2 * (1 - p) / s.Mean, enter: p}
}

// shortest is the least mean of the shorter phase, over the whole mean. A third moment so low that it
// asks for less (a few long jobs of equal length among short ones) is met as far as this allows.
const shortest = 0.02

// threeMoments is Whitt's (1982, section 3.1) hyperexponential: the two means are the roots of a
// quadratic in the reduced moments. Here the shorter is found from it, and the longer and the odds
// from mean and variance, so that these two always hold.
func (s Service) threeMoments() phases {
	square, cube := (1+s.SCV)/2, s.Third/6 // E[X²]/2 and E[X³]/6 at mean 1
	sum, product := (cube-square)/(square-1), (cube-square*square)/(square-1)
	short := (sum - math.Sqrt(max(0, sum*sum-4*product))) / 2
	short = min(1-1e-6, max(shortest, short))
	long := (square - short) / (1 - short)
	return phases{first: 1 / (long * s.Mean), second: 1 / (short * s.Mean), enter: (1 - short) / (long - short)}
}
