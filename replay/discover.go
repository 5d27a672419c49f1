package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// DiscoverOptions say what to draft a flow from. A log that needs no mapping of its own takes StandardXES.
type DiscoverOptions struct {
	Name     string // of the flow
	Mapping  *Mapping
	Files    []string
	Progress func(Progress) // as in Options
}

// StandardXES returns the mapping of an XES log by the standard keys that takes completed activities alone. Its
// orders go by the name "case".
func StandardXES(system string) *Mapping {
	m := standard(system, "case")
	m.Lifecycle = []string{xesComplete}
	return m
}

// Discover drafts a flow file from history, with comments that say what supports each line. It is a start to
// edit: the kinds of stages, their owners and what cancels an order are nowhere in a log.
//
// A stage begins with an activity and ends with those that often follow it. Stages stand in the order of the
// activities' mean place in their cases. The deadlines are the 95th percentiles of the visits that the engine sees when it
// replays the same history through the draft, rounded up. What it could not use of the files is in Rejections.
func Discover(ctx context.Context, o DiscoverOptions) ([]byte, *Rejections, error) {
	if len(o.Files) == 0 {
		return nil, nil, errors.New("discover flow: no files given")
	}
	run := Options{Mapping: o.Mapping, Files: o.Files, Progress: o.Progress}
	h, err := run.history(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("discover flow: %w", err)
	}
	d, err := newDraft(o.Name, o.Mapping, h)
	if err != nil {
		return nil, &h.rejected, fmt.Errorf("discover flow: %w", err)
	}
	flow, err := d.parse()
	if err != nil {
		return nil, &h.rejected, fmt.Errorf("discover flow: check the draft: %w", err)
	}
	p, err := run.play(ctx, flow, h)
	if err != nil {
		return nil, &h.rejected, fmt.Errorf("discover flow: %w", err)
	}
	d.learn(p.engine.Flush().Orders)
	if _, err := d.parse(); err != nil {
		return nil, &h.rejected, fmt.Errorf("discover flow: check the draft: %w", err)
	}
	return d.text(), &h.rejected, nil
}

// activity is a status as the log shows it.
type activity struct {
	code      int32
	status    order.Status
	events    int
	cases     int
	starts    int     // cases that begin with it
	ends      int     // cases that end with it
	places    float64 // sum over its events of the place in the case, 0 first, 1 last
	followers map[int32]int
	left      int // sum of followers
}

func (a *activity) place() float64 { return a.places / float64(a.events) }

// activities measures the history: which activities there are, where they stand and what follows them directly.
func activities(h *history) []*activity {
	all := make([]*activity, len(h.statuses))
	for code, status := range h.statuses {
		all[code] = &activity{code: int32(code), status: status, followers: map[int32]int{}}
	}
	lengths := make([]int, len(h.orders))
	for i := range h.facts {
		lengths[h.facts[i].order]++
	}
	done := make([]int, len(h.orders))
	last := make([]int32, len(h.orders))
	seen := map[[2]int32]bool{}
	for i := range h.facts {
		f := &h.facts[i]
		a, n := all[f.status], done[f.order]
		a.events++
		a.places += float64(n) / float64(max(1, lengths[f.order]-1))
		if pair := [2]int32{f.order, f.status}; !seen[pair] {
			seen[pair] = true
			a.cases++
		}
		if n == 0 {
			a.starts++
		} else if from := all[last[f.order]]; from != a {
			from.followers[f.status]++
			from.left++
		}
		if n+1 == lengths[f.order] {
			a.ends++
		}
		done[f.order], last[f.order] = n+1, f.status
	}
	return slices.DeleteFunc(all, func(a *activity) bool { return a.events == 0 })
}

// learned is what visits of a stage, or runs of the promise, lasted.
type learned struct {
	durations []time.Duration
	passed    int // visits that ended by skipping: they say nothing
}

// leastLearned is the number of durations below which no deadline is learned.
const leastLearned = 20

// deadline returns the 95th percentile, rounded up to what people would write: whole days from two days on,
// else hours, minutes or seconds; a finer unit where rounding would leave less than one in thirty late.
func (l *learned) deadline() (order.Span, bool) {
	if len(l.durations) < leastLearned {
		return order.Span{}, false
	}
	slices.Sort(l.durations)
	p95 := quantile(l.durations, 0.95)
	units := []time.Duration{time.Minute, time.Second}
	switch {
	case p95 >= 2*order.Day:
		units = []time.Duration{order.Day, time.Hour, time.Minute}
	case p95 >= 2*time.Hour:
		units = []time.Duration{time.Hour, time.Minute}
	}
	within := roundUp(p95, units[0])
	for _, unit := range units { // where many last equally long no unit helps: then the first is good enough
		if finer := roundUp(p95, unit); l.late(finer)*30 >= len(l.durations) {
			within = finer
			break
		}
	}
	kind := order.OpenTime
	if within%order.Day == 0 && within >= 2*order.Day {
		kind = order.Elapsed
	}
	return order.Span{Unit: kind, Amount: within}, true
}

func roundUp(d, unit time.Duration) time.Duration { return max(unit, (d+unit-1)/unit*unit) }

// late counts the durations longer than a deadline.
func (l *learned) late(within time.Duration) int {
	i, _ := slices.BinarySearchFunc(l.durations, within, func(d, within time.Duration) int {
		return cmp.Or(cmp.Compare(d, within), -1)
	})
	return len(l.durations) - i
}

// learn takes the durations from what the engine says of the history.
func (d *draft) learn(orders []sla.Order) {
	d.done = true
	stages := map[string]*learned{}
	for _, s := range d.stages {
		stages[s.name] = &s.learned
	}
	for i := range orders {
		for j := range orders[i].Visits {
			v := &orders[i].Visits[j]
			switch l := stages[v.Stage]; {
			case v.Open():
			case v.Verdict == sla.VerdictSkipped:
				l.passed++
			default:
				l.durations = append(l.durations, v.Left.Sub(v.Entered))
			}
		}
		for j := range orders[i].Promises {
			if p := &orders[i].Promises[j]; !p.Stop.IsZero() {
				d.promise.durations = append(d.promise.durations, p.Stop.Sub(p.Start))
			}
		}
	}
}
