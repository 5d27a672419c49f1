package sla

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// reference judges one order in the most obviously right way: all records are there, sorted, read
// once from the front, and nothing is remembered from an earlier judgement. It is what the engine is
// held to, written from the rules and not from the engine.
type reference struct {
	flow  *order.Flow
	now   time.Time
	attrs map[string]string
	early []refEarly
	odd   map[int]bool // events, by number, that were leaves and left nothing
	live  []refEvent   // statuses that came while the order was on its way
	Order
}

// refEarly is a leave that found its stage empty.
type refEarly struct {
	stage string
	at    time.Time
	event int
}

type refEvent struct {
	at     time.Time
	status order.Status
	due    map[string]string // attributes as of this event
	end    State             // what the event makes of the order
	quiet  bool              // says nothing, only brings attributes
}

// referenceOrder judges an order at an instant, by what its sources prove.
func referenceOrder(flow *order.Flow, records []Record, now time.Time, sources map[string]SourceState) Order {
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(correctedTime(a).Compare(correctedTime(b)), strings.Compare(a.Event.Source, b.Event.Source),
			cmp.Compare(a.Event.Epoch, b.Event.Epoch), cmp.Compare(a.Event.Seq, b.Event.Seq), strings.Compare(a.Event.ID, b.Event.ID))
	})
	r := &reference{flow: flow, now: now, attrs: map[string]string{}, odd: map[int]bool{}}
	r.State = StateOpen
	for _, record := range records {
		r.see(&record.Event, correctedTime(record))
		r.Counts.Conflicts += btoi(len(record.Link.Refused) > 0)
	}
	r.Counts.Unexpected = len(r.odd)
	for i := range r.Visits {
		r.judgeVisit(&r.Visits[i], sources)
	}
	for i := range flow.Promises {
		r.promise(&flow.Promises[i])
	}
	for name, value := range r.attrs {
		r.Attrs = append(r.Attrs, order.Attr{Name: name, Value: value})
	}
	slices.SortFunc(r.Attrs, func(a, b order.Attr) int { return strings.Compare(a.Name, b.Name) })
	return r.Order
}

func correctedTime(r Record) time.Time { return r.Event.Time.Add(-r.Offset).UTC() }

func (r *reference) attr(name string) (string, bool) { v, ok := r.attrs[name]; return v, ok }

func (r *reference) see(e *order.Event, at time.Time) {
	r.Counts.Events++
	if r.Counts.Events == 1 {
		r.Created = at
	}
	r.Updated = at
	for _, a := range e.Attrs {
		r.attrs[a.Name] = a.Value
	}
	attrs := map[string]string{}
	for name, value := range r.attrs {
		attrs[name] = value
	}
	event := refEvent{at: at, status: order.Status{System: e.System, Name: e.Status}, due: attrs}
	if e.Kind == order.KindMessage || e.Kind == order.KindLink || e.Kind == order.KindUnlink {
		event.quiet = true
		r.live = append(r.live, event)
		return
	}
	if r.State != StateOpen {
		if !event.status.Matches(r.flow.Reopen) {
			r.Counts.AfterTerminal++
			return
		}
		r.State, r.Ended = StateOpen, time.Time{}
		r.Counts.Reopened++
	}
	r.step(event.status, at, e.Inferred)
	switch {
	case event.status.Matches(r.flow.Finish):
		event.end = StateFinished
	case event.status.Matches(r.flow.Cancel):
		event.end = StateCancelled
	}
	if event.end != "" {
		r.State, r.Ended = event.end, at
		for i := range r.Visits { // nothing stays open in an order that has ended
			if r.Visits[i].Open() {
				r.Visits[i].Left, r.Visits[i].Verdict, r.Visits[i].Inferred = at, VerdictSkipped, true
			}
		}
	}
	r.live = append(r.live, event)
}

