package sla

import (
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// Expected reports whether the flow foresees that `to` directly follows `from` in one order. It does if
//
//   - a stage is entered by `from` and left by `to`;
//   - one of the two ends a parallel stage (a hand-off) and the other is reached, from stage to stage,
//     from a status that enters it: what runs side by side ends in any order;
//   - `to` finishes, and `from` leaves a stage and enters none: nothing is foreseen between;
//   - `to` cancels an order that `from` did not end;
//   - `to` reopens an order that `from` ended.
func Expected(flow *order.Flow, from, to order.Status) bool {
	ended := from.Matches(flow.Finish) || from.Matches(flow.Cancel)
	switch {
	case to.Matches(flow.Cancel):
		return !ended
	case to.Matches(flow.Reopen):
		return ended
	}
	enters, leaves := false, false
	for i := range flow.Stages {
		s := &flow.Stages[i]
		in, out := from.Matches(s.Enter), to.Matches(s.Leave)
		if in && out || s.Parallel && (out && beside(flow, s, from) || from.Matches(s.Leave) && beside(flow, s, to)) {
			return true
		}
		enters = enters || in
		leaves = leaves || from.Matches(s.Leave)
	}
	return to.Matches(flow.Finish) && leaves && !enters && !ended
}

// beside reports whether a status comes after a parallel stage's enter, and so may come while the order is in it.
func beside(flow *order.Flow, s *order.Stage, status order.Status) bool {
	reached := slices.Clone(s.Enter)
	for i := 0; i < len(reached); i++ {
		for j := range flow.Stages {
			if !reached[i].Matches(flow.Stages[j].Enter) {
				continue
			}
			for _, next := range flow.Stages[j].Leave {
				if next == status {
					return true
				}
				if !slices.Contains(reached, next) {
					reached = append(reached, next)
				}
			}
		}
	}
	return false
}
