package capacity

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/alexandrite/orderwatch/forecast/queueing"
)

// Stage is one that can saturate.
type Stage struct {
	Name    string
	Service []float64 // measured service times, seconds of working time
	Servers int
	// Within is how long work may wait, in the servers' working time.
	Within time.Duration
	Week   queueing.Week
	// Jobs is how many jobs an order makes: quotes and retries count. 0 is taken as 1.
	Jobs float64
	// Batch is how many jobs arrive together on average; 0 is taken as 1.
	Batch float64
	// Newest means that the newest job is taken first.
	Newest bool

	factor  float64 // of the service times; 0 is taken as 1
	service queueing.Service
}

// month is an average one, in seconds.
const month = 30.4375 * 86400

// shortJob is the longest mean service time that an hour's peak is judged by, in seconds.
const shortJob = 1800

// simulated is how many jobs a simulation plays: a p95 to some five percent in a fraction of a millisecond.
const simulated = 2000

func (s Stage) prepare() (Stage, error) {
	measured, err := queueing.Measured(s.Service)
	if s.factor == 0 {
		s.factor = 1
	}
	if s.Jobs == 0 {
		s.Jobs = 1
	}
	s.Batch = max(1, s.Batch)
	measured.Mean *= s.factor
	s.service = measured
	var wrong []error
	if err != nil {
		wrong = append(wrong, err)
	}
	if s.Servers < 1 || s.Servers > mostServers {
		wrong = append(wrong, fmt.Errorf("%d servers, 1 to %d", s.Servers, mostServers))
	}
	if s.Within <= 0 {
		wrong = append(wrong, fmt.Errorf("within %v: above 0", s.Within))
	}
	if !(s.Jobs >= 0) || math.IsInf(s.Jobs, 0) || math.IsNaN(s.Batch) || math.IsInf(s.Batch, 0) {
		wrong = append(wrong, fmt.Errorf("%v jobs an order in batches of %v: not numbers above 0", s.Jobs, s.Batch))
	}
	if len(wrong) > 0 {
		return s, fmt.Errorf("stage %q: %w", s.Name, errors.Join(wrong...))
	}
	return s, nil
}

// byPeak reports whether the stage is judged by its busiest hour.
func (s *Stage) byPeak() bool {
	return s.Week.Always() && !s.Newest && s.service.Mean <= shortJob
}

// State is how a stage fares at a volume of orders.
type State struct {
	Orders      float64 // a month
	Utilisation float64 // of working time, on average; 1 and more means that work piles up
	Stable      bool    // false: waits grow without end, and the rest is zero
	// Mean and P95 are waits in working time: of the busiest hour, or, where simulated, of all hours.
	Mean, P95 time.Duration
	Kept      float64 // share of jobs that wait no longer than Within
}

// at is the state at a monthly volume with so many servers.
func (s *Stage) at(orders float64, servers int) State {
	rate := orders * s.Jobs / month
	out := State{Orders: orders, Utilisation: rate * s.service.Mean / (float64(servers) * s.Week.OpenShare())}
	if rate <= 0 {
		out.Stable, out.Kept = true, 1
		return out
	}
	within := s.Within.Seconds()
	week := s.Week
	if s.byPeak() {
		rate *= s.Week.PeakShare()
		week = queueing.Week{}
	}
	if s.byPeak() && s.Batch == 1 {
		w, err := queueing.Solve(queueing.Queue{Rate: rate, Service: s.service, Servers: servers})
		if err == nil {
			out.Stable, out.Mean, out.P95, out.Kept = true, seconds(w.Mean), seconds(w.Percentile(0.95)), 1-w.Beyond(within)
		}
		return out
	}
	w, err := queueing.Simulate(queueing.Simulation{Rate: rate, Service: s.Service, Factor: s.factor, Servers: servers,
		Week: week, Batch: s.Batch, Newest: s.Newest, Jobs: simulated, Seed: 1})
	if err == nil {
		out.Stable, out.Mean, out.P95, out.Kept = true, seconds(w.Mean), seconds(w.Percentile(0.95)), w.Within(within)
	}
	return out
}

// seconds is a duration, at most the longest there is.
func seconds(v float64) time.Duration {
	if v >= math.MaxInt64/1e9 {
		return math.MaxInt64
	}
	return time.Duration(v * 1e9)
}

// bears reports whether the deadline is kept.
func (s *Stage) bears(orders float64, servers int) bool {
	state := s.at(orders, servers)
	return state.Stable && state.P95 <= s.Within
}

// limit is the largest monthly volume at which the deadline is kept, to four parts in a thousand of
// the most that can be done at all; 0 where even single orders wait too long, +Inf where there are no
// jobs.
func (s *Stage) limit() float64 {
	perOrder := s.Jobs * s.service.Mean / month
	if perOrder < 1e-300 {
		return math.Inf(1)
	}
	most := float64(s.Servers) * s.Week.OpenShare() / perOrder
	if s.byPeak() {
		most /= s.Week.PeakShare()
	}
	low, high := 0.0, most
	for high-low > 0.004*most {
		middle := (low + high) / 2
		if s.bears(middle, s.Servers) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// mostServers bounds the search for enough servers.
const mostServers = 10_000

// enough is the least number of servers that keep the deadline at a volume; 0 where none does.
func (s *Stage) enough(orders float64) int {
	least := int(orders*s.Jobs*s.service.Mean/month/s.Week.OpenShare()) + 1
	low, high := least-1, least
	for !s.bears(orders, high) {
		if high >= mostServers {
			return 0
		}
		low, high = high, min(mostServers, 2*high)
	}
	for high-low > 1 {
		if middle := (low + high) / 2; s.bears(orders, middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
