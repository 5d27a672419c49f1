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

// views returns orders as they stand at the engine's clock, and forgets those that have ended.
func (e *Engine) views(list []*tracked) []Order {
	views := make([]Order, 0, len(list))
	var r rooms
	for part := range slices.Chunk(list, 256) { // of a whole flush too many would have to be awake
		for _, o := range part {
			e.wake(o)
			r.count(o.folded)
		}
		r.make()
		for _, o := range part {
			e.wake(o)
			e.tellStuck(o)
			e.tellHandoffs(o)
			views = append(views, e.view(o, &r))
			if o.folded.state != StateOpen {
				e.drop(o)
				e.vacate(o)
			}
		}
		e.rest()
	}
	return views
}

// rooms is where the parts of many orders are laid: few allocations instead of several an order.
type rooms struct {
	keys     room[order.Key]
	attrs    room[order.Attr]
	statuses room[order.Status]
	visits   room[Visit]
	promises room[Promise]
}

func (r *rooms) count(f *folded) {
	r.keys.needed += len(f.keys)
	r.attrs.needed += len(f.attrs)
	r.statuses.needed += len(f.statuses)
	r.visits.needed += len(f.visits)
	r.promises.needed += len(f.promises)
}

func (r *rooms) make() {
	r.keys.make()
	r.attrs.make()
	r.statuses.make()
	r.visits.make()
	r.promises.make()
}

type room[T any] struct {
	needed int
	free   []T
}

func (r *room[T]) make() { r.free, r.needed = make([]T, r.needed), 0 }

// take returns room for n.
func (r *room[T]) take(n int) []T {
	taken := r.free[:n:n]
	r.free = r.free[n:]
	return taken
}

// copy returns a copy, nil of nothing.
func (r *room[T]) copy(list []T) []T {
	if len(list) == 0 {
		return nil
	}
	taken := r.take(len(list))
	copy(taken, list)
	return taken
}

func (e *Engine) view(o *tracked, r *rooms) Order {
	f := o.folded
	view := Order{
		ID: o.id, State: f.state, Created: f.created.time(), Updated: f.updated.time(), Ended: f.ended.time(),
		Keys: r.keys.copy(f.keys), Attrs: r.attrs.copy(f.attrs), Statuses: r.statuses.copy(f.statuses),
		Counts: f.counts, FlowHash: e.plan.flow.Hash, Absorbed: slices.Clone(o.absorbed), Refused: f.contradicting(),
		Visits: r.visits.take(len(f.visits)), Promises: r.promises.take(len(f.promises)),
	}
	if len(view.Absorbed) > 1 {
		slices.Sort(view.Absorbed)
		view.Absorbed = slices.Compact(view.Absorbed)
	}
	for i := range f.visits {
		e.visitView(o, &f.visits[i], &view.Visits[i])
	}
	for i := range f.promises {
		view.Promises[i] = e.promiseView(&f.promises[i])
	}
	return view
}

// visitView fills in a visit as it stands now; it is all zero before.
func (e *Engine) visitView(o *tracked, v *visit, view *Visit) {
	view.Stage, view.N = e.plan.flow.Stages[v.stage].Name, int(v.n)
	view.Entered, view.Left, view.Deadline = v.entered.time(), v.left.time(), v.deadline.time()
	view.Verdict, view.Rework, view.Inferred = v.verdict.verdict(), v.rework, v.inferred
	if said := o.issuedOf(v); said != nil {
		view.StuckAt, view.Cause, view.Evidence, view.Approximate = said.at, said.cause, said.evidence, said.approximate
	} else if v.verdict == visitUnknown {
		view.Evidence = e.unknownEvidence(o, v)
	}
}

// report hands out the visits that closed and the promises that became final, each once.
func (e *Engine) report(o *tracked) {
	channel, _ := o.folded.attr(AttrChannel)
	partner, _ := o.folded.attr(AttrPartner)
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		if v.open() || v.told {
			continue
		}
		v.told = true
		e.stages[v.stage].closed++
		e.change.Closed = append(e.change.Closed, ClosedVisit{Order: o.id, Channel: channel})
		e.visitView(o, v, &e.change.Closed[len(e.change.Closed)-1].Visit)
		e.leftStage(v)
	}
	for i := range o.folded.promises {
		p := &o.folded.promises[i]
		if p.running() || p.told {
			continue
		}
		p.told = true
		e.change.Settled = append(e.change.Settled, SettledPromise{Order: o.id, Channel: channel, Partner: partner, Promise: e.promiseView(p)})
	}
}

// leftStage remembers who left when, to tell a stage that is served from one that stands still.
func (e *Engine) leftStage(v *visit) {
	if v.verdict != visitSkipped {
		e.departed = append(e.departed, departure{v.stage, v.entered, v.left})
	}
}

// reportAll marks what ended before a restart as handed out.
func (e *Engine) reportAll(o *tracked) {
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; !v.open() {
			v.told = true
			e.leftStage(v)
		}
	}
	for i := range o.folded.promises {
		if p := &o.folded.promises[i]; !p.running() {
			p.told = true
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
