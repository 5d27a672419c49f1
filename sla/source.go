package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// A repaired gap stands in for what was missed only once the snapshot that follows it is here.
// The first watermark sent after it proves that: a repair is in force where its Seq ≤ Proven.

func (s *SourceState) clone() *SourceState {
	c := *s
	c.Gaps = slices.Clone(s.Gaps)
	c.Queues = slices.Clone(s.Queues)
	c.Epochs = slices.Clone(s.Epochs)
	for i := range c.Epochs {
		ep := &c.Epochs[i]
		ep.Ahead = slices.Clone(ep.Ahead)
		ep.Offsets = slices.Clone(ep.Offsets)
		ep.Skipped = slices.Clone(ep.Skipped)
		ep.Gaps = slices.Clone(ep.Gaps)
		ep.Repairs = slices.Clone(ep.Repairs)
		ep.Pending = slices.Clone(ep.Pending)
		for j := range ep.Pending {
			ep.Pending[j].Mark.Queues = slices.Clone(ep.Pending[j].Mark.Queues)
		}
	}
	return &c
}

func (s *SourceState) seen(received time.Time) {
	if received.After(s.LastSeen) {
		s.LastSeen = received
	}
}

func (s *SourceState) findEpoch(epoch int64) (int, bool) {
	return slices.BinarySearchFunc(s.Epochs, epoch, func(ep EpochState, n int64) int { return cmp.Compare(ep.Epoch, n) })
}

// epoch returns the state of an epoch, a new one if need be, nil for one too old to remember.
func (s *SourceState) epoch(epoch int64) *EpochState {
	i, ok := s.findEpoch(epoch)
	if ok {
		return &s.Epochs[i]
	}
	if len(s.Epochs) == maxEpochs {
		if i == 0 {
			return nil
		}
		s.forgetOldest()
		i--
	}
	if len(s.Epochs) > 0 {
		s.GapsTotal++
	}
	s.Epochs = slices.Insert(s.Epochs, i, EpochState{Epoch: epoch})
	return &s.Epochs[i]
}

// forgetOldest drops the oldest epoch and leaves to the next one what it still means: how far it
// proves, and the gaps in it and after it.
func (s *SourceState) forgetOldest() {
	next := &s.Epochs[1]
	open := s.openGaps(0)
	if gap, ok := s.gapBefore(1); ok {
		open = append(open, gap)
	}
	for _, gap := range open {
		next.Gaps = slices.Insert(next.Gaps, 0, SeqGap{Gap: gap})
	}
	next.boundGaps()
	next.Watermark = later(next.Watermark, s.Epochs[0].Watermark)
	if len(next.Offsets) == 0 || next.Offsets[0].From > next.Through+1 {
		if n := len(s.Epochs[0].Offsets); n > 0 {
			next.Offsets = slices.Insert(next.Offsets, 0, OffsetChange{From: 1, Offset: s.Epochs[0].Offsets[n-1].Offset})
		}
	}
	s.Epochs = slices.Delete(s.Epochs, 0, 1)
}

// mark takes a watermark record: its offset and queues count at once, its time once it is proven.
func (s *SourceState) mark(ep *EpochState, e *order.Event, received time.Time) {
	if q := e.Watermark.Queues; len(q) > 0 && newerQueues(e.Time, q, s.QueuesAt, s.Queues) {
		s.Queues, s.QueuesAt = slices.Clone(q), e.Time
	}
	ep.offset(OffsetChange{From: e.Seq + 1, Offset: e.Watermark.ClockOffset})
	observed := e.Observed
	if observed.IsZero() {
		observed = received
	}
	latest := later(e.Time, observed.Add(e.Watermark.ClockOffset))
	ep.pend(PendingMark{Seq: e.Seq, Time: e.Time, Mark: e.Watermark, At: received, Latest: latest})
}

// advance makes watermarks effective whose records are all here.
func (s *SourceState) advance(ep *EpochState) {
	n := 0
	for n < len(ep.Pending) && ep.Pending[n].Mark.Through <= ep.Through {
		p := &ep.Pending[n]
		ep.Proven = max(ep.Proven, p.Mark.Through)
		ep.Watermark = later(ep.Watermark, p.Time)
		if ep.First.IsZero() || p.Time.Before(ep.First) {
			ep.First = p.Time
		}
		s.prove(p)
		n++
	}
	ep.Pending = slices.Delete(ep.Pending, 0, n)
}

// prove moves the source's watermark, never back. Of two with one time the choice must not depend on arrival.
func (s *SourceState) prove(p *PendingMark) {
	newer := cmp.Or(
		p.Time.Compare(s.Watermark),
		-compareBool(p.Mark.Approximate, s.Approximate),
		cmp.Compare(p.Mark.Through, s.Through),
		cmp.Compare(p.Mark.ClockOffset, s.Offset),
	)
	if newer > 0 {
		s.Watermark, s.Through, s.Approximate, s.Offset = p.Time, p.Mark.Through, p.Mark.Approximate, p.Mark.ClockOffset
	}
}

// settle derives the open gaps from what the epochs hold, and forgets offsets. While a batch is
// taken in they are kept: a record that fills a hole is still to be stamped with what was in force there.
func (s *SourceState) settle() {
	s.Gaps = s.Gaps[:0]
	for i := range s.Epochs {
		s.Epochs[i].pruneOffsets()
		s.Gaps = append(s.Gaps, s.openGaps(i)...)
		if gap, ok := s.gapBefore(i); ok {
			s.Gaps = append(s.Gaps, gap)
		}
	}
	slices.SortFunc(s.Gaps, compareGaps)
	s.Gaps = coalesce(slices.CompactFunc(s.Gaps, func(a, b order.Gap) bool { return compareGaps(a, b) == 0 }), maxGaps)
}

// openGaps returns the gaps of an epoch that no later repair covers.
func (s *SourceState) openGaps(i int) []order.Gap {
	var open []order.Gap
	for _, g := range s.Epochs[i].Gaps {
		if !s.Epochs[i].repaired(g.Gap, g.Seq) && !s.repairedFrom(i+1, g.Gap) {
			open = append(open, g.Gap)
		}
	}
	return open
}

// gapBefore returns the gap between what earlier epochs prove and the first watermark of epoch i:
// a stream that lost its memory may have missed what happened in between.
func (s *SourceState) gapBefore(i int) (order.Gap, bool) {
	ep := &s.Epochs[i]
	if i == 0 || ep.First.IsZero() || ep.Joined {
		return order.Gap{}, false
	}
	gap := order.Gap{From: s.provenBefore(i), To: ep.First, Reason: ReasonNewEpoch}
	return gap, gap.From.Before(gap.To) && !s.repairedFrom(i, gap)
}

// provenBefore returns the latest effective watermark of the epochs before epoch i.
func (s *SourceState) provenBefore(i int) time.Time {
	var t time.Time
	for j := range s.Epochs[:i] {
		t = later(t, s.Epochs[j].Watermark)
	}
	return t
}

func (s *SourceState) repairedFrom(i int, gap order.Gap) bool {
	for ; i < len(s.Epochs); i++ {
		if s.Epochs[i].repaired(gap, 0) {
			return true
		}
	}
	return false
}

func newerQueues(at time.Time, q []order.QueueDepth, thanAt time.Time, than []order.QueueDepth) bool {
	return cmp.Or(at.Compare(thanAt), slices.CompareFunc(q, than, func(a, b order.QueueDepth) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Messages, b.Messages), cmp.Compare(a.Consumers, b.Consumers))
	})) > 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
