package sla

// entry is an appointment: at that instant something about a visit or a promise may change.
// Entries are never searched or removed; whoever pops one checks that it still means something.
type entry struct {
	at    int64 // Unix nanoseconds
	order OrderID
	stage int32 // index of the stage; −1−i for the flow's promise i
	n     int32 // visit number
}

// schedule is a 4-ary min-heap of entries by value: no pointers for the collector to follow, and
// shallower than a binary heap (see docs/performance.md).
type schedule []entry

func (s *schedule) push(e entry) {
	h := append(*s, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if h[parent].at <= e.at {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	*s = h
}

// due returns the earliest entry if its time has come.
func (s schedule) due(at int64) (entry, bool) {
	if len(s) == 0 || s[0].at > at {
		return entry{}, false
	}
	return s[0], true
}

// pop removes the earliest entry.
func (s *schedule) pop() {
	h := *s
	last := h[len(h)-1]
	h = h[:len(h)-1]
	if len(h) > 0 {
		h.sink(last)
	}
	*s = h
}

// sink places e, starting from the root.
func (s schedule) sink(e entry) {
	i := 0
	for {
		first := 4*i + 1
		if first >= len(s) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(s)); c++ {
			if s[c].at < s[least].at {
				least = c
			}
		}
		if s[least].at >= e.at {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = e
}
