package sla

import (
	"slices"
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
	created  time.Time
	updated  time.Time
	ended    time.Time
	keys     []order.Key
	attrs    []order.Attr
	statuses []order.Status // last of each system
	visits   []visit
	promises []promise
	early    []early // leaves that came before their enter
	messages []*fact
	refused  []order.Key
	counts   Counts
}

// visit is a Visit with what folding needs to know of it.
type visit struct {
	Visit
	stage     int
	openedBy  *fact
	scheduled bool
}

// early is a leave that found its stage empty.
type early struct {
	stage   int
	at      time.Time
	by      *fact
	counted bool // as unexpected
}

func newFolded(p *plan) *folded { return &folded{plan: p, state: StateOpen} }

// apply folds in the next fact; facts must come in their total order.
func (f *folded) apply(x *fact) {
	f.note(x)
	f.moveDues(x.at)
	switch x.kind {
	case order.KindMessage:
		f.messages = append(f.messages, x)
		return
	case order.KindLink, order.KindUnlink: // says names, not what happens
		return
	}
	f.remember(x.status)
	st := f.plan.of(x.status)
	if f.state != StateOpen {
		if !st.reopen {
			f.counts.AfterTerminal++
			return
		}
		f.state, f.ended = StateOpen, time.Time{}
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
	if f.created.IsZero() {
		f.created = x.at
	}
	f.updated = x.at
	f.counts.Events++
	if len(x.refused) > 0 {
		f.counts.Conflicts++
	}
	f.learn(x)
}

// learn takes over the keys and attributes of a fact.
func (f *folded) learn(x *fact) {
	for _, k := range x.keys {
		if slices.Contains(x.refused, k) {
			f.refused = append(f.refused, k)
		} else if !slices.Contains(f.keys, k) {
			f.keys = append(f.keys, k)
		}
	}
	for _, a := range x.attrs {
		i := slices.IndexFunc(f.attrs, func(b order.Attr) bool { return b.Name == a.Name })
		if i < 0 {
			f.attrs = append(f.attrs, a)
		} else {
			f.attrs[i] = a
		}
	}
}

func (f *folded) remember(s order.Status) {
	i := slices.IndexFunc(f.statuses, func(t order.Status) bool { return t.System == s.System })
	if i < 0 {
		f.statuses = append(f.statuses, s)
	} else {
		f.statuses[i] = s
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
		f.setCounted(x, true)
	}
}

// setCounted notes of a fact's early leaves whether it counts as unexpected.
func (f *folded) setCounted(x *fact, counted bool) {
	for i := range f.early {
		if f.early[i].by == x {
			f.early[i].counted = counted
		}
	}
}

// leave closes the open visits that the status is a leave of. A leave that finds none waits a
// moment for its enter.
func (f *folded) leave(st *step, x *fact) (any bool) {
	f.early = slices.DeleteFunc(f.early, func(e early) bool { return x.at.Sub(e.at) > earlyLeave })
	for _, stage := range st.leaves {
		if v := f.open(stage); v != nil {
			v.close(x.at, x.inferred)
			f.resume(stage, x.at)
			any = true
		} else {
			f.early = append(f.early, early{stage: stage, at: x.at, by: x})
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
		if !v.Open() || f.plan.flow.Stages[v.stage].Parallel || v.openedBy == x {
			continue
		}
		v.close(x.at, x.inferred)
		f.resume(v.stage, x.at)
		if v.stage < next {
			v.Verdict = VerdictSkipped
		} else {
			v.Rework = true
		}
	}
}

// begin opens a visit; left, it ends at once.
func (f *folded) begin(stage int, x *fact, left bool) {
	s := &f.plan.flow.Stages[stage]
	n := 1
	for i := range f.visits {
		if f.visits[i].stage == stage {
			n++
		}
	}
	v := visit{stage: stage, openedBy: x}
	v.Stage, v.N, v.Entered, v.Verdict = s.Name, n, x.at, VerdictOpen
	v.Inferred = x.inferred
	if n > 1 {
		v.Rework = true
		f.counts.Rework++
	}
	if within := s.WithinFor(f.attr); !within.IsZero() {
		v.Deadline = s.Calendar.Add(x.at, within).UTC()
	}
	if left {
		v.close(x.at, x.inferred)
	} else {
		f.pause(stage, x.at)
	}
	f.visits = append(f.visits, v)
}

// takeEarly reports whether a leave of the stage came just before and consumes it: it was expected after all.
func (f *folded) takeEarly(stage int, at time.Time) bool {
	i := slices.IndexFunc(f.early, func(e early) bool { return e.stage == stage && at.Sub(e.at) <= earlyLeave })
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
		if v := f.open(stage); v != nil && v.openedBy != x {
			v.close(x.at, true)
			f.resume(stage, x.at)
			any = true
		}
	}
	return any
}

func (f *folded) open(stage int) *visit {
	for i := range f.visits {
		if v := &f.visits[i]; v.stage == stage && v.Open() {
			return v
		}
	}
	return nil
}

// end closes what is still open: a finished order waits nowhere.
func (f *folded) end(state State, at time.Time) {
	for i := range f.visits {
		if v := &f.visits[i]; v.Open() {
			v.close(at, true)
			v.Verdict = VerdictSkipped
			f.resume(v.stage, at)
		}
	}
	f.endPromises(state, at)
	f.state, f.ended = state, at
}

func (v *visit) close(at time.Time, inferred bool) {
	v.Left = at
	v.Inferred = v.Inferred || inferred
	v.Verdict = VerdictMet
	if !v.Deadline.IsZero() && at.After(v.Deadline) {
		v.Verdict = VerdictLate
	}
}
