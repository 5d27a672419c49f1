package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// enter counts a sequence as here. It reports TakenAccepted, TakenDuplicate or TakenOverflow.
func (ep *EpochState) enter(seq uint64, received time.Time) Taken {
	if seq <= ep.Through {
		if ep.unskip(seq) {
			return TakenAccepted
		}
		return TakenDuplicate
	}
	// i is the first range that ends at or after seq−1: the one to extend, or the one to stand before.
	i, _ := slices.BinarySearchFunc(ep.Ahead, seq, func(r Range, n uint64) int { return cmp.Compare(r.To+1, n) })
	switch {
	case i < len(ep.Ahead) && ep.Ahead[i].From <= seq && seq <= ep.Ahead[i].To:
		return TakenDuplicate
	case i < len(ep.Ahead) && ep.Ahead[i].To+1 == seq:
		if i+1 < len(ep.Ahead) && ep.Ahead[i+1].From <= seq {
			return TakenDuplicate
		}
		ep.Ahead[i].To = seq
		if i+1 < len(ep.Ahead) && ep.Ahead[i+1].From == seq+1 {
			ep.Ahead[i].To = ep.Ahead[i+1].To
			ep.Ahead = slices.Delete(ep.Ahead, i+1, i+2)
		}
	case i < len(ep.Ahead) && ep.Ahead[i].From == seq+1:
		ep.Ahead[i].From = seq
	case len(ep.Ahead) == maxAhead && seq != ep.Through+1:
		return TakenOverflow
	default:
		ep.Ahead = slices.Insert(ep.Ahead, i, Range{seq, seq})
	}
	ep.swallow(received)
	return TakenAccepted
}

// has reports whether a sequence is here.
func (ep *EpochState) has(seq uint64) bool {
	in := func(list []Range) bool {
		return slices.ContainsFunc(list, func(r Range) bool { return r.From <= seq && seq <= r.To })
	}
	if seq <= ep.Through {
		return !in(ep.Skipped)
	}
	return in(ep.Ahead)
}

// swallow moves Through over what is here, and notes since when the next number is missed.
func (ep *EpochState) swallow(now time.Time) {
	before := ep.Through
	for len(ep.Ahead) > 0 && ep.Ahead[0].From <= ep.Through+1 {
		ep.Through = max(ep.Through, ep.Ahead[0].To)
		ep.Ahead = slices.Delete(ep.Ahead, 0, 1)
	}
	switch {
	case len(ep.Ahead) == 0:
		ep.Since, ep.Top = time.Time{}, 0
	case ep.Since.IsZero() || ep.Through > before:
		ep.Since, ep.Top = now, ep.Ahead[len(ep.Ahead)-1].To
	}
}

// unskip takes back that a sequence was given up.
func (ep *EpochState) unskip(seq uint64) bool {
	for i, r := range ep.Skipped {
		if seq < r.From || r.To < seq {
			continue
		}
		var rest []Range
		if r.From < seq {
			rest = append(rest, Range{r.From, seq - 1})
		}
		if seq < r.To {
			rest = append(rest, Range{seq + 1, r.To})
		}
		ep.Skipped = slices.Replace(ep.Skipped, i, i+1, rest...)
		ep.boundSkipped()
		return true
	}
	return false
}

// giveUp counts every missing sequence up to through as lost.
func (ep *EpochState) giveUp(through uint64, now time.Time) {
	next := ep.Through + 1
	for _, r := range ep.Ahead {
		if r.From > through {
			break
		}
		if next < r.From {
			ep.Skipped = append(ep.Skipped, Range{next, r.From - 1})
		}
		next = r.To + 1
	}
	if next <= through {
		ep.Skipped = append(ep.Skipped, Range{next, through})
	}
	ep.boundSkipped()
	ep.Through = max(ep.Through, through)
	ep.Since = time.Time{} // what is missed from here on is another hole
	ep.swallow(now)
}

func (ep *EpochState) boundSkipped() {
	if n := len(ep.Skipped) - maxSkipped; n > 0 {
		ep.Skipped = slices.Delete(ep.Skipped, 0, n)
	}
}

// pend adds a watermark to those that wait, in the order in which they will be proven. Past the
// bound the second is dropped: the first tells how long we have waited, the last what is new.
func (ep *EpochState) pend(p PendingMark) {
	i, _ := slices.BinarySearchFunc(ep.Pending, p, func(a, b PendingMark) int {
		return cmp.Or(cmp.Compare(a.Mark.Through, b.Mark.Through), cmp.Compare(a.Seq, b.Seq))
	})
	ep.Pending = slices.Insert(ep.Pending, i, p)
	if len(ep.Pending) > maxPending {
		ep.Pending = slices.Delete(ep.Pending, 1, 2)
	}
}

// offset enters the offset that a watermark brought.
func (ep *EpochState) offset(c OffsetChange) {
	i, _ := slices.BinarySearchFunc(ep.Offsets, c.From, func(a OffsetChange, from uint64) int { return cmp.Compare(a.From, from) })
	if i == 0 || ep.Offsets[i-1].Offset != c.Offset {
		until := ep.Through
		if n := len(ep.Ahead); n > 0 {
			until = ep.Ahead[n-1].To
		}
		if i < len(ep.Offsets) {
			until = min(until, ep.Offsets[i].From-1)
		}
		if until >= c.From {
			c.Until = until
		}
	}
	ep.Offsets = slices.Insert(ep.Offsets, i, c)
	if len(ep.Offsets) > maxPending {
		ep.Offsets = slices.Delete(ep.Offsets, 1, 2)
	}
}

// pruneOffsets forgets offsets that no record to come can need, and that every record here was stamped with.
func (ep *EpochState) pruneOffsets() {
	n := 0
	for n+1 < len(ep.Offsets) && ep.Offsets[n+1].From <= ep.Through+1 {
		n++
	}
	past := slices.DeleteFunc(slices.Clone(ep.Offsets[:n]), func(c OffsetChange) bool { return c.Until == 0 })
	if extra := len(past) - maxLateOffsets; extra > 0 {
		past = past[extra:]
	}
	ep.Offsets = slices.Replace(ep.Offsets, 0, n, past...)
}

// lateOffset returns the offset in force for a record that had come before it was known.
func (s *SourceState) lateOffset(p order.Position) (time.Duration, bool) {
	i, ok := s.findEpoch(p.Epoch)
	if !ok {
		return 0, false
	}
	offsets := s.Epochs[i].Offsets
	for j := len(offsets) - 1; j >= 0; j-- {
		if c := &offsets[j]; c.From <= p.Seq && p.Seq <= c.Until {
			return c.Offset, true
		}
	}
	return 0, false
}

// sameLateOffsets reports whether two states of a source correct the same records.
func sameLateOffsets(a, b *SourceState) bool {
	late := func(s *SourceState) []OffsetChange {
		var list []OffsetChange
		for i := range s.Epochs {
			for _, c := range s.Epochs[i].Offsets {
				if c.Until != 0 {
					list = append(list, c)
				}
			}
		}
		return list
	}
	return slices.Equal(late(a), late(b))
}
