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
	messages []*Record
	refused  []order.Key
	counts   Counts
}

// visit is a Visit with what folding needs to know of it.
type visit struct {
	Visit
	stage     int
	openedBy  *Record
	scheduled bool
}

type early struct {
	stage int
	at    time.Time
}

func newFolded(p *plan) *folded { return &folded{plan: p, state: StateOpen} }

// apply folds in the next fact; facts must come in their total order.
func (f *folded) apply(x *fact) {
	e := &x.rec.Event
	if f.created.IsZero() {
		f.created = x.at
	}
	f.updated = x.at
	f.counts.Events++
	f.learn(x.rec)
	f.moveDues(x.at)
	if e.Kind == order.KindMessage {
		f.messages = append(f.messages, x.rec)
		return
	}
	status := order.Status{System: e.System, Name: e.Status}
	f.remember(status)
	st := f.plan.of(status)
	if f.state != StateOpen {
		if !st.reopen {
			f.counts.AfterTerminal++
			return
		}
		f.state, f.ended = StateOpen, time.Time{}
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

// learn takes over the keys and attributes of a record.
func (f *folded) learn(r *Record) {
	for _, k := range r.Event.Keys {
		if slices.Contains(r.Link.Refused, k) {
			f.refused = append(f.refused, k)
		} else if !slices.Contains(f.keys, k) {
			f.keys = append(f.keys, k)
		}
	}
	for _, a := range r.Event.Attrs {
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
	if len(st.leaves) > 0 && !left && !entered.repeat && !received && !x.rec.Event.Inferred {
		f.counts.Unexpected++
	}
}

// leave closes the open visits that the status is a leave of. A leave that finds none waits a
// moment for its enter.
func (f *folded) leave(st *step, x *fact) (any bool) {
	for _, stage := range st.leaves {
		if v := f.open(stage); v != nil {
			v.close(x.at, x.rec.Event.Inferred)
			f.resume(stage, x.at)
			any = true
		} else {
			f.early = append(f.early, early{stage, x.at})
		}
	}
	return any
}

type entering struct{ repeat bool }

// enter opens the stages that the status enters and closes the serial visits that it passes by.
func (f *folded) enter(st *step, x *fact) entering {
	var result entering
	for _, stage := range st.enters {
		if v := f.open(stage); v != nil {
			f.counts.Repeats++
			result.repeat = true
			continue
		}
		if !f.plan.flow.Stages[stage].Parallel {
			f.pass(stage, x)
		}
		f.begin(stage, x)
	}
	return result
}

// pass closes the serial visits left open when the order turns up in another serial stage: one
// further on skips them, one further back is rework. What the same event opened stays.
func (f *folded) pass(next int, x *fact) {
	for i := range f.visits {
		v := &f.visits[i]
		if !v.Open() || f.plan.flow.Stages[v.stage].Parallel || v.openedBy == x.rec {
			continue
		}
		v.close(x.at, x.rec.Event.Inferred)
		f.resume(v.stage, x.at)
		if v.stage < next {
			v.Verdict = VerdictSkipped
		} else {
			v.Rework = true
		}
	}
}

func (f *folded) begin(stage int, x *fact) {
	s := &f.plan.flow.Stages[stage]
	n := 1
	for i := range f.visits {
		if f.visits[i].stage == stage {
			n++
		}
	}
	v := visit{stage: stage, openedBy: x.rec}
	v.Stage, v.N, v.Entered, v.Verdict = s.Name, n, x.at, VerdictOpen
	v.Inferred = x.rec.Event.Inferred
	if n > 1 {
		v.Rework = true
		f.counts.Rework++
	}
	if within := s.WithinFor(f.attr); !within.IsZero() {
		v.Deadline = s.Calendar.Add(x.at, within).UTC()
	}
	if f.takeEarly(stage, x.at) {
		v.close(x.at, x.rec.Event.Inferred)
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
	f.early = slices.Delete(f.early, i, i+1)
	f.counts.Unexpected = max(0, f.counts.Unexpected-1)
	return true
}

// receive closes, inferred, the hand-offs into the status's system: it has the order.
func (f *folded) receive(st *step, x *fact) (any bool) {
	for _, stage := range st.receives {
		if v := f.open(stage); v != nil && v.openedBy != x.rec {
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
