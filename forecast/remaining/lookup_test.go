package remaining

import "testing"

func TestARowIsNotToldItsOwnAnswer(t *testing.T) {
	const n = 100
	keys, target, fold := make([]uint64, n), make([]float32, n), make([]uint8, n)
	for i := range n {
		keys[i] = uint64(i % 2)
		fold[i] = uint8(i / 2 % folds)
		if fold[i] == 0 {
			target[i] = 1000 // only this fold knows
		}
	}
	none := estimate{make([]float32, n), make([]float32, n), make([]float32, n)}
	_, e := learnLookup(keys, target, fold, none)
	for i := range n {
		if fold[i] == 0 && e.others[i] != 0 {
			t.Fatalf("row %d was told %v", i, e.others[i])
		}
	}
}

func TestAStateSeenSeldomSpeaksThroughItsParent(t *testing.T) {
	keys := []uint64{1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2}
	target := []float32{9, 9, 9, 4, 4, 4, 4, 4, 4, 4, 4}
	parent := estimate{fill(len(keys), 2), fill(len(keys), 2), fill(len(keys), 0)}
	l, e := learnLookup(keys, target, make([]uint8, len(keys)), parent)
	if v, rows := l.find(1, 2); v != 2 || rows != 0 {
		t.Errorf("three rows gave %v of %v rows, want the parent's 2", v, rows)
	}
	if v, rows := l.find(2, 2); v != 3 || rows != 8 {
		t.Errorf("eight rows of 4 with a parent of 2 gave %v of %v rows, want 3 of 8", v, rows)
	}
	if e.all[0] != 2 || e.all[3] != 3 {
		t.Errorf("rows were given %v and %v", e.all[0], e.all[3])
	}
}