// step moves the visits: first what the status closes, then what it opens.
func (r *reference) step(s order.Status, at time.Time, inferred bool) {
	left, passed := map[string]bool{}, false
	into := r.serialEntered(s, at)
	for i := range r.Visits {
		v := &r.Visits[i]
		stage, index := r.flow.Stage(v.Stage)
		switch {
		case !v.Open():
		case s.Matches(stage.Leave):
			r.close(v, at, inferred)
			left[v.Stage] = true
		case stage.Kind == order.Handoff && slices.ContainsFunc(stage.Leave, func(l order.Status) bool { return l.System == s.System }):
			r.close(v, at, true)
			passed = true
		case stage.Parallel || into < 0 || into == index:
		case into > index:
			v.Left, v.Verdict, v.Inferred = at, VerdictSkipped, v.Inferred || inferred
		default:
			r.close(v, at, inferred)
			v.Rework = true
		}
	}
	repeats := r.Counts.Repeats
	for i := range r.flow.Stages {
		if stage := &r.flow.Stages[i]; s.Matches(stage.Enter) {
			r.enter(stage, at, inferred)
		}
	}
	leave := false
	for _, stage := range r.flow.Stages {
		if s.Matches(stage.Leave) {
			leave = true
			if !left[stage.Name] {
				r.early = append(r.early, refEarly{stage.Name, at, r.Counts.Events})
			}
		}
	}
	if leave && len(left) == 0 && !passed && r.Counts.Repeats == repeats && !inferred {
		r.odd[r.Counts.Events] = true
	}
}

// serialEntered returns the serial stage that the status brings the order into, to stay, or -1.
func (r *reference) serialEntered(s order.Status, at time.Time) int {
	return slices.IndexFunc(r.flow.Stages, func(stage order.Stage) bool {
		return !stage.Parallel && s.Matches(stage.Enter) && r.leftEarly(stage.Name, at) < 0
	})
}

// leftEarly returns which of the early leaves belongs to an enter of now, or -1.
func (r *reference) leftEarly(stage string, at time.Time) int {
	return slices.IndexFunc(r.early, func(e refEarly) bool { return e.stage == stage && at.Sub(e.at) <= 2*time.Second })
}

func (r *reference) close(v *Visit, at time.Time, inferred bool) {
	v.Left, v.Verdict, v.Inferred = at, VerdictMet, v.Inferred || inferred
	if !v.Deadline.IsZero() && at.After(v.Deadline) {
		v.Verdict = VerdictLate
	}
}

func (r *reference) enter(stage *order.Stage, at time.Time, inferred bool) {
	n := 1
	for _, v := range r.Visits {
		if v.Stage == stage.Name && v.Open() {
			r.Counts.Repeats++
			return
		}
		if v.Stage == stage.Name {
			n++
		}
	}
	v := Visit{Stage: stage.Name, N: n, Entered: at, Rework: n > 1, Inferred: inferred}
	if within := stage.WithinFor(r.attr); !within.IsZero() {
		v.Deadline = stage.Calendar.Add(at, within)
	}
	if n > 1 {
		r.Counts.Rework++
	}
	if i := r.leftEarly(stage.Name, at); i >= 0 {
		r.close(&v, at, inferred)
		delete(r.odd, r.early[i].event)
		r.early = slices.Delete(r.early, i, i+1)
	}
	r.Visits = append(r.Visits, v)
}

