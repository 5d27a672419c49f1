package sla

import (
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// promise is a Promise with what folding needs to know of it.
type promise struct {
	Promise
	index     int
	unit      order.Unit // of the time promised
	due       time.Time  // in force, pauses ended so far included; zero: not known
	bound     bool       // the due has passed: it no longer moves
	pauses    int        // open visits that pause it
	pausedAt  time.Time
	scheduled time.Time // the due for which the engine made an appointment
}

func (f *folded) promise(index int) *promise {
	for i := range f.promises {
		if f.promises[i].index == index {
			return &f.promises[i]
		}
	}
	return nil
}

// moveDues lets an event that carries attributes move the dues that have not passed.
func (f *folded) moveDues(at time.Time) {
	for i := range f.promises {
		f.promises[i].bind(at)
		f.readDue(&f.promises[i])
	}
}

// runPromises starts and stops the promises that a status is about.
func (f *folded) runPromises(st *step, at time.Time) {
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

func (f *folded) start(i int, at time.Time) {
	def := &f.plan.flow.Promises[i]
	p := promise{index: i}
	p.Name, p.Start, p.Verdict = def.Name, at, PromiseOnTrack
	if def.Due == "" {
		within := def.WithinFor(f.attr)
		p.unit = within.Unit
		p.due = def.Calendar.Add(at, within).UTC()
	}
	for j := range f.visits {
		for _, paused := range f.plan.pauses[f.visits[j].stage] {
			if paused == i && f.visits[j].Open() {
				p.pauses++
				p.pausedAt = at
			}
		}
	}
	f.readDue(&p)
	place, _ := slices.BinarySearchFunc(f.promises, i, func(q promise, i int) int { return q.index - i })
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
	p.due = due.UTC()
}

// bind fixes the due once it has passed: what comes later does not move it.
func (p *promise) bind(at time.Time) {
	if p.running() && p.pauses == 0 && !p.due.IsZero() && at.After(p.due) {
		p.bound = true
	}
}

func (p *promise) running() bool { return p.Stop.IsZero() }

func (f *folded) stop(p *promise, at time.Time) {
	if p.pauses > 0 {
		p.pauses = 0
		f.extend(p, at)
	}
	p.Stop, p.Verdict = at, PromiseKept
	if !p.due.IsZero() && at.After(p.due) {
		p.Verdict = PromiseLate
	}
}

func (f *folded) endPromises(state State, at time.Time) {
	for i := range f.promises {
		p := &f.promises[i]
		if !p.running() {
			continue
		}
		f.stop(p, at)
		if state == StateCancelled && p.Verdict == PromiseKept {
			p.Verdict = PromiseCancelled
		}
	}
}

// pause and resume follow the visits in which a promise's time does not count. Time paused after
// the due has passed changes nothing.
func (f *folded) pause(stage int, at time.Time) {
	for _, i := range f.plan.pauses[stage] {
		if p := f.promise(i); p != nil && p.running() {
			p.bind(at)
			if p.pauses++; p.pauses == 1 {
				p.pausedAt = at
			}
		}
	}
}

func (f *folded) resume(stage int, at time.Time) {
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
func (f *folded) extend(p *promise, at time.Time) {
	switch calendar := f.plan.flow.Promises[p.index].Calendar; {
	case p.bound || p.due.IsZero():
	case p.unit == order.Elapsed:
		p.due = p.due.Add(at.Sub(p.pausedAt))
	default:
		open := calendar.Between(p.pausedAt, at)
		p.due = calendar.Add(p.due, order.Span{Unit: order.OpenTime, Amount: open}).UTC()
	}
}

// view returns the promise as it stands at now.
func (p *promise) view(now time.Time) Promise {
	v := p.Promise
	v.Due, v.Paused = p.due, p.running() && p.pauses > 0 && !p.bound
	if v.Paused {
		v.Due = time.Time{}
	}
	if p.running() && !v.Paused && !p.due.IsZero() && now.After(p.due) {
		v.Verdict = PromiseBreached
	}
	return v
}
