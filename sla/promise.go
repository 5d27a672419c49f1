package sla

import (
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// promise is what folding and reporting need to know of a Promise.
type promise struct {
	start     nanos
	due       nanos // in force, pauses ended so far included; never: not known
	stop      nanos // never: running
	pausedAt  nanos
	scheduled nanos // the due for which the engine made an appointment
	index     int32
	pauses    int32      // open visits that pause it
	unit      order.Unit // of the time promised
	bound     bool       // the due has passed: it no longer moves
	late      bool       // stopped after its due
	cancelled bool       // stopped by a cancellation before it
	told      bool       // that it is final
}

func (f *folded) promise(index int) *promise {
	for i := range f.promises {
		if int(f.promises[i].index) == index {
			return &f.promises[i]
		}
	}
	return nil
}

// moveDues lets an event that carries attributes move the dues that have not passed.
func (f *folded) moveDues(at nanos) {
	for i := range f.promises {
		f.promises[i].bind(at)
		f.readDue(&f.promises[i])
	}
}

// runPromises starts and stops the promises that a status is about.
func (f *folded) runPromises(st *step, at nanos) {
	for _, i := range st.starts {
		if f.promise(i) == nil {
			f.start(i, at)
		}
	}
	for _, i := range st.stops {
		if p := f.promise(i); p != nil && p.running() {
			f.stop(p, at)
		}
	}
}

func (f *folded) start(i int, at nanos) {
	def := &f.plan.flow.Promises[i]
	p := promise{index: int32(i), start: at, due: never, stop: never, pausedAt: never, scheduled: never}
	if def.Due == "" {
		within := def.WithinFor(f.attr)
		p.unit = within.Unit
		p.due = nanosOf(def.Calendar.Add(at.time(), within))
	}
	for j := range f.visits {
		for _, paused := range f.plan.pauses[f.visits[j].stage] {
			if paused == i && f.visits[j].open() {
				p.pauses++
				p.pausedAt = at
			}
		}
	}
	f.readDue(&p)
	place, _ := slices.BinarySearchFunc(f.promises, i, func(q promise, i int) int { return int(q.index) - i })
	f.promises = slices.Insert(f.promises, place, p)
}

// readDue takes the promised instant from the order's attribute, unless an earlier one has passed.
func (f *folded) readDue(p *promise) {
	def := &f.plan.flow.Promises[p.index]
	if def.Due == "" || p.bound || !p.running() {
		return
	}
	text, ok := f.attr(def.Due)
	if !ok {
		return
	}
	due, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return
	}
	if def.EndOfDay {
		y, m, d := due.In(f.plan.flow.Timezone).Date()
		due = time.Date(y, m, d+1, 0, 0, 0, 0, f.plan.flow.Timezone).Add(-time.Nanosecond)
	}
	p.due = nanosOf(due)
}

// bind fixes the due once it has passed: what comes later does not move it.
func (p *promise) bind(at nanos) {
	if p.running() && p.pauses == 0 && p.due != never && at > p.due {
		p.bound = true
	}
}

func (p *promise) running() bool { return p.stop == never }

func (f *folded) stop(p *promise, at nanos) {
	if p.pauses > 0 {
		p.pauses = 0
		f.extend(p, at)
	}
	p.stop = at
	p.late = p.due != never && at > p.due
}

func (f *folded) endPromises(state State, at nanos) {
	for i := range f.promises {
		p := &f.promises[i]
		if !p.running() {
			continue
		}
		f.stop(p, at)
		p.cancelled = state == StateCancelled && !p.late
	}
}

// pause and resume follow the visits in which a promise's time does not count. Time paused after
// the due has passed changes nothing.
func (f *folded) pause(stage int, at nanos) {
	for _, i := range f.plan.pauses[stage] {
		if p := f.promise(i); p != nil && p.running() {
			p.bind(at)
			if p.pauses++; p.pauses == 1 {
				p.pausedAt = at
			}
		}
	}
}

func (f *folded) resume(stage int, at nanos) {
	for _, i := range f.plan.pauses[stage] {
		p := f.promise(i)
		if p == nil || p.pauses == 0 || !p.running() {
			continue
		}
		if p.pauses--; p.pauses == 0 {
			f.extend(p, at)
		}
	}
}

// extend moves a due that has not passed by what of the pause that ends the promise's calendar counts.
func (f *folded) extend(p *promise, at nanos) {
	switch calendar := f.plan.flow.Promises[p.index].Calendar; {
	case p.bound || p.due == never:
	case p.unit == order.Elapsed:
		p.due = nanosOf(p.due.time().Add(at.sub(p.pausedAt)))
	default:
		open := calendar.Between(p.pausedAt.time(), at.time())
		p.due = nanosOf(calendar.Add(p.due.time(), order.Span{Unit: order.OpenTime, Amount: open}))
	}
}

// promiseView returns a promise as it stands at the engine's clock.
func (e *Engine) promiseView(p *promise) Promise {
	view := Promise{Name: e.plan.flow.Promises[p.index].Name, Start: p.start.time(), Due: p.due.time(), Stop: p.stop.time(), Verdict: PromiseOnTrack}
	switch {
	case p.running() && p.pauses > 0 && !p.bound:
		view.Paused, view.Due = true, time.Time{}
	case p.running() && p.due != never && e.now.After(view.Due):
		view.Verdict = PromiseBreached
	case p.running():
	case p.late:
		view.Verdict = PromiseLate
	case p.cancelled:
		view.Verdict = PromiseCancelled
	default:
		view.Verdict = PromiseKept
	}
	return view
}
