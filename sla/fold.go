package sla

import (
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// earlyLeave is how long before its enter a leave may come and still end the visit: two systems'
// clocks agree no better than this after correction.
const earlyLeave = 2 * time.Second

// folded is what an order's facts, taken in their total order, amount to. It knows neither now nor
// the sources: judging is the engine's.
type folded struct {
	plan     *plan
	state    State
	created  nanos
	updated  nanos
	ended    nanos
	keys     []order.Key    // in the flow's order
	attrs    []order.Attr   // by name
	statuses []order.Status // last of each system, by system
	visits   []visit
	promises []promise
	early    []early // leaves that came before their enter
	refused  []order.Key
	counts   Counts
	learned  *note // last
}

// visit is what folding, judging and reporting need to know of a Visit. What was said of it is in
// issued.
type visit struct {
	entered   nanos
	left      nanos // never: open
	deadline  nanos // never: none
	stage     int32
	n         int32
	openedBy  int32 // the fact's place
	verdict   visitVerdict
	rework    bool
	inferred  bool
	scheduled bool
	told      bool // that it closed
}

// early is a leave that found its stage empty.
type early struct {
	stage   int
	at      nanos
	by      int  // the fact's place
	counted bool // as unexpected
}

func newFolded(p *plan) *folded {
	return &folded{plan: p, state: StateOpen, created: never, updated: never, ended: never}
}

// reset makes it new and keeps its room.
func (f *folded) reset() {
	f.state, f.created, f.updated, f.ended = StateOpen, never, never, never
	f.keys, f.attrs, f.statuses = f.keys[:0], f.attrs[:0], f.statuses[:0]
	f.visits, f.promises, f.early, f.refused = f.visits[:0], f.promises[:0], f.early[:0], f.refused[:0]
	f.counts, f.learned = Counts{}, nil
}

// place returns the place of the fact at hand among the order's facts.
func (f *folded) place() int { return f.counts.Events - 1 }

// apply folds in the next fact; facts must come in their total order.
func (f *folded) apply(x *fact) {
	f.note(x)
	f.moveDues(x.at)
	if x.kind != order.KindStatus && x.kind != order.KindJob {
		return
	}
	f.remember(x.status.Status)
	st := x.status.step
	if f.state != StateOpen {
		if !st.reopen {
			f.counts.AfterTerminal++
			return
		}
		f.state, f.ended = StateOpen, never
		f.counts.Reopened++
	}
	f.move(st, x)
	f.runPromises(st, x.at)
	switch {
	case st.finish:
		f.end(StateFinished, x.at)
	case st.cancel:
		f.end(StateCancelled, x.at)
	}
}

// note takes over what every fact says, whatever its kind.
func (f *folded) note(x *fact) {
	if f.created == never {
		f.created = x.at
	}
	f.updated = x.at
	f.counts.Events++
	if x.note != nil && len(x.note.refused) > 0 {
		f.counts.Conflicts++
	}
	f.learn(x)
}

// learn takes over the keys and attributes of a fact.
func (f *folded) learn(x *fact) {
	if x.note == nil || x.note == f.learned {
		return
	}
	f.learned = x.note
	for _, k := range x.note.keys {
		if slices.Contains(x.note.refused, k) {
			if !slices.Contains(f.refused, k) {
				f.refused = append(f.refused, k)
			}
		} else if i, known := slices.BinarySearchFunc(f.keys, k, f.plan.compareKeys); !known {
			f.keys = slices.Insert(f.keys, i, k)
		}
	}
	for _, a := range x.note.attrs {
		if i, known := slices.BinarySearchFunc(f.attrs, a.Name, compareAttr); known {
			f.attrs[i] = a
		} else {
			f.attrs = slices.Insert(f.attrs, i, a)
		}
	}
}

func compareAttr(a order.Attr, name string) int { return strings.Compare(a.Name, name) }

func (f *folded) remember(s order.Status) {
	i, known := slices.BinarySearchFunc(f.statuses, s, func(a, b order.Status) int { return strings.Compare(a.System, b.System) })
	if known {
		f.statuses[i] = s
	} else {
		f.statuses = slices.Insert(f.statuses, i, s)
	}
}

func (f *folded) attr(name string) (string, bool) {
	for _, a := range f.attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// move closes and opens visits.
func (f *folded) move(st *step, x *fact) {
	left := f.leave(st, x)
	entered := f.enter(st, x)
	received := f.receive(st, x)
	if len(st.leaves) > 0 && !left && !entered.repeat && !received && !x.inferred {
		f.counts.Unexpected++
		f.setCounted(f.place(), true)
	}
}

// setCounted notes of a fact's early leaves whether it counts as unexpected.
func (f *folded) setCounted(place int, counted bool) {
	for i := range f.early {
		if f.early[i].by == place {
			f.early[i].counted = counted
		}
	}
}

// leave closes the open visits that the status is a leave of. A leave that finds none waits a
// moment for its enter.
func (f *folded) leave(st *step, x *fact) (any bool) {
	if len(f.early) > 0 {
		f.early = slices.DeleteFunc(f.early, func(e early) bool { return x.at.sub(e.at) > earlyLeave })
	}
	for _, stage := range st.leaves {
		if v := f.open(stage); v != nil {
			v.close(x.at, x.inferred)
			f.resume(stage, x.at)
			any = true
		} else {
			f.early = append(f.early, early{stage: stage, at: x.at, by: f.place()})
		}
	}
	return any
}

type entering struct{ repeat bool }

// enter opens the stages that the status enters and closes the serial visits that it passes by. A
// stage that was left early is behind the order: it passes nothing by.
func (f *folded) enter(st *step, x *fact) entering {
	var result entering
	for _, stage := range st.enters {
		if v := f.open(stage); v != nil {
			f.counts.Repeats++
			result.repeat = true
			continue
		}
		left := f.takeEarly(stage, x.at)
		if !left && !f.plan.flow.Stages[stage].Parallel {
			f.pass(stage, x)
		}
		f.begin(stage, x, left)
	}
	return result
}

// pass closes the serial visits left open when the order turns up in another serial stage: one
// further on skips them, one further back is rework. What the same event opened stays.
func (f *folded) pass(next int, x *fact) {
	for i := range f.visits {
		v := &f.visits[i]
		if !v.open() || f.plan.flow.Stages[v.stage].Parallel || int(v.openedBy) == f.place() {
			continue
		}
		v.close(x.at, x.inferred)
		f.resume(int(v.stage), x.at)
		if int(v.stage) < next {
			v.verdict = visitSkipped
		} else {
			v.rework = true
		}
	}
}

// begin opens a visit; left, it ends at once.
func (f *folded) begin(stage int, x *fact, left bool) {
	s := &f.plan.flow.Stages[stage]
	n := int32(1)
	for i := range f.visits {
		if int(f.visits[i].stage) == stage {
			n++
		}
	}
	f.visits = append(f.visits, visit{
		entered: x.at, left: never, deadline: never, stage: int32(stage), n: n, openedBy: int32(f.place()), rework: n > 1, inferred: x.inferred,
	})
	v := &f.visits[len(f.visits)-1]
	if n > 1 {
		f.counts.Rework++
	}
	if within := s.WithinFor(f.attr); !within.IsZero() {
		v.deadline = nanosOf(s.Calendar.Add(x.at.time(), within))
	}
	if left {
		v.close(x.at, x.inferred)
	} else {
		f.pause(stage, x.at)
	}
}

// takeEarly reports whether a leave of the stage came just before and consumes it: it was expected after all.
func (f *folded) takeEarly(stage int, at nanos) bool {
	i := slices.IndexFunc(f.early, func(e early) bool { return e.stage == stage && at.sub(e.at) <= earlyLeave })
	if i < 0 {
		return false
	}
	e := f.early[i]
	f.early = slices.Delete(f.early, i, i+1)
	if e.counted {
		f.counts.Unexpected--
		f.setCounted(e.by, false)
	}
	return true
}

// receive closes, inferred, the hand-offs into the status's system: it has the order.
func (f *folded) receive(st *step, x *fact) (any bool) {
	for _, stage := range st.receives {
		if v := f.open(stage); v != nil && int(v.openedBy) != f.place() {
			v.close(x.at, true)
			f.resume(stage, x.at)
			any = true
		}
	}
	return any
}

func (f *folded) open(stage int) *visit {
	for i := range f.visits {
		if v := &f.visits[i]; int(v.stage) == stage && v.open() {
			return v
		}
	}
	return nil
}

// end closes what is still open: a finished order waits nowhere.
func (f *folded) end(state State, at nanos) {
	for i := range f.visits {
		if v := &f.visits[i]; v.open() {
			v.close(at, true)
			v.verdict = visitSkipped
			f.resume(int(v.stage), at)
		}
	}
	f.endPromises(state, at)
	f.state, f.ended = state, at
}

func (v *visit) open() bool { return v.left == never }

func (v *visit) close(at nanos, inferred bool) {
	v.left = at
	v.inferred = v.inferred || inferred
	v.verdict = visitMet
	if v.deadline != never && at > v.deadline {
		v.verdict = visitLate
	}
}