// judgeVisit says whether an open visit is stuck: its deadline has passed, and everyone who could
// have seen the leave says there was none.
func (r *reference) judgeVisit(v *Visit, sources map[string]SourceState) {
	if !v.Open() {
		return
	}
	v.Verdict = VerdictOpen
	if v.Deadline.IsZero() || r.now.Before(v.Deadline) {
		return
	}
	v.Verdict = VerdictStuck
	stage, _ := r.flow.Stage(v.Stage)
	for _, name := range stage.Reporters {
		s := sources[name]
		blind := s.Watermark.IsZero() || s.Watermark.Before(v.Deadline.Add(s.Offset))
		for _, g := range s.Gaps {
			ended := !g.To.IsZero() && g.To.Before(v.Entered.Add(s.Offset))
			blind = blind || !ended && !g.From.After(v.Deadline.Add(s.Offset))
		}
		if blind {
			v.Verdict = VerdictUnknown
		}
		v.Approximate = v.Approximate || s.Approximate
	}
	if len(stage.Reporters) == 0 {
		v.Verdict = VerdictUnknown
	}
	v.Approximate = v.Approximate && v.Verdict == VerdictStuck
}

// promise reads the order's life a second time, for one promise.
func (r *reference) promise(p *order.Promise) {
	from := slices.IndexFunc(r.live, func(e refEvent) bool { return !e.quiet && e.status.Matches(p.Start) })
	if from < 0 {
		return
	}
	out := Promise{Name: p.Name, Start: r.live[from].at, Verdict: PromiseOnTrack}
	rest, end := r.live[from:], State("")
	for i, e := range rest {
		if !e.quiet && (e.status.Matches(p.Stop) || e.end != "") {
			out.Stop, rest, end = e.at, rest[:i+1], e.end
			if e.status.Matches(p.Stop) {
				end = StateFinished
			}
			break
		}
	}
	until := out.Stop
	if until.IsZero() {
		until = r.now
	}
	passed := false
	if p.Due != "" {
		out.Due, passed = r.givenDue(p, rest, until)
	} else {
		attrs := rest[0].due
		within := p.WithinFor(func(name string) (string, bool) { v, ok := attrs[name]; return v, ok })
		out.Due, passed, out.Paused = r.runningDue(p, within, out.Start, until, out.Stop.IsZero())
	}
	switch {
	case out.Stop.IsZero() && passed:
		out.Verdict = PromiseBreached
	case out.Stop.IsZero():
	case passed:
		out.Verdict = PromiseLate
	case end == StateCancelled:
		out.Verdict = PromiseCancelled
	default:
		out.Verdict = PromiseKept
	}
	r.Promises = append(r.Promises, out)
}

// givenDue follows the promised instant through its changes, to the first one that passed.
func (r *reference) givenDue(p *order.Promise, events []refEvent, until time.Time) (due time.Time, passed bool) {
	for i, e := range events {
		if at, err := time.Parse(time.RFC3339, e.due[p.Due]); err == nil {
			due = at.UTC()
			if p.EndOfDay {
				y, m, d := at.In(r.flow.Timezone).Date()
				due = time.Date(y, m, d+1, 0, 0, 0, -1, r.flow.Timezone).UTC()
			}
		}
		next := until
		if i+1 < len(events) {
			next = events[i+1].at
		}
		if !due.IsZero() && next.After(due) {
			return due, true
		}
	}
	return due, false
}

// runningDue adds what was paused to the time that was promised.
func (r *reference) runningDue(p *order.Promise, within order.Span, start, until time.Time, running bool) (due time.Time, passed, paused bool) {
	due = p.Calendar.Add(start, within)
	reached := start // pauses are counted up to here
	for _, v := range r.Visits {
		if !slices.Contains(p.PauseIn, v.Stage) || v.Entered.After(due) {
			continue
		}
		from, to := v.Entered, v.Left
		if from.Before(reached) {
			from = reached
		}
		if to.IsZero() || to.After(until) {
			to = until
			paused = running && v.Open()
		}
		if !to.After(from) {
			continue
		}
		if within.Unit == order.OpenTime || within.Unit == order.WorkingDays {
			due = p.Calendar.Add(due, order.Span{Unit: order.OpenTime, Amount: p.Calendar.Between(from, to)})
		} else {
			due = due.Add(to.Sub(from))
		}
		reached = to
	}
	if paused {
		return time.Time{}, false, true
	}
	return due, until.After(due), false
}
