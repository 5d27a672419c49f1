package sla

import (
	"cmp"
	"slices"
)

// setSource takes over a source's new state. Visits that waited for its proof are judged at the next Advance.
func (e *Engine) setSource(s *SourceState) {
	old := cmp.Or(e.sources[s.Name], &SourceState{})
	e.sources[s.Name] = s
	for i := range e.stages {
		if slices.Contains(e.plan.flow.Stages[i].Reporters, s.Name) {
			e.stages[i].moved = true
		}
	}
	if !sameLateOffsets(old, s) {
		e.replace(s.Name)
	}
}

// place puts a record on the corrected timeline of its order, whose other facts these are.
func (e *Engine) place(r *Record, before []fact) fact {
	x := e.tables.fact(r, before)
	x.at = e.corrected(&x)
	return x
}

// corrected returns when a fact happened. The offset in force at its place in the stream is the one it was
// stamped with; but where the watermark that brought it came after the fact, the source's state knows better.
func (e *Engine) corrected(x *fact) nanos {
	offset := x.stamped
	if s := e.sources[x.origin.Source]; s != nil {
		if late, ok := s.lateOffset(x.position()); ok {
			offset = late
		}
	}
	return nanosOf(x.time.time().Add(-offset))
}

// replace puts every fact of a source on the timeline again: an offset became known after the
// events it applies to. That is rare, so it walks all orders.
func (e *Engine) replace(source string) {
	for _, o := range e.orders {
		e.wake(o)
		moved := false
		for i := range o.facts {
			x := &o.facts[i]
			if x.origin.Source != source {
				continue
			}
			if at := e.corrected(x); at != x.at {
				x.at, moved = at, true
			}
		}
		if moved {
			slices.SortFunc(o.facts, compareFacts)
			o.stale = !o.broken
			e.settle(o)
		}
		e.rest()
	}
}
