package sla

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// fact is one record placed on the corrected timeline: what folding needs of it. What many facts say
// alike they share; the record itself is not held, nor the batch it came in.
type fact struct {
	at       nanos // corrected
	time     nanos // as it was sent
	stamped  time.Duration
	seq      uint64
	origin   *origin
	status   *status
	note     *note // nil where it says nothing but its status
	kind     order.Kind
	inferred bool
}

// note is what a fact says besides its status. It is immutable.
type note struct {
	id      string // event id
	keys    []order.Key
	refused []order.Key
	attrs   []order.Attr
	message *order.Message // of a message
}

// fact returns a record as a fact that comes after others of its order. It is not placed yet.
func (t *tables) fact(r *Record, before []fact) fact {
	e := &r.Event
	x := fact{
		time: nanosOf(e.Time), stamped: r.Offset, seq: e.Seq, kind: e.Kind, inferred: e.Inferred,
		origin: t.origin(e.Source, e.Epoch), status: t.status(order.Status{System: e.System, Name: e.Status}),
	}
	if n := len(before); n > 0 && before[n-1].note.says(r) {
		x.note = before[n-1].note
	} else {
		x.note = newNote(r)
	}
	return x
}

func newNote(r *Record) *note {
	e := &r.Event
	if e.ID == "" && len(e.Keys) == 0 && len(e.Attrs) == 0 && len(r.Link.Refused) == 0 && e.Kind != order.KindMessage {
		return nil
	}
	n := &note{id: e.ID, keys: e.Keys, refused: r.Link.Refused, attrs: e.Attrs}
	if e.Kind == order.KindMessage {
		message := e.Message
		n.message = &message
	}
	return n
}

// says reports whether the note is what a record says.
func (n *note) says(r *Record) bool {
	e := &r.Event
	return n != nil && n.message == nil && e.Kind != order.KindMessage && n.id == e.ID &&
		slices.Equal(n.keys, e.Keys) && slices.Equal(n.attrs, e.Attrs) && slices.Equal(n.refused, r.Link.Refused)
}

func (x *fact) id() string {
	if x.note == nil {
		return ""
	}
	return x.note.id
}

func (x *fact) position() order.Position {
	return order.Position{Source: x.origin.Source, Epoch: x.origin.Epoch, Seq: x.seq}
}

// compare is the total order of an order's events: corrected time, source, epoch, sequence, and
// the event id for senders without sequence. Facts that compare equal are one fact.
func (x *fact) compare(y *fact) int {
	if x.at != y.at {
		return cmp.Compare(x.at, y.at)
	}
	return cmp.Or(
		strings.Compare(x.origin.Source, y.origin.Source),
		cmp.Compare(x.origin.Epoch, y.origin.Epoch),
		cmp.Compare(x.seq, y.seq),
		strings.Compare(x.id(), y.id()),
	)
}

func compareFacts(x, y fact) int { return x.compare(&y) }

// sortFacts sorts facts and leaves each out that is there twice.
func sortFacts(facts []fact) []fact {
	slices.SortFunc(facts, compareFacts)
	return slices.CompactFunc(facts, func(x, y fact) bool { return x.compare(&y) == 0 })
}
