package sla

import (
	"maps"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// FutureTolerance is how far an event's corrected time may lie after the instant it was received.
const FutureTolerance = 5 * time.Minute

// Bounds of what is remembered of a source.
const (
	maxSources     = 1024 // names are the senders' to choose
	maxEpochs      = 16
	maxAhead       = 4096 // ranges an epoch
	maxPending     = 1024 // watermarks an epoch
	maxSkipped     = 256  // ranges an epoch
	maxLateOffsets = 256  // an epoch
	maxGaps        = 256  // a source
	maxRepairs     = 64   // an epoch
)

// Taken is what a Tracker made of a record.
type Taken uint8

// The answers of Tracker.Take.
const (
	TakenAccepted    Taken = iota + 1
	TakenDuplicate         // it is here already
	TakenStaleEpoch        // its epoch is older than those remembered: refused for good
	TakenFuture            // a watermark from the future: refused for good, its sequence counts
	TakenUnsequenced       // a statement of a source about itself needs a sequence: refused for good
	TakenOverflow          // too many holes or sources to remember: nothing was taken, send it again later
)

// Tracker knows what was received of each source and what that proves. Changes are staged until
// Commit makes them current; Rollback forgets them. The state that a set of records leads to does
// not depend on the order in which they come, as long as no bound is met and nothing expires; only
// what OffsetChange.Until says does.
// A Tracker belongs to one goroutine; the states it hands out are copies.
type Tracker struct {
	current map[string]*SourceState // never written to: a change is made to a copy
	staged  map[string]*SourceState
}

// NewTracker returns a tracker that goes on from these states.
func NewTracker(states []SourceState) *Tracker {
	t := &Tracker{current: make(map[string]*SourceState, len(states)), staged: map[string]*SourceState{}}
	for i := range states {
		t.current[states[i].Name] = states[i].clone()
	}
	return t
}

// Take enters one record, received at that instant of our clock. An event without sequence is
// accepted unseen: whoever calls must recognise its duplicates.
func (t *Tracker) Take(e *order.Event, received time.Time) Taken {
	selfStatement := e.Kind == order.KindWatermark || e.Kind == order.KindGap
	if e.Seq == 0 && selfStatement {
		return TakenUnsequenced
	}
	s := t.stage(e.Source)
	if s == nil {
		return TakenOverflow
	}
	s.seen(received)
	if e.Seq == 0 {
		return TakenAccepted
	}
	ep := s.epoch(e.Epoch)
	if ep == nil {
		return TakenStaleEpoch
	}
	future := e.Kind == order.KindWatermark && e.Time.Add(-e.Watermark.ClockOffset).After(received.Add(FutureTolerance))
	switch ep.enter(e.Seq, received) {
	case TakenDuplicate:
		s.Duplicates++
		return TakenDuplicate
	case TakenOverflow:
		return TakenOverflow
	}
	switch {
	case future:
		s.Rejected++
	case e.Kind == order.KindWatermark:
		s.mark(ep, e, received)
	case e.Kind == order.KindGap:
		s.GapsTotal++
		ep.gap(SeqGap{Seq: e.Seq, Gap: e.Gap})
	}
	s.advance(ep)
	if future {
		return TakenFuture
	}
	return TakenAccepted
}

// Reject counts a record as refused for good: its sequence is no longer waited for. It reports
// false where that cannot be remembered, as TakenOverflow.
func (t *Tracker) Reject(p order.Position, received time.Time) bool {
	if p.Seq == 0 && t.find(p.Source) == nil {
		return true // nothing to remember
	}
	s := t.stage(p.Source)
	if s == nil {
		return false
	}
	s.seen(received)
	if p.Seq == 0 {
		s.Rejected++
		return true
	}
	ep := s.epoch(p.Epoch)
	if ep == nil {
		s.Rejected++
		return true
	}
	switch ep.enter(p.Seq, received) {
	case TakenOverflow:
		return false
	case TakenDuplicate: // refused before, and sent again
		return true
	}
	s.Rejected++
	s.advance(ep)
	return true
}

// Duplicate counts a duplicate that the caller recognised by its id.
func (t *Tracker) Duplicate(source string) {
	if s := t.stage(source); s != nil {
		s.Duplicates++
	}
}

// OffsetAt returns the clock offset in force for a record: that of the last watermark received
// which was sent before it, in its epoch or else in the newest one before.
func (t *Tracker) OffsetAt(p order.Position) time.Duration {
	s := t.find(p.Source)
	if s == nil {
		return 0
	}
	if p.Seq == 0 {
		return s.Offset
	}
	for i := len(s.Epochs) - 1; i >= 0; i-- {
		ep := &s.Epochs[i]
		if ep.Epoch > p.Epoch {
			continue
		}
		at := p.Seq
		if ep.Epoch < p.Epoch {
			at = ^uint64(0)
		}
		for j := len(ep.Offsets) - 1; j >= 0; j-- {
			if ep.Offsets[j].From <= at {
				return ep.Offsets[j].Offset
			}
		}
	}
	return 0
}

// Seen reports whether a sequenced record is here already.
func (t *Tracker) Seen(p order.Position) bool {
	s := t.find(p.Source)
	if s == nil || p.Seq == 0 {
		return false
	}
	i, ok := s.findEpoch(p.Epoch)
	return ok && s.Epochs[i].has(p.Seq)
}

// State returns a copy of what is known of a source, staged changes included.
func (t *Tracker) State(source string) (SourceState, bool) {
	s := t.find(source)
	if s == nil {
		return SourceState{}, false
	}
	s = s.clone()
	s.settle()
	return *s, true
}

// Touched returns copies of the states that changed since the last Commit or Rollback, by name.
func (t *Tracker) Touched() []SourceState {
	names := slices.Sorted(maps.Keys(t.staged))
	states := make([]SourceState, len(names))
	for i, name := range names {
		t.staged[name].settle()
		states[i] = *t.staged[name].clone()
	}
	return states
}

// Commit makes the staged changes current.
func (t *Tracker) Commit() {
	for name, s := range t.staged {
		s.settle()
		t.current[name] = s
	}
	clear(t.staged)
}

// Rollback forgets the staged changes.
func (t *Tracker) Rollback() { clear(t.staged) }

func (t *Tracker) find(source string) *SourceState {
	if s := t.staged[source]; s != nil {
		return s
	}
	return t.current[source]
}

// stage returns the source's state to write to, nil where there is no room for a new one.
func (t *Tracker) stage(source string) *SourceState {
	if s := t.staged[source]; s != nil {
		return s
	}
	s := t.current[source]
	if s == nil {
		if t.count() >= maxSources {
			return nil
		}
		s = &SourceState{Name: source}
	}
	s = s.clone()
	t.staged[source] = s
	return s
}

func (t *Tracker) count() int {
	n := len(t.current)
	for name := range t.staged {
		if t.current[name] == nil {
			n++
		}
	}
	return n
}
