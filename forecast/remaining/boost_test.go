package remaining

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// rowsOfOneStep are targets that jump from about one day to about nine where the first of three features does.
func rowsOfOneStep(n int, seed uint64) binned {
	random := rand.New(rand.NewPCG(seed, 1))
	out := binned{bins: make([][]uint8, 3)}
	for i := range n {
		for f := range out.bins {
			out.bins[f] = append(out.bins[f], uint8(1+random.IntN(50)))
		}
		y := 0.5 + random.Float32()
		if out.bins[0][i] > 30 {
			y += 8
		}
		out.target = append(out.target, y)
		out.owner = append(out.owner, int32(i/4))
	}
	return out
}

func boosted(t *testing.T, rows, workers, trees int) (forest, odds, binned, []float32) {
	t.Helper()
	train, check := rowsOfOneStep(rows, 1), rowsOfOneStep(5000, 2)
	cuts := learnCuts(train.target)
	s := setting{growth: growth{leaves: 4, minLeaf: 20, workers: workers},
		trees: trees, patience: 8, rate: 0.3, cases: 0.9, prefixes: 0.9, features: 1}
	f, checked, err := boost(t.Context(), train, check, varying(train.bins), cuts, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	return f, checked, check, cuts
}

func TestBoostingFindsTheStep(t *testing.T) {
	f, checked, check, cuts := boosted(t, 5000, 1, 60)
	if e := medianError(checked, cuts, check.target); e > 0.4 { // the noise alone makes 0.25
		t.Errorf("mean error is %.2f days", e)
	}
	again := newOdds(f.Base, len(check.target))
	for i := range f.Trees {
		again.add(&f.Trees[i], check.bins, 1)
	}
	if !reflect.DeepEqual(again, checked) {
		t.Error("the odds returned are not those of the trees kept")
	}
}

func TestTheNumberOfWorkersChangesNothing(t *testing.T) {
	one, _, _, _ := boosted(t, 3*parallelFrom, 1, 8)
	many, _, _, _ := boosted(t, 3*parallelFrom, 4, 8)
	if !reflect.DeepEqual(one, many) {
		t.Error("another number of workers gave another forest")
	}
}
