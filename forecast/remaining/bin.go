package remaining

import (
	"slices"
	"sort"
)

const (
	maxBins    = 128
	binSamples = 50_000
)

// binner cuts each feature into bins of about equal counts. Bin 0 is for what is missing, so that it
// lies below all else.
type binner struct{ Edges [][]float32 } // [feature][bin]: the highest value of bin+1

func learnBins(columns [][]float32) binner {
	b := binner{make([][]float32, len(columns))}
	for f, column := range columns {
		step := max(1, len(column)/binSamples)
		var sample []float32
		for i := 0; i < len(column); i += step {
			if v := column[i]; v == v {
				sample = append(sample, v)
			}
		}
		b.Edges[f] = edges(sample)
	}
	return b
}

// edges sorts values and cuts between different ones.
func edges(values []float32) []float32 {
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	if len(distinct) <= maxBins-1 {
		return distinct[:max(len(distinct)-1, 0)]
	}
	var out []float32
	for i := 1; i < maxBins-1; i++ {
		if v := values[i*len(values)/(maxBins-1)]; len(out) == 0 || v > out[len(out)-1] {
			out = append(out, v)
		}
	}
	return out
}

func (b binner) bin(feature int, v float32) uint8 {
	if v != v {
		return 0
	}
	e := b.Edges[feature]
	return uint8(1 + sort.Search(len(e), func(i int) bool { return e[i] >= v }))
}

func (b binner) columns(columns [][]float32, workers int) [][]uint8 {
	out := make([][]uint8, len(columns))
	spread(len(columns), len(columns)*len(columns[0]), workers, func(f int) {
		out[f] = make([]uint8, len(columns[f]))
		for i, v := range columns[f] {
			out[f][i] = b.bin(f, v)
		}
	})
	return out
}
