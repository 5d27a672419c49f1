package replay

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// steps counts which status followed which, by order, in the order of time.
type steps struct {
	last   []int32 // by order: its last status, -1 none
	counts map[[2]int32]int
}

func newSteps(orders int) *steps {
	return &steps{last: slices.Repeat([]int32{-1}, orders), counts: map[[2]int32]int{}}
}

func (s *steps) add(f fact) {
	if from := s.last[f.order]; from >= 0 {
		s.counts[[2]int32{from, f.status}]++
	}
	s.last[f.order] = f.status
}

// transitions lists the steps, the most frequent first, equal ones by name.
func (s *steps) transitions(flow *order.Flow, statuses []order.Status) []Transition {
	out := make([]Transition, 0, len(s.counts))
	for step, n := range s.counts {
		from, to := statuses[step[0]], statuses[step[1]]
		out = append(out, Transition{From: from.String(), To: to.String(), Count: n, Expected: sla.Expected(flow, from, to)})
	}
	slices.SortFunc(out, func(a, b Transition) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}
