package queueing

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// HoursInWeek is the length of a Week's tables; hour 0 is Monday 00:00.
const HoursInWeek = 168

// Week says when jobs come and when servers work, repeating for ever.
type Week struct {
	// Arrive is each hour's share of the arrivals, in any unit; all zero means evenly.
	Arrive [HoursInWeek]float64
	// Open is how much of each hour the servers work, 0 to 1; all zero means always. A job under way
	// when they stop goes on when they return.
	Open [HoursInWeek]float64
}

// Always reports whether servers never stop.
func (w *Week) Always() bool {
	first := w.Open[0]
	for _, o := range w.Open {
		if o != first {
			return false
		}
	}
	return first == 0 || first == 1
}

// OpenShare is the part of the week in which servers work.
func (w *Week) OpenShare() float64 {
	sum := 0.0
	for _, o := range w.Open {
		sum += o
	}
	if sum == 0 {
		return 1
	}
	return sum / HoursInWeek
}

// PeakShare is the busiest hour's arrivals over the average hour's.
func (w *Week) PeakShare() float64 {
	sum, high := 0.0, 0.0
	for _, a := range w.Arrive {
		sum += a
		high = max(high, a)
	}
	if sum == 0 {
		return 1
	}
	return high * HoursInWeek / sum
}

// Simulation is a queue whose arrivals follow the hours of the week.
type Simulation struct {
	Rate    float64   // jobs a second, on average over the week; above 0
	Service []float64 // service times in seconds, drawn from with equal chance
	Factor  float64   // multiplies them; 0 is taken as 1
	Servers int
	Week    Week
	// Batch is how many jobs arrive together on average (geometric), at least 1; 0 is taken as 1.
	Batch float64
	// Newest means that a free server takes the newest job, as from a list sorted that way.
	Newest bool
	// Jobs is how many are simulated, at most MostJobs; a tenth more go before, uncounted.
	Jobs int
	Seed uint64
}

// MostJobs bounds a simulation.
const MostJobs = 1_000_000

// Waits is what a simulation saw, in seconds of the servers' working time.
type Waits struct {
	Mean        float64
	Probability float64 // of waiting at all
	sorted      []float64
}

// Percentile is the wait that a share p of the jobs did not exceed.
func (w *Waits) Percentile(p float64) float64 {
	i := int(math.Ceil(p*float64(len(w.sorted)))) - 1
	return w.sorted[min(len(w.sorted)-1, max(0, i))]
}

// Within is the share of jobs that waited t seconds at most.
func (w *Waits) Within(t float64) float64 {
	n, _ := slices.BinarySearchFunc(w.sorted, t, func(wait, t float64) int {
		if wait <= t {
			return -1
		}
		return 1
	})
	return float64(n) / float64(len(w.sorted))
}

// Simulate plays the queue. ErrUnstable where the servers cannot keep up. The same simulation gives
// the same answer; arrivals and service times are the same draws, stretched, whatever the rate, the
// servers and the factor, so that answers can be compared.
func Simulate(s Simulation) (*Waits, error) {
	if s.Factor == 0 {
		s.Factor = 1
	}
	s.Batch = max(1, s.Batch)
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("simulate queue: %w", err)
	}
	jobs := s.draw()
	s.play(jobs)
	counted := jobs[len(jobs)-s.Jobs:]
	w := &Waits{sorted: make([]float64, len(counted))}
	for i, j := range counted {
		w.sorted[i] = j.wait
		w.Mean += j.wait / float64(len(counted))
		if j.wait > 1e-9 {
			w.Probability += 1 / float64(len(counted))
		}
	}
	slices.Sort(w.sorted)
	return w, nil
}

func (s *Simulation) check() error {
	service, err := Measured(s.Service)
	switch {
	case err != nil:
		return err
	case s.Servers < 1 || s.Jobs < 1 || s.Jobs > MostJobs:
		return fmt.Errorf("%d servers and %d jobs: at least 1, at most %d jobs", s.Servers, s.Jobs, MostJobs)
	case !(s.Rate > 0) || math.IsInf(s.Rate, 0) || !(s.Factor > 0) || math.IsInf(s.Factor, 0) || math.IsInf(s.Batch, 0):
		return fmt.Errorf("rate %v, factor %v, batch %v: not above 0", s.Rate, s.Factor, s.Batch)
	}
	for h := range s.Week.Open {
		if o, a := s.Week.Open[h], s.Week.Arrive[h]; !(o >= 0 && o <= 1) || !(a >= 0) || math.IsInf(a, 0) {
			return fmt.Errorf("hour %d: open %v, arrivals %v: not a share", h, o, a)
		}
	}
	if s.Rate*service.Mean*s.Factor >= float64(s.Servers)*s.Week.OpenShare() {
		return ErrUnstable
	}
	return nil
}

