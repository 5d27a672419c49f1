package sla

import (
	"cmp"
	"strings"
	"time"
)

// fact is one record placed on the corrected timeline.
type fact struct {
	at  time.Time // corrected, UTC
	rec *Record
}

// compare is the total order of an order's events: corrected time, source, epoch, sequence, and
// the event id for senders without sequence. Facts that compare equal are one fact.
func (f *fact) compare(g *fact) int {
	if c := f.at.Compare(g.at); c != 0 {
		return c
	}
	return f.rec.comparePosition(g.rec)
}

func (r *Record) comparePosition(s *Record) int {
	a, b := &r.Event, &s.Event
	return cmp.Or(
		strings.Compare(a.Source, b.Source),
		cmp.Compare(a.Epoch, b.Epoch),
		cmp.Compare(a.Seq, b.Seq),
		strings.Compare(a.ID, b.ID),
	)
}
