package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// BacktestOptions say which flows to compare on which history. The other fields are as in Options.
type BacktestOptions struct {
	Flow     *order.Flow
	Against  *order.Flow
	Mapping  *Mapping
	Files    []string
	Until    time.Time
	Progress func(Progress)
}

// Backtest is what two flows would have opened on the same history: the object that `backtest --json` prints,
// with Rejected left out.
type Backtest struct {
	AsOf       string      `json:"as_of"`
	Events     EventCounts `json:"events"`
	Flow       FlowResult  `json:"flow"`
	Against    FlowResult  `json:"against"`
	Difference Difference  `json:"difference"`

	Rejected Rejections `json:"-"`
}

// FlowResult is what one flow would have opened.
type FlowResult struct {
	Flow    string `json:"flow"`
	Hash    string `json:"hash"`
	Pages   int    `json:"pages"` // incidents by severity
	Tickets int    `json:"tickets"`
	Stuck   int    `json:"stuck_orders"` // orders that were stuck at some time
	// Broken is the number of orders that broke a promise of this flow, Announced how many of them were stuck
	// before that, and Warning the median of how long before.
	Broken    int        `json:"broken_orders"`
	Announced int        `json:"announced_orders"`
	Warning   float64    `json:"median_warning_seconds"`
	Incidents []Incident `json:"incidents"` // by time of opening
}

// Difference sets the incidents of the two flows side by side: those of the same group that are open at the same
// time belong together, the others only one flow would have opened.
type Difference struct {
	OnlyFlow    []Incident `json:"only_flow"`
	OnlyAgainst []Incident `json:"only_against"`
	Both        []Pair     `json:"both"`
}

// Pair is an incident that both flows would have opened.
type Pair struct {
	Flow    Incident `json:"flow"`
	Against Incident `json:"against"`         // the first that overlaps
	Earlier float64  `json:"earlier_seconds"` // how much earlier the other flow opens it; negative: later
}

// RunBacktest replays the files once through each flow and compares what they would have opened. Errors are as
// for Run.
func RunBacktest(ctx context.Context, o BacktestOptions) (*Backtest, error) {
	if len(o.Files) == 0 {
		return nil, errors.New("backtest: no files given")
	}
	run := Options{Flow: o.Flow, against: o.Against, Mapping: o.Mapping, Files: o.Files, Until: o.Until, Progress: o.Progress}
	if err := errors.Join(o.Mapping.check(o.Flow), o.Mapping.check(o.Against)); err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	h, err := run.history(ctx)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	_, until := h.until(o.Until)
	b := &Backtest{AsOf: stamp(until), Events: h.counts, Rejected: h.rejected}
	for _, side := range []struct {
		flow   *order.Flow
		result *FlowResult
	}{{o.Flow, &b.Flow}, {o.Against, &b.Against}} {
		p, err := run.play(ctx, side.flow, h)
		if err != nil {
			return nil, fmt.Errorf("backtest: %w", err)
		}
		*side.result = resultOf(side.flow, p.engine.Flush().Orders, until)
	}
	b.Difference = compare(b.Flow.Incidents, b.Against.Incidents)
	return b, nil
}

func resultOf(flow *order.Flow, orders []sla.Order, until time.Time) FlowResult {
	r := FlowResult{Flow: flow.Name, Hash: flow.Hash, Incidents: incidents(flow, orders, until)}
	for i := range r.Incidents {
		if r.Incidents[i].Severity == SeverityPage {
			r.Pages++
		} else {
			r.Tickets++
		}
	}
	var warnings []time.Duration
	for i := range orders {
		o := &orders[i]
		broken, stuck := breach(o), firstStuck(o)
		if !stuck.IsZero() {
			r.Stuck++
		}
		if broken.IsZero() {
			continue
		}
		r.Broken++
		if !stuck.IsZero() && !stuck.After(broken) {
			warnings = append(warnings, broken.Sub(stuck))
		}
	}
	if r.Announced = len(warnings); r.Announced > 0 {
		slices.Sort(warnings)
		r.Warning = quantile(warnings, 0.5).Seconds()
	}
	return r
}

// firstStuck returns the first deadline at which the order was stuck, zero if it never was.
func firstStuck(o *sla.Order) (first time.Time) {
	for i := range o.Visits {
		v := &o.Visits[i]
		if !v.StuckAt.IsZero() && (first.IsZero() || v.Deadline.Before(first)) {
			first = v.Deadline
		}
	}
	return first
}

func compare(flow, against []Incident) Difference {
	d := Difference{OnlyFlow: []Incident{}, OnlyAgainst: []Incident{}, Both: []Pair{}}
	byGroup := map[group][]int{}
	for i := range against {
		g := against[i].group()
		byGroup[g] = append(byGroup[g], i)
	}
	met := make([]bool, len(against))
	for i := range flow {
		first := -1
		for _, j := range byGroup[flow[i].group()] {
			if flow[i].overlaps(&against[j]) {
				met[j] = true
				if first < 0 {
					first = j
				}
			}
		}
		if first < 0 {
			d.OnlyFlow = append(d.OnlyFlow, flow[i])
			continue
		}
		d.Both = append(d.Both, Pair{flow[i], against[first], flow[i].opened.Sub(against[first].opened).Seconds()})
	}
	for j := range against {
		if !met[j] {
			d.OnlyAgainst = append(d.OnlyAgainst, against[j])
		}
	}
	return d
}

func (i *Incident) group() group { return group{i.Stage, i.Cause, i.Channel, i.Partner} }

func (i *Incident) overlaps(j *Incident) bool {
	before := func(a, b *Incident) bool { return !a.closed.IsZero() && a.closed.Before(b.opened) }
	return !before(i, j) && !before(j, i)
}
