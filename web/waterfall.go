package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// waterfall is an order's life as bars on lanes. Positions are percents of the width, so one
// drawing serves every screen.
type waterfall struct {
	Lanes []lane
	Ticks []tick
	Now   string // position, "" where now is outside
	Label string // what the picture shows, in words
}

// lane is one stage or one promise.
type lane struct {
	Name    string
	Kind    *mark // nil for a promise
	Text    string
	Bars    []bar
	Markers []marker
}

// bar is a stretch of time; Title says what it was.
type bar struct{ Code, X, Width, Title string }

// marker is a deadline.
type marker struct{ X, Title string }

type tick struct{ X, Text string }

// scale maps instants to percents.
type scale struct{ from, to time.Time }

func (s scale) at(t time.Time) float64 {
	return min(100, max(0, 100*float64(t.Sub(s.from))/float64(s.to.Sub(s.from))))
}

func (s scale) x(t time.Time) string { return percent(s.at(t)) }

func (s scale) width(a, b time.Time) string { return percent(max(0, s.at(b)-s.at(a))) }

func (s scale) has(t time.Time) bool { return !t.IsZero() && !t.Before(s.from) && !t.After(s.to) }

func percent(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + "%" }

// drawOrder draws an order as it is at the clock's now.
func drawOrder(c clock, flow *order.Flow, o *sla.Order) *waterfall {
	if len(o.Visits) == 0 {
		return nil
	}
	sc := scaleOf(c, o)
	w := &waterfall{Ticks: ticksOf(c, sc), Label: c.T("order.waterfall", "from", c.Stamp(sc.from), "to", c.Stamp(sc.to))}
	for i := range o.Promises {
		w.Lanes = append(w.Lanes, promiseLane(c, sc, &o.Promises[i]))
	}
	for _, name := range visitedStages(flow, o) {
		w.Lanes = append(w.Lanes, stageLane(c, sc, flow, o, name))
	}
	if o.State == sla.StateOpen && sc.has(c.now) {
		w.Now = sc.x(c.now)
	}
	return w
}

// scaleOf spans the order's life, and the deadlines ahead as long as they do not dwarf it.
func scaleOf(c clock, o *sla.Order) scale {
	sc := scale{from: o.Visits[0].Entered, to: o.Updated}
	if o.State == sla.StateOpen {
		sc.to = c.now
	}
	for i := range o.Visits {
		sc.from = earliest(sc.from, o.Visits[i].Entered)
		sc.to = latest(sc.to, o.Visits[i].Left)
	}
	for i := range o.Promises {
		sc.from = earliest(sc.from, o.Promises[i].Start)
	}
	life := max(sc.to.Sub(sc.from), time.Second)
	limit := sc.from.Add(2 * life)
	sc.to = sc.from.Add(life)
	ahead := func(t time.Time) {
		if t.Before(limit) {
			sc.to = latest(sc.to, t)
		}
	}
	for i := range o.Visits {
		if o.Visits[i].Open() {
			ahead(o.Visits[i].Deadline)
		}
	}
	for i := range o.Promises {
		ahead(o.Promises[i].Due)
	}
	sc.to = sc.to.Add(sc.to.Sub(sc.from) / 40) // room for the line at the end
	return sc
}

