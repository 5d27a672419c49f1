package remaining

import (
	"cmp"
	"slices"
)

const (
	folds      = 5
	minSupport = 4 // rows of a state below which its parent speaks
	shrinkage  = 8 // rows of a state that weigh as much as its parent
)

// lookup is the nearest-state table: the median time left in a state, drawn towards that of the
// coarser state where there is little to go by.
type lookup struct{ cells map[uint64]cell }

type cell struct {
	value float32
	rows  float32
}

func (l *lookup) find(key uint64, parent float32) (value, rows float32) {
	if c, ok := l.cells[key]; ok {
		return c.value, c.rows
	}
	return parent, 0
}

// estimate is a column for every row: what the other folds say, for training, and what all say.
type estimate struct{ others, all, rows []float32 }

// learnLookup makes the table of key → median of target and, for each row, its estimate from the
// rows of other folds: a row must not be told its own answer.
func learnLookup(keys []uint64, target []float32, fold []uint8, parent estimate) (lookup, estimate) {
	n := len(keys)
	e := estimate{make([]float32, n), make([]float32, n), make([]float32, n)}
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	slices.SortFunc(rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a], keys[b]), cmp.Compare(target[a], target[b]), cmp.Compare(a, b))
	})
	l := lookup{map[uint64]cell{}}
	for start := 0; start < n; {
		end := start + 1
		for end < n && keys[rows[end]] == keys[rows[start]] {
			end++
		}
		l.group(keys[rows[start]], rows[start:end], target, fold, parent, e)
		start = end
	}
	return l, e
}

// group estimates the rows of one key, sorted by target.
func (l *lookup) group(key uint64, rows []int32, target []float32, fold []uint8, parent, e estimate) {
	var inFold [folds]int
	for _, r := range rows {
		inFold[fold[r]]++
	}
	var median [folds]float32
	for f := range median {
		if others := len(rows) - inFold[f]; others >= minSupport && inFold[f] > 0 {
			median[f] = medianWithout(rows, target, fold, uint8(f), others)
		}
	}
	all, known := float32(0), len(rows) >= minSupport
	if known {
		all = shrunk(target[rows[len(rows)/2]], len(rows), parent.all[rows[0]])
		l.cells[key] = cell{all, float32(len(rows))}
	}
	for _, r := range rows {
		e.all[r] = parent.all[r]
		if known {
			e.all[r] = all
		}
		e.others[r] = parent.others[r]
		if others := len(rows) - inFold[fold[r]]; others >= minSupport {
			e.others[r] = shrunk(median[fold[r]], others, parent.others[r])
			e.rows[r] = float32(others)
		}
	}
}

func shrunk(value float32, rows int, parent float32) float32 {
	return (value*float32(rows) + parent*shrinkage) / (float32(rows) + shrinkage)
}

func medianWithout(rows []int32, target []float32, fold []uint8, without uint8, others int) float32 {
	place := 0
	for _, r := range rows {
		if fold[r] == without {
			continue
		}
		if place == others/2 {
			return target[r]
		}
		place++
	}
	return 0
}
