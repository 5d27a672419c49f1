package sla

import (
	"cmp"
	"slices"
	"time"
)

// StuckVisit says that an open visit is stuck, or that one no longer is. After a restart the engine
// tells again what is stuck: whoever folds these must take a repetition for nothing new.
type StuckVisit struct {
	Order       OrderID
	Stage       string
	N           int
	Stuck       bool      // false: the order left, or the verdict was taken back
	Retracted   bool      // no longer stuck, since the verdict was wrong
	At          time.Time // when stuck was said, our clock
	Deadline    time.Time
	Cause       Cause
	Channel     string
	Partner     string
	Approximate bool       // the proof rests on a polled source
	Evidence    []Evidence // immutable
}

// sameVisit reports whether two tell of one visit.
func (s *StuckVisit) sameVisit(t *StuckVisit) bool { return s.Stage == t.Stage && s.N == t.N }

// same reports whether two tell the same of one visit.
func (s *StuckVisit) same(t *StuckVisit) bool {
	return s.sameVisit(t) && s.At.Equal(t.At) && s.Deadline.Equal(t.Deadline) && s.Cause == t.Cause && s.Channel == t.Channel && s.Partner == t.Partner
}

// tellStuck hands out how the stuck visits of an order differ from those told before.
func (e *Engine) tellStuck(o *tracked) {
	told, now := e.stuck[o.id], e.stuckVisits(o)
	if len(told) == 0 && len(now) == 0 {
		return
	}
	for _, s := range told {
		if !slices.ContainsFunc(now, func(t StuckVisit) bool { return t.sameVisit(&s) }) {
			s.Stuck, s.Retracted, s.Evidence = false, !o.said(visitName{s.Stage, s.N}), nil
			e.change.Stuck = append(e.change.Stuck, s)
		}
	}
	for _, s := range now {
		if !slices.ContainsFunc(told, func(t StuckVisit) bool { return t.same(&s) }) {
			e.change.Stuck = append(e.change.Stuck, s)
		}
	}
	if len(now) == 0 {
		delete(e.stuck, o.id)
	} else {
		e.stuck[o.id] = now
	}
}

func (e *Engine) stuckVisits(o *tracked) (list []StuckVisit) {
	if len(o.issued) == 0 {
		return nil
	}
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		if v.verdict != visitStuck {
			continue
		}
		said := o.issuedOf(v)
		s := StuckVisit{Order: o.id, Stage: said.stage, N: said.n, Stuck: true, At: said.at, Deadline: v.deadline.time(),
			Cause: said.cause, Approximate: said.approximate, Evidence: said.evidence}
		s.Channel, _ = o.folded.attr(AttrChannel)
		s.Partner, _ = o.folded.attr(AttrPartner)
		list = append(list, s)
	}
	return list
}

// said reports whether a stuck verdict of the visit stands.
func (o *tracked) said(name visitName) bool {
	return slices.ContainsFunc(o.issued, func(s issued) bool { return s.visitName == name })
}

// recallStuck takes what the audit says for told, so that the end of a verdict that came while
// nobody listened is told too. What is still stuck is told again.
func (e *Engine) recallStuck(o *tracked) {
	for _, s := range o.issued {
		told := StuckVisit{Order: o.id, Stage: s.stage, N: s.n, Deadline: s.deadline.time(), Cause: s.cause}
		if !slices.ContainsFunc(e.stuck[o.id], func(t StuckVisit) bool { return t.sameVisit(&told) }) {
			e.stuck[o.id] = append(e.stuck[o.id], told)
		}
	}
}

func compareStuck(a, b StuckVisit) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.N, b.N))
}