func earliest(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// visitedStages returns the stages of the order's visits: the flow's in its order, then those that
// the flow no longer has.
func visitedStages(flow *order.Flow, o *sla.Order) []string {
	var names []string
	for i := range o.Visits {
		if !slices.Contains(names, o.Visits[i].Stage) {
			names = append(names, o.Visits[i].Stage)
		}
	}
	place := func(name string) int {
		if _, i := flow.Stage(name); i >= 0 {
			return i
		}
		return len(flow.Stages)
	}
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	return names
}

func promiseLane(c clock, sc scale, p *sla.Promise) lane {
	end := p.Stop
	if end.IsZero() {
		end = c.now
	}
	l := lane{Name: p.Name, Text: c.Verdict(string(p.Verdict)).Word}
	title := c.T("order.promise_title", "name", p.Name, "verdict", l.Text)
	l.Bars = split(sc, p.Start, p.Due, end, "promise", "promise-late", title)
	l.addMarker(c, sc, p.Due)
	return l
}

func stageLane(c clock, sc scale, flow *order.Flow, o *sla.Order, name string) lane {
	l := lane{Name: name}
	if st, _ := flow.Stage(name); st != nil {
		kind := c.Kind(st.Kind)
		l.Kind = &kind
	}
	var spent time.Duration
	for i := range o.Visits {
		v := &o.Visits[i]
		if v.Stage != name {
			continue
		}
		end := endOf(c, o, v)
		spent += end.Sub(v.Entered)
		title := c.T("order.visit_title", "stage", name, "verdict", c.Verdict(string(v.Verdict)).Word, "span", c.Span(end.Sub(v.Entered)))
		l.Bars = append(l.Bars, split(sc, v.Entered, v.Deadline, end, calm(v.Verdict), string(v.Verdict), title)...)
		l.addMarker(c, sc, v.Deadline)
	}
	l.Text = c.Span(spent)
	return l
}

// endOf returns where a visit's bar ends: an open visit of an ended order stops growing.
func endOf(c clock, o *sla.Order, v *sla.Visit) time.Time {
	switch {
	case !v.Open():
		return v.Left
	case !o.Ended.IsZero():
		return latest(v.Entered, o.Ended)
	}
	return latest(v.Entered, c.now)
}

// calm is the look of a visit before its deadline.
func calm(v sla.Verdict) string {
	switch v {
	case sla.VerdictStuck, sla.VerdictUnknown:
		return string(sla.VerdictOpen)
	case sla.VerdictLate:
		return string(sla.VerdictMet)
	}
	return string(v)
}

// split draws a stretch in two looks, before and after its deadline.
func split(sc scale, from, deadline, to time.Time, before, after, title string) []bar {
	if deadline.IsZero() || !to.After(deadline) {
		return []bar{{before, sc.x(from), sc.width(from, to), title}}
	}
	if !deadline.After(from) {
		return []bar{{after, sc.x(from), sc.width(from, to), title}}
	}
	return []bar{
		{before, sc.x(from), sc.width(from, deadline), title},
		{after, sc.x(deadline), sc.width(deadline, to), title},
	}
}

func (l *lane) addMarker(c clock, sc scale, t time.Time) {
	if sc.has(t) {
		l.Markers = append(l.Markers, marker{sc.x(t), c.T("order.deadline_title", "at", c.Stamp(t))})
	}
}

var tickSteps = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
	12 * time.Hour, 24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour, 91 * 24 * time.Hour, 364 * 24 * time.Hour,
}

const maxTicks = 5

// ticksOf places round instants of the flow's zone, few enough for a phone.
func ticksOf(c clock, sc scale) []tick {
	step := tickSteps[len(tickSteps)-1]
	for _, s := range tickSteps {
		if sc.to.Sub(sc.from)/s <= maxTicks {
			step = s
			break
		}
	}
	local := sc.from.In(c.zone)
	t := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, c.zone)
	if step < 24*time.Hour {
		t = t.Add(sc.from.Sub(t).Truncate(step))
	}
	var ticks []tick
	for ; !t.After(sc.to) && len(ticks) <= maxTicks; t = nextTick(t, step) {
		if t.Before(sc.from) || sc.at(t) > 92 {
			continue // a label there would be cut
		}
		ticks = append(ticks, tick{sc.x(t), c.tickText(t, step)})
	}
	return ticks
}

// nextTick steps by calendar days where it can, so that ticks stay on midnight.
func nextTick(t time.Time, step time.Duration) time.Time {
	if days := int(step / (24 * time.Hour)); days > 0 {
		return t.AddDate(0, 0, days)
	}
	return t.Add(step)
}

func (c clock) tickText(t time.Time, step time.Duration) string {
	local := t.In(c.zone)
	switch {
	case local.Hour() == 0 && local.Minute() == 0 && local.Second() == 0:
		return c.day(t)
	case step < time.Minute:
		return local.Format("15:04:05")
	}
	return local.Format("15:04")
}
