package sla

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alexandrite/orderwatch/order"
)

// Attributes that orderwatch itself reads, where an order has them.
const (
	AttrChannel = "channel"
	AttrPartner = "partner"
)

func (id OrderID) String() string { return strconv.FormatInt(int64(id), 10) }

func (f *folded) find(stage string, n int) *visit {
	for i := range f.visits {
		if v := &f.visits[i]; v.N == n && v.Stage == stage {
			return v
		}
	}
	return nil
}

// view returns the order as it stands at the engine's clock.
func (e *Engine) view(o *tracked) Order {
	f := o.folded
	view := Order{
		ID: o.id, State: f.state, Created: f.created, Updated: f.updated, Ended: f.ended,
		Keys: slices.Clone(f.keys), Attrs: slices.Clone(f.attrs), Statuses: slices.Clone(f.statuses),
		Counts: f.counts, FlowHash: e.plan.flow.Hash, Absorbed: slices.Clone(o.absorbed), Refused: f.contradicting(),
		Visits: make([]Visit, len(f.visits)), Promises: make([]Promise, len(f.promises)),
	}
	rank := func(name string) int { return slices.Index(e.plan.flow.Keys, name) }
	slices.SortFunc(view.Keys, func(a, b order.Key) int {
		if d := rank(a.Name) - rank(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Value, b.Value)
	})
	slices.SortFunc(view.Attrs, func(a, b order.Attr) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(view.Statuses, func(a, b order.Status) int { return strings.Compare(a.System, b.System) })
	slices.Sort(view.Absorbed)
	view.Absorbed = slices.Compact(view.Absorbed)
	for i := range f.visits {
		view.Visits[i] = f.visits[i].Visit
	}
	for i := range f.promises {
		view.Promises[i] = f.promises[i].view(e.now)
	}
	return view
}

// report hands out the visits that closed and the promises that became final, each once.
func (e *Engine) report(o *tracked) {
	channel, _ := o.folded.attr(AttrChannel)
	partner, _ := o.folded.attr(AttrPartner)
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		name := visitName{v.Stage, v.N}
		if v.Open() || slices.Contains(o.reported, name) {
			continue
		}
		o.reported = append(o.reported, name)
		e.stages[v.stage].closed++
		e.change.Closed = append(e.change.Closed, ClosedVisit{Order: o.id, Channel: channel, Visit: v.Visit})
		e.leftStage(v)
	}
	for i := range o.folded.promises {
		p := &o.folded.promises[i]
		if p.running() || slices.Contains(o.settled, p.Name) {
			continue
		}
		o.settled = append(o.settled, p.Name)
		e.change.Settled = append(e.change.Settled, SettledPromise{Order: o.id, Channel: channel, Partner: partner, Promise: p.Promise})
	}
}

// leftStage remembers who left when, to tell a stage that is served from one that stands still.
func (e *Engine) leftStage(v *visit) {
	st := &e.stages[v.stage]
	if v.Verdict == VerdictSkipped {
		return
	}
	st.recent.add(v.Entered, v.Left)
	if v.Left.After(st.lastLeft) {
		st.lastLeft = v.Left
	}
}

// reportAll marks what ended before a restart as handed out.
func (e *Engine) reportAll(o *tracked) {
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; !v.Open() {
			o.reported = append(o.reported, visitName{v.Stage, v.N})
			e.leftStage(v)
		}
	}
	for i := range o.folded.promises {
		if p := &o.folded.promises[i]; !p.running() {
			o.settled = append(o.settled, p.Name)
		}
	}
}

func attrOf(r *Record, name string) string {
	value, _ := r.Event.Attr(name)
	return value
}

func keysText(keys []order.Key) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = k.Name + ":" + k.Value
	}
	return strings.Join(texts, " ")
}
