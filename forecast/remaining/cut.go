package remaining

import (
	"math"
	"slices"
)

const (
	maxCuts     = 32
	countWeight = 0.35 // how far cuts go by the number of cases, the rest by the days they have left
)

// learnCuts chooses where the distribution is looked at: equal steps of a blend of count and days, since
// an error in days is made mostly where many are left.
func learnCuts(target []float32) []float32 {
	values := slices.Clone(target)
	slices.Sort(values)
	total := 0.0
	for _, v := range values {
		total += float64(v)
	}
	var cuts []float32
	sum, next := 0.0, 0.5
	for _, v := range values {
		sum += countWeight / float64(len(values))
		if total > 0 {
			sum += (1 - countWeight) * float64(v) / total
		}
		if sum*maxCuts < next {
			continue
		}
		next = math.Floor(sum*maxCuts-0.5) + 1.5
		if len(cuts) == 0 || v > cuts[len(cuts)-1] {
			cuts = append(cuts, v)
		}
	}
	return cuts
}

// baseOdds are the log-odds of each cut among all rows.
func baseOdds(target, cuts []float32) []float32 {
	out := make([]float32, len(cuts))
	for k, cut := range cuts {
		more := 0.5
		for _, y := range target {
			if y > cut {
				more++
			}
		}
		p := more / float64(len(target)+1)
		out[k] = float32(math.Log(p / (1 - p)))
	}
	return out
}

// medianOdds returns the days at which the log-odds, which it sorts, cross zero.
func medianOdds(values, cuts []float32) float32 {
	descending(values)
	below, odds := float32(0), max(certain, values[0]+1)
	for k, cut := range cuts {
		if values[k] < 0 {
			return below + (cut-below)*odds/(odds-values[k])
		}
		below, odds = cut, values[k]
	}
	return below
}

const certain = 6 // log-odds that time does not run backwards

// descending sorts the few odds of a row, which are nearly sorted: more time left is less likely.
func descending(values []float32) {
	for i := 1; i < len(values); i++ {
		for j := i; j > 0 && values[j] > values[j-1]; j-- {
			values[j], values[j-1] = values[j-1], values[j]
		}
	}
}

func medianError(o odds, cuts, target []float32) float64 {
	row := make([]float32, o.cuts)
	total := 0.0
	for i, y := range target {
		copy(row, o.row(i))
		total += math.Abs(float64(medianOdds(row, cuts) - y))
	}
	return total / float64(max(len(target), 1))
}
