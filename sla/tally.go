package sla

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// Transition counts how often one status directly followed another in an order. A status that the
// flow does not name is zero.
type Transition struct {
	From, To order.Status
	Expected bool // see Expected
	Count    int
}

// Repeat counts how often a system said a status again of an order, with no other status of its own
// in between. A status that the flow does not name is zero.
type Repeat struct {
	Status order.Status
	Count  int
}

// tally counts records, each once: when it is first folded, by what is before it then. What comes
// later between two facts does not count them anew, nor does a refold, a merge, an unlink, or a
// history that is read again.
type tally struct {
	steps     map[[2]int32]int // by place in plan.named, from 1; 0: not named
	repeats   map[int32]int
	conflicts int
	applied   int64   // at a restart: records up to this were counted before
	missed    []int64 // not counted, since their order was not at hand; not shared yet
	made      []int64 // counted after all; not shared yet
}

func newTally(applied int64) tally {
	return tally{steps: map[[2]int32]int{}, repeats: map[int32]int{}, applied: applied}
}

// count counts a fact that its order has now.
func (t *tally) count(o *tracked, x *fact) {
	if x.note != nil && len(x.note.refused) > 0 {
		t.conflicts++
	}
	if !x.says() {
		return
	}
	i := len(o.facts) - 1
	if o.facts[i].compare(x) != 0 {
		i, _ = slices.BinarySearchFunc(o.facts, *x, compareFacts)
	}
	first := true
	for i--; i >= 0; i-- {
		before := &o.facts[i]
		if !before.says() {
			continue
		}
		if first {
			t.steps[[2]int32{before.status.step.named, x.status.step.named}]++
			first = false
		}
		if before.status.System == x.status.System {
			if before.status.Name == x.status.Name {
				t.repeats[x.status.step.named]++
			}
			return
		}
	}
}

// says reports whether a fact says a status.
func (x *fact) says() bool { return x.kind == order.KindStatus || x.kind == order.KindJob }

// countHistory counts what was folded of a history only now: at a restart what comes after the read
// model, later the records that asked for it.
func (e *Engine) countHistory(o *tracked, h *History) {
	for i := range h.Records {
		r := &h.Records[i]
		fresh := e.known.missed[r.Seq]
		if e.now.IsZero() {
			fresh = r.Seq > e.tally.applied
		}
		if fresh {
			x := e.place(r, nil)
			e.tally.count(o, &x)
			e.tally.made = append(e.tally.made, r.Seq)
		}
	}
}

// share makes known to the other engines what was not counted, and what was after all.
func (t *tally) share(k *knowledge) {
	for _, seq := range t.missed {
		k.missed[seq] = true
	}
	for _, seq := range t.made {
		delete(k.missed, seq)
	}
	t.missed, t.made = t.missed[:0], t.made[:0]
}

// flush hands out the counts.
func (t *tally) flush(p *plan, c *Change) {
	c.Conflicts, t.conflicts = t.conflicts, 0
	for step, n := range t.steps {
		from, to := p.status(step[0]), p.status(step[1])
		known := step[0] > 0 && step[1] > 0
		c.Transitions = append(c.Transitions, Transition{from, to, known && Expected(p.flow, from, to), n})
	}
	for named, n := range t.repeats {
		c.Repeats = append(c.Repeats, Repeat{p.status(named), n})
	}
	clear(t.steps)
	clear(t.repeats)
	slices.SortFunc(c.Transitions, func(a, b Transition) int { return cmp.Or(compareStatus(a.From, b.From), compareStatus(a.To, b.To)) })
	slices.SortFunc(c.Repeats, func(a, b Repeat) int { return compareStatus(a.Status, b.Status) })
}

func compareStatus(a, b order.Status) int {
	return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Name, b.Name))
}

// status returns a named status, zero for another.
func (p *plan) status(named int32) order.Status {
	if named == 0 {
		return order.Status{}
	}
	return p.named[named-1]
}
