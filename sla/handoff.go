package sla

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Handoff is one order's way through one hand-off whose exchange the flow names: what the ledger is made of.
type Handoff struct {
	Order     OrderID
	Stage     string
	N         int       // of the visit
	Entered   time.Time // the sender committed
	Deadline  time.Time // zero: none
	Published time.Time // the first message of it was seen by the tap; zero: none was
	Copies    int       // messages of it that the tap saw
	Dead      time.Time // it was seen at the dead-letter exchange; zero: it was not
	Left      time.Time // it arrived, or the order ended; zero: neither
	Ended     bool      // the order ended before it arrived
	Stuck     bool      // proven not to have arrived by its deadline
}

// OrderHandoffs is all hand-offs of one order, as they are now.
type OrderHandoffs struct {
	Order    OrderID
	Handoffs []Handoff // by entering
}

// tapSkew is how much older than the sender's commit a message may be: a tap's clock is not the sender's.
const tapSkew = time.Minute

// tellHandoffs hands out an order's hand-offs, where they differ from those told last, of the stages
// whose exchange the flow names. Most changes of an order change none.
func (e *Engine) tellHandoffs(o *tracked) {
	if !e.plan.tapped {
		return
	}
	n, sum := 0, uint64(0)
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; e.plan.taps(v.stage) {
			n++
			h := o.handoff(v)
			sum = h.print(sum)
		}
	}
	if sum == o.handed {
		return
	}
	o.handed = sum
	told := OrderHandoffs{Order: o.id, Handoffs: make([]Handoff, 0, n)}
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; e.plan.taps(v.stage) {
			told.Handoffs = append(told.Handoffs, o.handoff(v))
		}
	}
	e.change.Handoffs = append(e.change.Handoffs, told)
}

// untold is the print of hand-offs of which it is not known what was told: whatever they are, it differs.
const untold = 1

// print continues the fingerprint of a list of hand-offs. That of none is 0.
func (h *Handoff) print(seed uint64) uint64 {
	mix := func(x uint64) {
		seed = (seed ^ x) * 0x9e3779b97f4a7c15
		seed ^= seed >> 29
	}
	for _, t := range [...]time.Time{h.Entered, h.Deadline, h.Published, h.Dead, h.Left} {
		mix(uint64(nano(t)))
	}
	flags := uint64(h.Copies)<<2 | 1<<63
	if h.Ended {
		flags |= 1
	}
	if h.Stuck {
		flags |= 2
	}
	mix(flags)
	mix(uint64(h.N))
	for i := range len(h.Stage) {
		mix(uint64(h.Stage[i]))
	}
	return seed
}

// taps reports whether the stage is a hand-off that a tap can watch.
func (p *plan) taps(stage int32) bool {
	s := &p.flow.Stages[stage]
	return s.Kind == order.Handoff && s.Via.Exchange != ""
}

// handoff returns a visit of an awake order as a hand-off.
func (o *tracked) handoff(v *visit) Handoff {
	stage := &o.folded.plan.flow.Stages[v.stage]
	h := Handoff{Order: o.id, Stage: stage.Name, N: int(v.n), Entered: v.entered.time(), Deadline: v.deadline.time(), Left: v.left.time(),
		Ended: v.verdict == visitSkipped, Stuck: v.verdict == visitStuck}
	first, copies := o.published(v, &stage.Via)
	h.Copies = copies
	if first == nil {
		return h
	}
	h.Published = first.at.time()
	if dead := o.deadLettered(first, &stage.Via); dead != nil {
		h.Dead = dead.at.time()
	}
	return h
}

// published returns the first message of a hand-off's visit and how many there are. Those that follow
// the next visit's enter are that one's.
func (o *tracked) published(v *visit, via *order.Via) (first *fact, copies int) {
	from, to := v.entered-nanos(tapSkew), never
	if next := o.folded.visit(int(v.stage), int(v.n)+1); next != nil {
		to = next.entered - nanos(tapSkew)
	}
	for i := range o.facts {
		x := &o.facts[i]
		if x.kind != order.KindMessage || x.at < from || to != never && x.at >= to || !x.onWay(via) {
			continue
		}
		copies++
		if first == nil {
			first = x
		}
	}
	return first, copies
}

func (x *fact) onWay(via *order.Via) bool {
	m := x.note.message
	return m.Destination == via.Exchange && matchesAny(via.RoutingKeys, m.RoutingKey)
}

// deadLettered returns the message with which the broker moved this one to the dead letters, or nil. It
// keeps the message's id, and its routing key unless the queue gives another.
func (o *tracked) deadLettered(published *fact, via *order.Via) *fact {
	if via.DeadLetter == "" {
		return nil
	}
	id := published.note.message.ID
	for i := range o.facts {
		x := &o.facts[i]
		if x.kind != order.KindMessage || x.at < published.at || x.note.message.Destination != via.DeadLetter {
			continue
		}
		if m := x.note.message; id != "" && m.ID == id || matchesAny(via.RoutingKeys, m.RoutingKey) {
			return x
		}
	}
	return nil
}
