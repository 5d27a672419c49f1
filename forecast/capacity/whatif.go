package capacity

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/alexandrite/orderwatch/forecast/queueing"
)

// Change is a what-if. Zero values change nothing.
type Change struct {
	// Growth replaces the trend: orders a month more each month.
	Growth *float64
	// Partner adds orders from a month on.
	Partner *Partner
	// Stage names the stage that what follows changes; "" means all.
	Stage string
	// Servers is their new number.
	Servers int
	// Faster is the new service time over the old one: 0.5 halves it.
	Faster float64
	// Cached is the share of jobs that are answered at once, such as models priced before.
	Cached float64
	// Longer is how much later servers stop on each day they work.
	Longer time.Duration
	// OldestFirst makes a newest-first list a queue.
	OldestFirst bool
}

// Partner is an API partner launched.
type Partner struct {
	Orders float64 // a month
	From   int     // the first month with them, from 1; 0 is taken as 1
	Batch  float64 // how many arrive together on average; 0 is taken as 1
}

// Comparison is a stage before and after a change.
type Comparison struct{ Before, After Answer }

// WhatIf answers what a change would do.
func (m *Model) WhatIf(c Change) ([]Comparison, error) {
	if err := m.check(c); err != nil {
		return nil, fmt.Errorf("what if: %w", err)
	}
	plan := m.plan
	plan.Demand = c.demand(m.plan.Demand)
	out := make([]Comparison, len(m.answers))
	for i, before := range m.answers {
		s, limit := m.plan.Stages[i], before.Saturation.Limit
		changed := c.burst(&s, plan.Demand.Mean[plan.Look-1])
		if c.Stage == "" || c.Stage == s.Name {
			changed = c.apply(&s) || changed
		}
		if changed {
			var err error
			if s, err = s.prepare(); err != nil {
				return nil, fmt.Errorf("what if: %w", err)
			}
			limit = s.limit()
		}
		out[i] = Comparison{before, plan.judge(&s, limit)}
	}
	return out, nil
}

func (m *Model) check(c Change) error {
	var wrong []error
	known := c.Stage == ""
	for _, s := range m.plan.Stages {
		known = known || s.Name == c.Stage
	}
	if !known {
		wrong = append(wrong, fmt.Errorf("there is no stage %q", c.Stage))
	}
	if c.Growth != nil && (math.IsNaN(*c.Growth) || math.IsInf(*c.Growth, 0)) {
		wrong = append(wrong, errors.New("growth is no number"))
	}
	if p := c.Partner; p != nil && (!(p.Orders >= 0) || math.IsInf(p.Orders, 0) || p.From < 0 || !(p.Batch >= 0) || math.IsInf(p.Batch, 0)) {
		wrong = append(wrong, fmt.Errorf("partner of %v orders from month %d in batches of %v: none below 0", p.Orders, p.From, p.Batch))
	}
	if c.Servers < 0 || c.Servers > mostServers {
		wrong = append(wrong, fmt.Errorf("%d servers, 1 to %d", c.Servers, mostServers))
	}
	if !(c.Faster >= 0) || math.IsInf(c.Faster, 0) {
		wrong = append(wrong, fmt.Errorf("service time times %v: not above 0", c.Faster))
	}
	if !(c.Cached >= 0 && c.Cached <= 1) {
		wrong = append(wrong, fmt.Errorf("cached share %v is not between 0 and 1", c.Cached))
	}
	if c.Longer < 0 || c.Longer > 24*time.Hour {
		wrong = append(wrong, fmt.Errorf("%v longer a day: 0 to 24h", c.Longer))
	}
	return errors.Join(wrong...)
}

func (c *Change) demand(d Demand) Demand {
	if c.Growth != nil {
		by := *c.Growth - d.Trend
		d = d.shift(func(month int) float64 { return by * float64(month) })
		d.Trend = *c.Growth
	}
	if p := c.Partner; p != nil {
		d = d.shift(func(month int) float64 {
			if month < p.From {
				return 0
			}
			return p.Orders
		})
	}
	return d
}

// burst gives a stage the batches that a partner brings, in proportion to its share of the orders.
func (c *Change) burst(s *Stage, orders float64) bool {
	if c.Partner == nil || c.Partner.Batch <= 1 || !(orders > 0) {
		return false
	}
	share := min(1, c.Partner.Orders/orders)
	// Seen from a job, the batch it comes in averages by orders.
	s.Batch = (1-share)*s.Batch + share*c.Partner.Batch
	return true
}

// apply changes a stage and reports whether it did.
func (c *Change) apply(s *Stage) bool {
	if c.Servers == 0 && c.Faster == 0 && c.Cached == 0 && c.Longer == 0 && !c.OldestFirst {
		return false
	}
	if c.Servers > 0 {
		s.Servers = c.Servers
	}
	if c.Faster > 0 {
		s.factor *= c.Faster
	}
	s.Jobs *= 1 - c.Cached
	if s.Jobs == 0 {
		s.Jobs = math.SmallestNonzeroFloat64 // none, but 0 means one
	}
	if c.Longer > 0 {
		s.Week.Open = longer(s.Week, c.Longer)
	}
	if c.OldestFirst {
		s.Newest = false
	}
	return true
}

// longer opens the hours after each day's last open one.
func longer(w queueing.Week, by time.Duration) [queueing.HoursInWeek]float64 {
	open := w.Open
	if w.Always() {
		return open
	}
	for h, o := range w.Open {
		next := (h + 1) % queueing.HoursInWeek
		if o == 0 || w.Open[next] > 0 || laterToday(w, h) {
			continue
		}
		rest := by.Hours() - (1 - o)
		open[h] = min(1, o+by.Hours())
		for i := next; rest > 0 && w.Open[i] == 0; i = (i + 1) % queueing.HoursInWeek {
			open[i] = min(1, rest)
			rest--
		}
	}
	return open
}

// laterToday reports whether the servers work again later on the day of hour h.
func laterToday(w queueing.Week, h int) bool {
	for later := h + 1; later%24 != 0; later++ {
		if w.Open[later] > 0 {
			return true
		}
	}
	return false
}
