package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Reasons of the gaps that we find ourselves. A source's own are its own words.
const (
	ReasonNewEpoch = "new_epoch"    // the stream began anew and nobody stated what was missed
	ReasonLost     = "lost_records" // sequence numbers never arrived
)

// Expire gives up holes that are older than after: the time they may concern becomes an unrepaired
// gap and what waits behind them goes on. It returns the number of gaps opened. The changes are staged.
func (t *Tracker) Expire(now time.Time, after time.Duration) int {
	opened := 0
	limit := now.Add(-after)
	for name := range t.current {
		if s := t.find(name); !s.expired(limit) {
			continue
		}
		s := t.stage(name)
		before := s.GapsTotal
		for i := range s.Epochs {
			s.expire(i, now, limit)
		}
		opened += int(s.GapsTotal - before)
	}
	return opened
}

func (s *SourceState) expired(limit time.Time) bool {
	return slices.ContainsFunc(s.Epochs, func(ep EpochState) bool {
		return len(ep.Pending) == 0 && ep.waitedSince(limit) ||
			slices.ContainsFunc(ep.Pending, func(p PendingMark) bool { return !p.At.After(limit) })
	})
}

func (ep *EpochState) waitedSince(limit time.Time) bool {
	return !ep.Since.IsZero() && !ep.Since.After(limit)
}

func (s *SourceState) expire(i int, now, limit time.Time) {
	ep := &s.Epochs[i]
	for slices.ContainsFunc(ep.Pending, func(p PendingMark) bool { return !p.At.After(limit) }) {
		// The hole before the first is at least as old as the one before the oldest.
		s.lose(i, ep.Pending[0].Mark.Through, ep.Pending[0].Latest, now)
	}
	if len(ep.Pending) == 0 && ep.waitedSince(limit) {
		// No watermark says how far the loss can reach. What was lost was sent before now.
		s.lose(i, ep.Top, now.Add(s.Offset), now)
	}
}

// lose gives up what misses up to a sequence; the facts lost happened before to.
func (s *SourceState) lose(i int, through uint64, to, now time.Time) {
	ep := &s.Epochs[i]
	from := ep.Watermark
	if from.IsZero() {
		from = s.provenBefore(i)
	}
	s.GapsTotal++
	ep.gap(SeqGap{Seq: through, Gap: order.Gap{From: from, To: later(from, to), Reason: ReasonLost}})
	ep.giveUp(through, now)
	s.advance(ep)
}

// gap enters a stated gap or repair.
func (ep *EpochState) gap(g SeqGap) {
	list := &ep.Gaps
	if g.Gap.Repaired {
		list = &ep.Repairs
	}
	i, _ := slices.BinarySearchFunc(*list, g.Seq, func(a SeqGap, seq uint64) int { return cmp.Compare(a.Seq, seq) })
	*list = slices.Insert(*list, i, g)
	if g.Gap.Repaired {
		ep.boundRepairs()
		return
	}
	ep.boundGaps()
}

// boundGaps forgets gaps that are repaired for good and, past the bound, joins the oldest.
func (ep *EpochState) boundGaps() {
	if len(ep.Gaps) <= maxGaps {
		return
	}
	ep.Gaps = slices.DeleteFunc(ep.Gaps, func(g SeqGap) bool { return ep.repaired(g.Gap, g.Seq) })
	for len(ep.Gaps) > maxGaps {
		a, b := ep.Gaps[0], ep.Gaps[1]
		ep.Gaps = slices.Replace(ep.Gaps, 0, 2, SeqGap{Seq: b.Seq, Gap: join(a.Gap, b.Gap)})
	}
}

// boundRepairs forgets the oldest repair after it has done its work in this epoch.
func (ep *EpochState) boundRepairs() {
	if len(ep.Repairs) <= maxRepairs {
		return
	}
	r := ep.Repairs[0]
	if r.Seq <= ep.Proven {
		ep.Gaps = slices.DeleteFunc(ep.Gaps, func(g SeqGap) bool { return g.Seq < r.Seq && overlap(g.Gap, r.Gap) })
		ep.Joined = ep.Joined || !r.Gap.From.After(ep.First)
	}
	ep.Repairs = slices.Delete(ep.Repairs, 0, 1)
}

// repaired reports whether a repair in force, stated after that sequence, covers the gap.
func (ep *EpochState) repaired(gap order.Gap, after uint64) bool {
	return slices.ContainsFunc(ep.Repairs, func(r SeqGap) bool {
		return r.Seq > after && r.Seq <= ep.Proven && overlap(r.Gap, gap)
	})
}

// overlap treats a zero From as long ago and a zero To as not ended.
func overlap(a, b order.Gap) bool {
	return (a.To.IsZero() || !a.To.Before(b.From)) && (b.To.IsZero() || !b.To.Before(a.From))
}

func compareGaps(a, b order.Gap) int {
	return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Reason, b.Reason))
}

// coalesce joins the oldest of a sorted list of gaps until it fits.
func coalesce(gaps []order.Gap, most int) []order.Gap {
	for len(gaps) > most {
		gaps[1] = join(gaps[0], gaps[1])
		gaps = gaps[1:]
	}
	return gaps
}

func join(a, b order.Gap) order.Gap {
	if b.From.Before(a.From) {
		a.From = b.From
	}
	if a.To.IsZero() || b.To.IsZero() {
		a.To = time.Time{}
	} else {
		a.To = later(a.To, b.To)
	}
	return a
}
