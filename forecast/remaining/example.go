package remaining

import (
	"cmp"
	"slices"
)

// examples are prefixes with the time that was left, as columns.
type examples struct {
	plain  [][]float32 // [feature][row]
	states [][]uint64  // [stateKeys][row]
	recent [][]uint64  // [recentStatuses][row]
	values [][]uint64  // [attribute][row]
	target []float32   // days left
	owner  []int32     // the case
	length []int32     // events of the prefix
}

func (x *examples) rows() int { return len(x.target) }

// observeAll shows a tracker the events of all cases in the order of their times and returns the
// load at each: [case][event].
func observeAll(t *Tracker, cases []Case) [][]Load {
	type place struct{ c, e int32 }
	var places []place
	loads := make([][]Load, len(cases))
	for i, c := range cases {
		loads[i] = make([]Load, len(c.Events))
		for j := range c.Events {
			places = append(places, place{int32(i), int32(j)})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(
			cases[a.c].Events[a.e].Time.Compare(cases[b.c].Events[b.e].Time),
			cmp.Compare(a.c, b.c), cmp.Compare(a.e, b.e),
		)
	})
	for _, p := range places {
		loads[p.c][p.e] = t.Observe(cases[p.c].Key, cases[p.c].Events[p.e])
	}
	return loads
}

// collect makes an example of every prefix that something follows; of more than limit it keeps an
// even choice.
func collect(s *schema, cases []Case, loads [][]Load, limit int) *examples {
	total := 0
	for _, c := range cases {
		total += max(len(c.Events)-1, 0)
	}
	x := &examples{
		states: make([][]uint64, stateKeys), recent: make([][]uint64, recentStatuses),
		values: make([][]uint64, len(s.Attributes)),
	}
	var row []float32
	for i, c := range cases {
		w := newWalk(s, c.Attrs)
		end := c.Events[len(c.Events)-1].Time
		for j, e := range c.Events[:len(c.Events)-1] {
			w.step(e, loads[i][j])
			if total > limit && mix(uint64(i)<<32|uint64(j))%uint64(total) >= uint64(limit) {
				continue
			}
			row = w.plain(row[:0])
			x.add(w, row, float32(days(e.Time, end)), int32(i))
		}
	}
	return x
}

func (x *examples) add(w *walk, row []float32, target float32, owner int32) {
	if x.plain == nil {
		x.plain = make([][]float32, len(row))
	}
	for f, v := range row {
		x.plain[f] = append(x.plain[f], v)
	}
	var keys [stateKeys]uint64
	w.states(keys[:])
	for k, key := range keys {
		x.states[k] = append(x.states[k], key)
	}
	for k, key := range w.recent() {
		x.recent[k] = append(x.recent[k], key)
	}
	for k := range x.values {
		x.values[k] = append(x.values[k], w.attributeKey(k))
	}
	x.target = append(x.target, target)
	x.owner = append(x.owner, owner)
	x.length = append(x.length, int32(len(w.times)))
}
