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

// tellHandoffs hands out an order's hand-offs where the flow has any that a tap can watch.
func (e *Engine) tellHandoffs(o *tracked) {
	if !e.plan.tapped {
		return
	}
	told := OrderHandoffs{Order: o.id}
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		if stage := &e.plan.flow.Stages[v.stage]; stage.Kind == order.Handoff && stage.Via.Exchange != "" {
			told.Handoffs = append(told.Handoffs, o.folded.handoff(o.id, v, &stage.Via))
		}
	}
	e.change.Handoffs = append(e.change.Handoffs, told)
}

func (f *folded) handoff(id OrderID, v *visit, via *order.Via) Handoff {
	h := Handoff{Order: id, Stage: v.Stage, N: v.N, Entered: v.Entered, Deadline: v.Deadline, Left: v.Left,
		Ended: v.Verdict == VerdictSkipped, Stuck: v.Verdict == VerdictStuck}
	first := f.published(v, via, func(x *fact) { h.Copies++ })
	if first == nil {
		return h
	}
	h.Published = first.at
	if dead := f.deadLettered(first, via); dead != nil {
		h.Dead = dead.at
	}
	return h
}

// published returns the first message of a hand-off's visit, and calls each with all of them. Those that
// follow the next visit's enter are that one's.
func (f *folded) published(v *visit, via *order.Via, each func(*fact)) (first *fact) {
	from, to := v.Entered.Add(-tapSkew), time.Time{}
	for i := range f.visits {
		if next := &f.visits[i]; next.stage == v.stage && next.N == v.N+1 {
			to = next.Entered.Add(-tapSkew)
		}
	}
	for _, x := range f.messages {
		if x.at.Before(from) || !to.IsZero() && !x.at.Before(to) || !onWay(x, via) {
			continue
		}
		each(x)
		if first == nil {
			first = x
		}
	}
	return first
}

func onWay(x *fact, via *order.Via) bool {
	return x.message.Destination == via.Exchange && matchesAny(via.RoutingKeys, x.message.RoutingKey)
}

// deadLettered returns the message with which the broker moved this one to the dead letters, or nil. It
// keeps the message's id, and its routing key unless the queue gives another.
func (f *folded) deadLettered(published *fact, via *order.Via) *fact {
	if via.DeadLetter == "" {
		return nil
	}
	for _, x := range f.messages {
		same := x.message.ID != "" && x.message.ID == published.message.ID
		if x.message.Destination == via.DeadLetter && !x.at.Before(published.at) && (same || matchesAny(via.RoutingKeys, x.message.RoutingKey)) {
			return x
		}
	}
	return nil
}
