package sla

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// fact is one record placed on the corrected timeline: what folding needs of it. The record itself
// is not held, nor the batch it came in, however long its order stays open.
type fact struct {
	at       time.Time // corrected, UTC
	time     time.Time // as it was sent
	stamped  time.Duration
	position order.Position
	id       string
	kind     order.Kind
	inferred bool
	status   order.Status
	keys     []order.Key
	refused  []order.Key
	attrs    []order.Attr
	message  *order.Message // of a message
}

func newFact(r *Record) *fact {
	e := &r.Event
	x := &fact{
		time: e.Time, stamped: r.Offset, position: e.Position, id: e.ID, kind: e.Kind, inferred: e.Inferred,
		status: order.Status{System: e.System, Name: e.Status}, keys: e.Keys, refused: r.Link.Refused, attrs: e.Attrs,
	}
	if e.Kind == order.KindMessage {
		message := e.Message
		x.message = &message
	}
	return x
}

// compare is the total order of an order's events: corrected time, source, epoch, sequence, and
// the event id for senders without sequence. Facts that compare equal are one fact.
func (x *fact) compare(y *fact) int {
	return cmp.Or(
		x.at.Compare(y.at),
		strings.Compare(x.position.Source, y.position.Source),
		cmp.Compare(x.position.Epoch, y.position.Epoch),
		cmp.Compare(x.position.Seq, y.position.Seq),
		strings.Compare(x.id, y.id),
	)
}

// sortFacts sorts facts and leaves each out that is there twice.
func sortFacts(facts []*fact) []*fact {
	slices.SortFunc(facts, (*fact).compare)
	return slices.CompactFunc(facts, func(x, y *fact) bool { return x.compare(y) == 0 })
}
