package sla

import (
	"slices"
	"time"
)

// setSource takes over a source's new state. Visits that waited for its proof are judged at the next Advance.
func (e *Engine) setSource(s *SourceState) {
	old := e.sources[s.Name]
	e.sources[s.Name] = s
	for i := range e.stages {
		if slices.Contains(e.plan.flow.Stages[i].Reporters, s.Name) {
			e.stages[i].moved = true
		}
	}
	if old != nil && offsetsChanged(old, s) {
		e.replace(s.Name)
	}
}

// place puts a record on the corrected timeline.
func (e *Engine) place(r *Record) fact {
	return fact{at: r.Event.Time.Add(-e.offset(r)).UTC(), rec: r}
}

// offset returns the clock offset in force at the record's place in its stream. The source's state knows
// better than the record, which was stamped when it was committed.
func (e *Engine) offset(r *Record) time.Duration {
	offset := r.Offset
	s := e.sources[r.Event.Source]
	if s == nil || r.Event.Seq == 0 {
		return offset
	}
	for i := range s.Epochs {
		if s.Epochs[i].Epoch != r.Event.Epoch {
			continue
		}
		for _, c := range s.Epochs[i].Offsets {
			if c.From > r.Event.Seq {
				break
			}
			offset = c.Offset
		}
	}
	return offset
}

// offsetsChanged reports whether records that the old state had received lie elsewhere by the new one. That every
// watermark brings an offset for what comes after it changes nothing of the past.
func offsetsChanged(old, now *SourceState) bool {
	return slices.ContainsFunc(now.Epochs, func(ep EpochState) bool {
		i := slices.IndexFunc(old.Epochs, func(was EpochState) bool { return was.Epoch == ep.Epoch })
		return i >= 0 && slices.ContainsFunc(ep.Offsets, old.Epochs[i].contradicts)
	})
}

// contradicts reports whether the change gives a record that is here another offset than it had.
func (ep *EpochState) contradicts(c OffsetChange) bool {
	received := ep.Through
	if n := len(ep.Ahead); n > 0 {
		received = max(received, ep.Ahead[n-1].To)
	}
	if c.From > received {
		return false
	}
	for i := len(ep.Offsets) - 1; i >= 0; i-- {
		if ep.Offsets[i].From <= c.From {
			return ep.Offsets[i].Offset != c.Offset
		}
	}
	return true
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
			o.stale = true
			e.settle(o)
		}
	}
}
