package remaining

import (
	"math"
	"slices"
)

// encoder turns a prefix into numbers: the plain features, then what the tables say about its state
// and its attributes' values. Trained rows get what the other folds say.
type encoder struct {
	schema schema
	plain  int     // features before the tables'
	median float32 // of all
	states [stateKeys]lookup
	values []lookup // by attribute: how much longer than its state says
	load   Load     // usual, for prefixes without one
}

// learnEncoder also returns the columns of the training rows, [feature][row].
func learnEncoder(s schema, x *examples, seed uint64) (*encoder, [][]float32) {
	n := x.rows()
	e := &encoder{schema: s, plain: len(x.plain), median: medianOf(slices.Clone(x.target)), values: make([]lookup, len(s.Attributes))}
	fold := make([]uint8, n)
	for i, owner := range x.owner {
		fold[i] = uint8(mix(seed^uint64(owner)) % folds)
	}
	everything := estimate{fill(n, e.median), fill(n, e.median), make([]float32, n)}
	estimates := make([]estimate, stateKeys)
	columns := slices.Clone(x.plain)
	for k, keys := range x.states {
		parent := everything
		if stateParent[k] >= 0 {
			parent = estimates[stateParent[k]]
		}
		e.states[k], estimates[k] = learnLookup(keys, x.target, fold, parent)
		columns = append(columns, estimates[k].others, estimates[k].rows)
	}
	for _, keys := range x.recent {
		columns = append(columns, e.lookAll(&e.states[keyLast], keys, e.median))
	}
	none := estimate{fill(n, 0), fill(n, 0), make([]float32, n)}
	excess := make([]float32, n)
	for i, y := range x.target {
		excess[i] = y - estimates[keySet].others[i]
	}
	for k, keys := range x.values {
		var found estimate
		e.values[k], found = learnLookup(keys, excess, fold, none)
		columns = append(columns, found.others)
	}
	e.learnLoad(x)
	return e, columns
}

func (e *encoder) lookAll(l *lookup, keys []uint64, otherwise float32) []float32 {
	out := make([]float32, len(keys))
	for i, key := range keys {
		out[i], _ = l.find(key, otherwise)
	}
	return out
}

// learnLoad keeps the usual load: the plain features end with it.
func (e *encoder) learnLoad(x *examples) {
	e.load.known = true
	first := len(x.plain) - loadFeatures
	for i := range e.load.values {
		known := slices.DeleteFunc(slices.Clone(x.plain[first+i]), func(v float32) bool { return v != v })
		e.load.values[i] = float32(math.NaN())
		if len(known) > 0 {
			e.load.values[i] = medianOf(known)
		}
	}
}

// columns encodes rows that were not trained on.
func (e *encoder) columns(x *examples) [][]float32 {
	columns := slices.Clone(x.plain)
	found := make([][]float32, stateKeys)
	for k, keys := range x.states {
		found[k] = make([]float32, len(keys))
		rows := make([]float32, len(keys))
		for i, key := range keys {
			parent := e.median
			if stateParent[k] >= 0 {
				parent = found[stateParent[k]][i]
			}
			found[k][i], rows[i] = e.states[k].find(key, parent)
		}
		columns = append(columns, found[k], rows)
	}
	for _, keys := range x.recent {
		columns = append(columns, e.lookAll(&e.states[keyLast], keys, e.median))
	}
	for k, keys := range x.values {
		columns = append(columns, e.lookAll(&e.values[k], keys, 0))
	}
	return columns
}

// trend reports whether a feature is a level of the whole business.
func (e *encoder) trend(feature int) bool {
	place := feature - (e.plain - loadFeatures)
	return place >= 0 && place < trendFeatures
}

// row encodes the state of one walk, like columns.
func (e *encoder) row(w *walk) []float32 {
	out := w.plain(nil)
	var keys [stateKeys]uint64
	w.states(keys[:])
	var found [stateKeys]float32
	for k, key := range keys {
		parent := e.median
		if stateParent[k] >= 0 {
			parent = found[stateParent[k]]
		}
		value, rows := e.states[k].find(key, parent)
		found[k] = value
		out = append(out, value, rows)
	}
	for _, key := range w.recent() {
		value, _ := e.states[keyLast].find(key, e.median)
		out = append(out, value)
	}
	for k := range e.values {
		value, _ := e.values[k].find(w.attributeKey(k), 0)
		out = append(out, value)
	}
	return out
}

func fill(n int, v float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// medianOf sorts values, of which there is at least one.
func medianOf(values []float32) float32 {
	slices.Sort(values)
	return values[len(values)/2]
}
