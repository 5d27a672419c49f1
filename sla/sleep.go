package sla

import (
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// mostAwake bounds how many orders are awake. An order that is awake takes some kilobytes, one that
// sleeps hardly more than its texts; waking one takes about as long as folding a few facts.
const mostAwake = 1 << 16

// mostRooms bounds how many rooms stand empty.
const mostRooms = 1 << 10

// largestRoom bounds what is kept of an order that had uncommonly many facts.
const largestRoom = 64

// hold takes in an order that is awake.
func (e *Engine) hold(o *tracked) {
	o.used = true
	e.awake = append(e.awake, o)
}

// held returns an order, awake, or nil.
func (e *Engine) held(id OrderID) *tracked {
	o := e.orders[id]
	if o != nil {
		e.wake(o)
	}
	return o
}

// wake unfolds an order that sleeps.
func (e *Engine) wake(o *tracked) {
	if o.awake != nil {
		o.used = true
		return
	}
	o.awake = e.room()
	if o.memo != nil {
		o.awake.memo, o.memo = *o.memo, nil
	}
	verdicts := e.unpack(o)
	e.fold(o, o.facts)
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		v.told = !v.open() || slices.Contains(o.reported, o.folded.name(v))
		if !v.open() {
			continue
		}
		v.scheduled = true
		v.verdict, verdicts = verdicts[0], verdicts[1:]
	}
	for i := range o.folded.promises {
		p := &o.folded.promises[i]
		p.told = !p.running() || slices.Contains(o.settled, e.plan.flow.Promises[p.index].Name)
		if p.pauses == 0 {
			p.scheduled = p.due
		}
	}
	o.counted, o.channel = o.shares(o.counted), e.channel(o)
	e.hold(o)
}

// rest sends orders to sleep that were not used for the longest time, until few enough are awake.
func (e *Engine) rest() {
	for tries := len(e.awake); len(e.awake) > e.mostAwake && tries > 0; tries-- {
		o := e.awake[0]
		e.awake = e.awake[1:]
		switch {
		case o.dropped:
		case o.used || o.touched || o.stale || o.broken:
			o.used = false
			e.awake = append(e.awake, o)
		default:
			e.sleep(o)
		}
	}
}

// sleep packs an order that is settled: everything that follows from its facts is forgotten.
func (e *Engine) sleep(o *tracked) {
	o.packed = e.pack(o)
	o.recallReopened()
	if a := o.awake; !a.memo.empty() {
		o.memo = &memo{a.issued, a.absorbed, a.reported, a.settled}
	}
	e.vacate(o)
}

// room returns an awake order without facts.
func (e *Engine) room() *awake {
	if n := len(e.rooms); n > 0 {
		a := e.rooms[n-1]
		e.rooms = e.rooms[:n-1]
		return a
	}
	f := newFolded(e.plan)
	f.visits, f.promises = make([]visit, 0, 10), make([]promise, 0, 2)
	f.keys, f.attrs, f.statuses = make([]order.Key, 0, 2), make([]order.Attr, 0, 4), make([]order.Status, 0, 4)
	return &awake{folded: f, facts: make([]fact, 0, 12), counted: make([]share, 0, 2)} // as most orders need, not to grow step by step
}

// vacate takes the room of an order back.
func (e *Engine) vacate(o *tracked) {
	a := o.awake
	o.awake = nil
	if len(e.rooms) == mostRooms || cap(a.facts) > largestRoom || cap(a.folded.visits) > largestRoom {
		return
	}
	a.folded.reset()
	*a = awake{facts: a.facts[:0], folded: a.folded, counted: a.counted[:0]}
	e.rooms = append(e.rooms, a)
}
