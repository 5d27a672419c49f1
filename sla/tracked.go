package sla

import (
	"slices"
)

// tracked is an order the engine holds. Awake it is unfolded and ready for the next fact; asleep it
// is its facts alone, packed.
type tracked struct {
	*awake // nil while it sleeps

	id     OrderID
	packed string // while it sleeps
	memo   *memo  // what packing leaves out; mostly nil
	handed uint64 // print of the hand-offs told last

	stale   bool // folded is not what facts amount to
	touched bool // by the batch at hand
	broken  bool // quarantined
	dirty   bool // changed since the last Flush
	dropped bool // the engine forgot it
	used    bool // since it was last looked at whether it may sleep
}

// awake is what the engine makes of an order's facts. Its room is used again for other orders.
type awake struct {
	facts   []fact // in their total order
	folded  *folded
	counted []share
	channel *channel // counted under; nil: not counted
	memo
}

// memo is what was told of an order and does not follow from its facts.
type memo struct {
	issued   []issued
	absorbed []OrderID
	reported []visitName // closed visits already handed out that the fold has no more
	settled  []string    // promises likewise
}

// visitName names a visit within its order.
type visitName struct {
	stage string
	n     int
}

func (s *memo) empty() bool {
	return len(s.issued) == 0 && len(s.absorbed) == 0 && len(s.reported) == 0 && len(s.settled) == 0
}

func (o *tracked) absorb(from *tracked) {
	o.absorbed = append(append(o.absorbed, from.id), from.absorbed...)
	for _, x := range from.facts {
		o.add(x)
	}
	for _, s := range from.issued {
		o.say(s)
	}
	sortIssued(o.issued)
	from.recall(from.folded)
	o.reported = append(o.reported, from.reported...)
	o.settled = append(o.settled, from.settled...)
	o.stale = true
}

// recall keeps by name what was handed out of a fold that the order has no more.
func (o *tracked) recall(old *folded) {
	for i := range old.visits {
		v := &old.visits[i]
		if v.told && (o.folded == old || o.folded.visit(int(v.stage), int(v.n)) == nil) {
			o.reported = append(o.reported, old.name(v))
		}
	}
	for i := range old.promises {
		p := &old.promises[i]
		if p.told && (o.folded == old || o.folded.promise(int(p.index)) == nil) {
			o.settled = append(o.settled, old.plan.flow.Promises[p.index].Name)
		}
	}
}

// recallReopened keeps by name what was handed out as closed or final and no longer is: from the facts
// alone nobody would know.
func (o *tracked) recallReopened() {
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		if name := o.folded.name(v); v.told && v.open() && !slices.Contains(o.reported, name) {
			o.reported = append(o.reported, name)
		}
	}
	for i := range o.folded.promises {
		p := &o.folded.promises[i]
		if name := o.folded.plan.flow.Promises[p.index].Name; p.told && p.running() && !slices.Contains(o.settled, name) {
			o.settled = append(o.settled, name)
		}
	}
}

// add puts a fact in its place and reports false for one that is there already.
func (o *tracked) add(x fact) bool {
	if n := len(o.facts); n == 0 || o.facts[n-1].compare(&x) < 0 {
		o.facts = append(o.facts, x)
		return true
	}
	i, known := slices.BinarySearchFunc(o.facts, x, compareFacts)
	if known {
		return false
	}
	o.facts = slices.Insert(o.facts, i, x)
	return true
}

// find returns the visit of that name, or nil.
func (f *folded) find(name visitName) *visit {
	_, stage := f.plan.flow.Stage(name.stage)
	return f.visit(stage, name.n)
}

// visit returns the n-th visit of a stage, or nil.
func (f *folded) visit(stage, n int) *visit {
	for i := range f.visits {
		if v := &f.visits[i]; int(v.stage) == stage && int(v.n) == n {
			return v
		}
	}
	return nil
}

// name returns the name of a visit.
func (f *folded) name(v *visit) visitName {
	return visitName{f.plan.flow.Stages[v.stage].Name, int(v.n)}
}
