package queueing

import (
	"errors"
	"fmt"
	"math"
)

// ErrUnstable means that more work arrives than the servers can do: waits grow without end.
var ErrUnstable = errors.New("more work arrives than can be done")

// exactServers bounds the exact solution, whose cost grows with the third power of the servers.
const exactServers = 100

// Queue is what arrives and who serves it, first come first served.
type Queue struct {
	Rate       float64 // arrivals a second, at least 0
	ArrivalSCV float64 // of the times between arrivals; 0 is taken as 1, Poisson
	Service    Service
	Servers    int // at least 1
}

// Utilisation is the share of its time that a server works; 1 and more cannot be kept up with.
func (q Queue) Utilisation() float64 { return q.Rate * q.Service.Mean / float64(q.Servers) }

// Wait is how long jobs wait before service begins.
type Wait struct {
	Probability float64 // of waiting at all
	Mean        float64 // seconds, over all jobs
	Length      float64 // mean number waiting
	Utilisation float64

	base  tail
	share float64 // Probability over the base's
	scale float64 // base seconds a second: the base's wait is stretched by its inverse
}

// tail is a waiting time that is known in full.
type tail interface {
	beyond(t float64) float64
	percentile(beyond float64) float64
}

// Solve answers for a stable queue; ErrUnstable for others.
func Solve(q Queue) (*Wait, error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("solve queue: %w", err)
	}
	if q.Rate == 0 {
		return &Wait{base: exponential{0, 1}, share: 1, scale: 1}, nil
	}
	w := q.poisson()
	if q.ArrivalSCV > 0 && q.ArrivalSCV != 1 {
		factor := (q.ArrivalSCV + q.Service.SCV) / (1 + q.Service.SCV) // Allen, Cunneen
		w.Mean *= factor
		w.Length *= factor
		w.scale /= factor
	}
	w.Utilisation = q.Utilisation()
	return &w, nil
}

func (q Queue) check() error {
	if err := q.Service.check(); err != nil {
		return err
	}
	switch {
	case q.Servers < 1:
		return fmt.Errorf("%d servers, at least 1", q.Servers)
	case !(q.Rate >= 0) || !(q.ArrivalSCV >= 0) || math.IsInf(q.ArrivalSCV, 0):
		return fmt.Errorf("arrival rate %v, SCV %v: not a number at least 0", q.Rate, q.ArrivalSCV)
	case q.Utilisation() >= 1:
		return ErrUnstable
	}
	return nil
}

// poisson is M/G/c.
func (q Queue) poisson() Wait {
	a := q.Rate * q.Service.Mean
	switch {
	case q.Service.SCV == 1 && q.Service.Third == 0:
		return q.markov(a)
	case q.Servers > exactServers:
		return q.crowd(a)
	case q.Service.SCV >= 0.5:
		return q.exact(q.Service)
	default:
		return q.regular(a)
	}
}

// markov is M/M/c.
func (q Queue) markov(a float64) Wait {
	c := ErlangC(q.Servers, a)
	decay := (float64(q.Servers) - a) / q.Service.Mean
	return Wait{Probability: c, Mean: c / decay, Length: q.Rate * c / decay, base: exponential{c, decay}, share: 1, scale: 1}
}

func (q Queue) exact(s Service) Wait {
	p := solvePhases(q.Rate, s.twoPhase(), q.Servers)
	return Wait{Probability: p.probability, Mean: p.length / q.Rate, Length: p.length, base: p, share: 1, scale: 1}
}

// regular is service more regular than two equal phases. Chance and mean are the parabola, in the
// SCV, through the exact ratios to M/M/c of constant, two-phase and exponential service; the wait of
// those who wait has the shape of the two-phase one.
func (q Queue) regular(a float64) Wait {
	markov, erlang := q.markov(a), q.exact(Service{Mean: q.Service.Mean, SCV: 0.5})
	probability, length := constantWait(q.Servers, a)
	between := func(constant, two, exponential float64) float64 {
		x := q.Service.SCV
		return constant*(1-x)*(1-2*x) + two*4*x*(1-x) + exponential*x*(2*x-1)
	}
	w := erlang
	w.Probability = between(probability, erlang.Probability, markov.Probability)
	w.Length = between(length, erlang.Length, markov.Length)
	w.Mean = w.Length / q.Rate
	return w.shaped(erlang)
}

// crowd is for very many servers: Kimura's interpolation between M/M/c and M/D/c.
func (q Queue) crowd(a float64) Wait {
	markov := q.markov(a)
	c, rho, x := float64(q.Servers), a/float64(q.Servers), q.Service.SCV
	constant := (1 + (1-rho)*(c-1)*(math.Sqrt(4+5*c)-2)/(16*rho*c)) / 2 // Cosmetatos, over M/M/c
	factor := (1 + x) / (2*x + (1-x)/min(1, constant))
	w := markov
	w.Mean, w.Length = markov.Mean*factor, markov.Length*factor
	return w.shaped(markov)
}

// shaped gives w the shape of like's conditional wait, stretched to w's own mean.
func (w Wait) shaped(like Wait) Wait {
	w.base, w.share, w.scale = like.base, 1, 1
	if like.Probability > 0 && w.Mean > 0 {
		w.share = w.Probability / like.Probability
		w.scale = like.Mean / w.Mean * w.share
	}
	return w
}

// Beyond is the share of jobs that wait longer than t seconds.
func (w *Wait) Beyond(t float64) float64 {
	return min(1, max(0, w.share*w.base.beyond(t*w.scale)))
}

// Percentile is the wait in seconds that a share p of all jobs, such as 0.95, does not exceed.
func (w *Wait) Percentile(p float64) float64 {
	if w.share == 0 || p <= 0 {
		return 0
	}
	return w.base.percentile((1-min(p, 1-1e-12))/w.share) / w.scale
}

// exponential waits with a chance, and then exponentially.
type exponential struct{ probability, decay float64 }

func (e exponential) beyond(t float64) float64 { return e.probability * math.Exp(-e.decay*max(0, t)) }

func (e exponential) percentile(beyond float64) float64 {
	if e.probability <= beyond {
		return 0
	}
	return math.Log(e.probability/beyond) / e.decay
}
