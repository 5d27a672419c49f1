package arrivals

import (
	"math"
	"slices"
)

// Change is a jump of the level that stays, such as the opening of a partner API.
type Change struct {
	At   int     // index of the first count on the new level
	Jump float64 // orders a period
}

// leastSegment is how many counts stand on either side of a jump, and mostChanges how many jumps are
// looked for.
const (
	leastSegment = 3
	mostChanges  = 3
)

// findChanges adds jumps one by one where each explains most (binary segmentation), as long as the
// fall of Pearson's statistic over the dispersion that is left exceeds 3·ln n + 4: Schwarz's price
// for the jump, its place and the dispersion, and a margin for having looked everywhere.
func findChanges(p *prepared) (line, bool) {
	best, ok := fitLine(p, nil)
	if !ok {
		return best, false
	}
	price := 3*math.Log(best.n) + 4
	for len(best.starts) < mostChanges {
		next, found := best, false
		for at := range p.counts {
			if !roomFor(p, best.starts, at) {
				continue
			}
			starts := slices.Sorted(slices.Values(append(slices.Clone(best.starts), at)))
			if l, ok := fitLine(p, starts); ok && l.chi < next.chi {
				next, found = l, true
			}
		}
		if !found || (best.chi-next.chi)/next.dispersion < price {
			return best, true
		}
		best = next
	}
	return best, true
}

// roomFor says whether a jump at t leaves enough counts on either side of it and of the others.
func roomFor(p *prepared, starts []int, t int) bool {
	edges := append([]int{0, len(p.counts)}, starts...)
	before, after := 0, len(p.counts)
	for _, e := range edges {
		if e == t && e != 0 {
			return false
		}
		if e <= t {
			before = max(before, e)
		} else {
			after = min(after, e)
		}
	}
	return p.between(before, t) >= leastSegment && p.between(t, after) >= leastSegment
}

func (p *prepared) between(from, to int) int {
	n := 0
	for _, w := range p.weight[from:to] {
		if w > 0 {
			n++
		}
	}
	return n
}
