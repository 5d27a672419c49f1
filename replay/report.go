package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// Report is what a replay found: the object that `replay --json` prints, with Rejected left out.
// Times are RFC 3339 in UTC, "" where there is none.
type Report struct {
	AsOf        string          `json:"as_of"` // the world was frozen here; events at this instant are in
	Orders      OrderCounts     `json:"orders"`
	Events      EventCounts     `json:"events"`
	Promises    []PromiseCounts `json:"promises"` // in the flow's order
	Stages      []StageCounts   `json:"stages"`   // in the flow's order
	Stuck       []StuckVisit    `json:"stuck"`    // the longest overdue first
	Transitions []Transition    `json:"transitions"`

	Rejected  Rejections `json:"-"`
	Durations Durations  `json:"-"`
}

// Durations are quantiles of the orders' elapsed times from their first to their last event, in seconds.
type Durations struct{ P50, P95 float64 }

// OrderCounts counts the orders that had an event by AsOf.
type OrderCounts struct {
	Total     int `json:"total"`
	Open      int `json:"open"`
	Finished  int `json:"finished"`
	Cancelled int `json:"cancelled"`
}

// EventCounts counts what the files hold, also after AsOf. Read = Accepted + Duplicate + Rejected; a
// row that cannot be used at all counts as one event.
type EventCounts struct {
	Read       int `json:"read"`
	Accepted   int `json:"accepted"`
	Duplicate  int `json:"duplicate"`    // same order, status and time as one read before
	Rejected   int `json:"rejected"`     //
	OutOfOrder int `json:"out_of_order"` // in reading order: earlier than its order's latest before it
}

// PromiseCounts counts the orders a promise was given to, each under its one verdict.
type PromiseCounts struct {
	Name      string `json:"name"`
	Kept      int    `json:"kept"`
	Late      int    `json:"late"`
	Breached  int    `json:"breached"`
	OnTrack   int    `json:"on_track"`
	AtRisk    int    `json:"at_risk"`
	Cancelled int    `json:"cancelled"`
}

// StageCounts counts the visits of a stage. Met to Open are exclusive and sum to Visits.
type StageCounts struct {
	Name      string  `json:"name"`
	Visits    int     `json:"visits"`
	Met       int     `json:"met"`
	Late      int     `json:"late"`
	Stuck     int     `json:"stuck"`
	Unknown   int     `json:"unknown"`
	AtRisk    int     `json:"at_risk"`
	Skipped   int     `json:"skipped"`
	Open      int     `json:"open"`
	Rework    int     `json:"rework"`
	EverStuck int     `json:"ever_stuck"`  // stuck at some time, also if left since
	P50       float64 `json:"p50_seconds"` // of closed visits, elapsed time; 0 where none is closed
	P95       float64 `json:"p95_seconds"`
}

// StuckVisit is a visit that is stuck as of AsOf.
type StuckVisit struct {
	Order string `json:"order"`
	Stage string `json:"stage"`
	Cause string `json:"cause"`
	Since string `json:"since"` // it entered the stage
	Due   string `json:"due"`   // it should have left
}

// Transition counts how often one status directly followed another in one order.
type Transition struct {
	From     string `json:"from"` // system/STATUS
	To       string `json:"to"`
	Count    int    `json:"count"`
	Expected bool   `json:"expected"` // the flow foresees it
}

// WriteJSON writes the report as `replay --json` prints it.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // statuses are not HTML, and people search for them
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// tally reports what the engine says of the orders. key is the name by which orders are listed.
func tally(flow *order.Flow, key string, orders []sla.Order) *Report {
	r := &Report{
		Promises: make([]PromiseCounts, len(flow.Promises)), Stages: make([]StageCounts, len(flow.Stages)),
		Stuck: []StuckVisit{}, Transitions: []Transition{},
	}
	promises, stages := map[string]*PromiseCounts{}, map[string]*StageCounts{}
	for i := range flow.Promises {
		r.Promises[i].Name = flow.Promises[i].Name
		promises[r.Promises[i].Name] = &r.Promises[i]
	}
	for i := range flow.Stages {
		r.Stages[i].Name = flow.Stages[i].Name
		stages[r.Stages[i].Name] = &r.Stages[i]
	}
	closed := map[string][]time.Duration{}
	for i := range orders {
		o := &orders[i]
		r.Orders.add(o.State)
		for j := range o.Promises {
			promises[o.Promises[j].Name].add(o.Promises[j].Verdict)
		}
		for j := range o.Visits {
			v := &o.Visits[j]
			stages[v.Stage].add(v)
			if !v.Open() {
				closed[v.Stage] = append(closed[v.Stage], v.Left.Sub(v.Entered))
			}
			if v.Verdict == sla.VerdictStuck {
				r.Stuck = append(r.Stuck, StuckVisit{name(o, key), v.Stage, string(v.Cause), stamp(v.Entered), stamp(v.Deadline)})
			}
		}
	}
	for stage, durations := range closed {
		slices.Sort(durations)
		stages[stage].P50 = quantile(durations, 0.50).Seconds()
		stages[stage].P95 = quantile(durations, 0.95).Seconds()
	}
	slices.SortFunc(r.Stuck, func(a, b StuckVisit) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Stage, b.Stage))
	})
	return r
}

func (c *OrderCounts) add(state sla.State) {
	c.Total++
	switch state {
	case sla.StateOpen:
		c.Open++
	case sla.StateFinished:
		c.Finished++
	case sla.StateCancelled:
		c.Cancelled++
	}
}

func (c *PromiseCounts) add(verdict sla.PromiseVerdict) {
	switch verdict {
	case sla.PromiseKept:
		c.Kept++
	case sla.PromiseLate:
		c.Late++
	case sla.PromiseBreached:
		c.Breached++
	case sla.PromiseOnTrack:
		c.OnTrack++
	case sla.PromiseAtRisk:
		c.AtRisk++
	case sla.PromiseCancelled:
		c.Cancelled++
	}
}

func (c *StageCounts) add(v *sla.Visit) {
	c.Visits++
	if v.Rework {
		c.Rework++
	}
	if !v.StuckAt.IsZero() {
		c.EverStuck++
	}
	switch v.Verdict {
	case sla.VerdictMet:
		c.Met++
	case sla.VerdictLate:
		c.Late++
	case sla.VerdictStuck:
		c.Stuck++
	case sla.VerdictUnknown:
		c.Unknown++
	case sla.VerdictAtRisk:
		c.AtRisk++
	case sla.VerdictSkipped:
		c.Skipped++
	case sla.VerdictOpen:
		c.Open++
	}
}

// quantile returns the q-quantile, 0 ≤ q ≤ 1, of sorted values by linear interpolation between closest ranks
// (definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996: what most tools print).
func quantile(sorted []time.Duration, q float64) time.Duration {
	place := q * float64(len(sorted)-1)
	below := int(place)
	if below+1 == len(sorted) {
		return sorted[below]
	}
	part := place - float64(below)
	between := part * float64(sorted[below+1]-sorted[below])
	return (sorted[below] + time.Duration(between)).Round(time.Microsecond) // q is no exact number
}

// name is the order's value of the key.
func name(o *sla.Order, key string) string {
	for _, k := range o.Keys {
		if k.Name == key {
			return k.Value
		}
	}
	return ""
}
