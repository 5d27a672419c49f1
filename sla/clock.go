package sla

import (
	"cmp"
	"slices"
	"time"
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

// place puts a record on the corrected timeline.
func (e *Engine) place(r *Record) fact {
	return fact{at: r.Event.Time.Add(-e.offset(r)).UTC(), rec: r}
}

// offset returns the clock offset in force at the record's place in its stream. The source's state
// knows better than the record where the watermark that brought the offset came after the record.
func (e *Engine) offset(r *Record) time.Duration {
	if s := e.sources[r.Event.Source]; s != nil {
		if offset, ok := s.lateOffset(r.Event.Position); ok {
			return offset
		}
	}
	return r.Offset
}

// replace puts every fact of a source on the timeline again: an offset became known after the
// events it applies to. That is rare, so it walks all orders.
func (e *Engine) replace(source string) {
	for _, o := range e.orders {
		moved := false
		for i := range o.facts {
			if o.facts[i].rec.Event.Source != source {
				continue
			}
			if x := e.place(o.facts[i].rec); !x.at.Equal(o.facts[i].at) {
				o.facts[i], moved = x, true
			}
		}
		if moved {
			slices.SortFunc(o.facts, func(a, b fact) int { return a.compare(&b) })
			o.stale = !o.broken
			e.settle(o)
		}
	}
}