// job is one arrival in open time: seconds of the servers' work since the start.
type job struct{ at, service, wait float64 }

// draw makes the arrivals: a Poisson process of batches in a time in which hours are as long as they
// are busy, read off in open time.
func (s *Simulation) draw() []job {
	r := rand.New(rand.NewPCG(s.Seed, 0x6f72646572))
	clock := s.clock()
	n := s.Jobs + s.Jobs/10
	jobs := make([]job, 0, n)
	for busy := 0.0; len(jobs) < n; {
		busy += r.ExpFloat64() * s.Batch / s.Rate
		at := clock.open(busy)
		for size := 1.0; len(jobs) < n; size++ {
			service := s.Service[r.IntN(len(s.Service))]
			for !(service >= 0) || math.IsInf(service, 0) {
				service = s.Service[r.IntN(len(s.Service))]
			}
			jobs = append(jobs, job{at: at, service: service * s.Factor})
			if r.Float64() >= 1-1/s.Batch {
				break
			}
		}
	}
	return jobs
}

// clock turns busy time, in which arrivals are even, into open time, hour by hour of the week. It is
// asked in rising order.
type clock struct {
	busy, work [HoursInWeek + 1]float64 // passed at the start of each hour
	week       float64                  // weeks passed
	hour       int
}

func (s *Simulation) clock() *clock {
	var c clock
	arrivals, open := 0.0, 0.0
	for h := range HoursInWeek {
		arrivals += s.Week.Arrive[h]
		open += s.Week.Open[h]
	}
	for h := range HoursInWeek {
		share, work := 1.0/HoursInWeek, 1.0
		if arrivals > 0 {
			share = s.Week.Arrive[h] / arrivals
		}
		if open > 0 {
			work = s.Week.Open[h]
		}
		c.busy[h+1] = c.busy[h] + share*HoursInWeek*3600
		c.work[h+1] = c.work[h] + work*3600
	}
	return &c
}

func (c *clock) open(busy float64) float64 {
	if weeks := math.Floor(busy / c.busy[HoursInWeek]); weeks != c.week {
		c.week, c.hour = weeks, 0
	}
	rest := busy - c.week*c.busy[HoursInWeek]
	for c.hour < HoursInWeek-1 && c.busy[c.hour+1] <= rest {
		c.hour++
	}
	part := 0.0
	if wide := c.busy[c.hour+1] - c.busy[c.hour]; wide > 0 {
		part = min(1, (rest-c.busy[c.hour])/wide)
	}
	return c.week*c.work[HoursInWeek] + c.work[c.hour] + part*(c.work[c.hour+1]-c.work[c.hour])
}

// play serves the jobs: whenever a server is free, the oldest or the newest that has come is taken.
func (s *Simulation) play(jobs []job) {
	free := make([]float64, s.Servers) // when each server is free, soonest first (a heap)
	if !s.Newest {
		for i := range jobs {
			start := max(free[0], jobs[i].at)
			jobs[i].wait = start - jobs[i].at
			free[0] = start + jobs[i].service
			sink(free)
		}
		return
	}
	var waiting []int // newest last
	come := 0
	for done := 0; done < len(jobs); done++ {
		now := free[0]
		if len(waiting) == 0 {
			now = max(now, jobs[come].at)
		}
		for come < len(jobs) && jobs[come].at <= now {
			waiting = append(waiting, come)
			come++
		}
		next := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		jobs[next].wait = now - jobs[next].at
		free[0] = now + jobs[next].service
		sink(free)
	}
}

// sink restores the heap after its root has grown.
func sink(free []float64) {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(free) {
			return
		}
		if child+1 < len(free) && free[child+1] < free[child] {
			child++
		}
		if free[i] <= free[child] {
			return
		}
		free[i], free[child] = free[child], free[i]
		i = child
	}
}
