package simulation

import (
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

var (
	historyStart = time.Date(2025, 11, 21, 0, 0, 0, 0, time.UTC)
	historyEnd   = historyStart.AddDate(1, 0, 0)
)

func exampleFlow(t testing.TB) *order.Flow {
	t.Helper()
	flow, err := order.ParseFlow(examples.FlowName, examples.Flow())
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

func newSimulation(t testing.TB, seed uint64, live ...Period) *Simulation {
	t.Helper()
	s, err := New(Options{Seed: seed, Start: historyStart, Flow: exampleFlow(t), Live: live})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// watcher is an engine that is told all a simulation yields.
type watcher struct {
	engine   *sla.Engine
	resolver *sla.Resolver
	tracker  *sla.Tracker
	seq      int64
	keys     map[order.Key]sla.OrderID
	orders   map[sla.OrderID]sla.Order
	records  map[sla.OrderID][]order.Event
	audit    []sla.AuditEntry
}

func newWatcher(flow *order.Flow) *watcher {
	return &watcher{
		engine:   sla.New(sla.Options{Flow: flow, ProvenByClock: true}),
		resolver: sla.NewResolver(flow.Keys, 1), tracker: sla.NewTracker(nil),
		keys: map[order.Key]sla.OrderID{}, orders: map[sla.OrderID]sla.Order{}, records: map[sla.OrderID][]order.Event{},
	}
}

func (w *watcher) take(t *testing.T, events []order.Event) {
	t.Helper()
	for i := range events {
		e := events[i]
		w.engine.Advance(e.Time.Add(-1))
		if got := w.tracker.Take(&e, e.Observed); got != sla.TakenAccepted {
			t.Fatalf("event %d of %s was not accepted: %d", e.Seq, e.Source, got)
		}
		b := &sla.Batch{At: e.Observed}
		if e.Kind == order.KindWatermark || e.Kind == order.KindGap {
			b.Sources = w.tracker.Touched()
		} else {
			b.Records = []sla.Record{w.record(t, &e)}
		}
		w.tracker.Commit()
		w.engine.Apply(b)
	}
}

func (w *watcher) record(t *testing.T, e *order.Event) sla.Record {
	t.Helper()
	res := w.resolver.Resolve(e) // never committed, so that it forgets nothing
	if len(res.Link.Absorbed)+len(res.Link.Refused) > 0 {
		t.Fatalf("%s/%s of %v merges or contradicts: %+v", e.System, e.Status, e.Keys, res.Link)
	}
	for _, k := range e.Keys {
		w.keys[k] = res.Order
	}
	w.records[res.Order] = append(w.records[res.Order], *e)
	w.seq++
	return sla.Record{Seq: w.seq, Order: res.Order, Received: e.Observed, Event: *e}
}

func (w *watcher) flush(t *testing.T) {
	t.Helper()
	c := w.engine.Flush()
	if len(c.History) > 0 {
		t.Fatalf("events came for orders that had ended: %v", c.History)
	}
	for _, o := range c.Orders {
		w.orders[o.ID] = o
	}
	w.audit = append(w.audit, c.Audit...)
}

// watchYear runs the twelve months of history.
func watchYear(t *testing.T) (*Simulation, *watcher, []order.Event) {
	t.Helper()
	s := newSimulation(t, 1)
	w := newWatcher(s.Flow)
	var all []order.Event
	for m := range 12 {
		events := s.Next(historyStart.AddDate(0, m+1, 0))
		w.take(t, events)
		w.flush(t)
		all = append(all, events...)
	}
	w.engine.Advance(historyEnd)
	w.flush(t)
	return s, w, all
}

func TestHistory(t *testing.T) {
	s, w, events := watchYear(t)
	t.Run("events can be committed", func(t *testing.T) { checkValid(t, s.Flow, events) })
	t.Run("every status of the flow occurs", func(t *testing.T) { checkStatuses(t, s.Flow, events) })
	t.Run("orders a month are as many as assumed", func(t *testing.T) { checkMonths(t, events) })
	t.Run("faults are found where they are", func(t *testing.T) { checkFaults(t, s, w) })
	t.Run("nothing else is called stuck but what waited too long", func(t *testing.T) { checkHealthy(t, s, w) })
	t.Run("fewer promises are kept from month to month", func(t *testing.T) { checkKept(t, w) })
	t.Run("one tap was away for an hour", func(t *testing.T) { checkGap(t, events) })
	if testing.Verbose() {
		describe(t, s, w)
	}
}

func checkValid(t *testing.T, flow *order.Flow, events []order.Event) {
	last := map[string]uint64{}
	var at time.Time
	for i := range events {
		e := &events[i]
		if err := e.Validate(environment); err != nil {
			t.Fatalf("event %d of %s: %v", e.Seq, e.Source, err)
		}
		if err := flow.CheckKeys(e); err != nil {
			t.Fatal(err)
		}
		if e.Epoch != 1 || e.Seq != last[e.Source]+1 {
			t.Fatalf("%s: %d.%d comes after %d", e.Source, e.Epoch, e.Seq, last[e.Source])
		}
		if last[e.Source] = e.Seq; e.Time.Before(at) {
			t.Fatalf("%s comes after %s", e.Time, at)
		}
		at = e.Time
		if e.Kind == order.KindWatermark && e.Watermark.Through != e.Seq-1 {
			t.Fatalf("watermark %d vouches for %d", e.Seq, e.Watermark.Through)
		}
	}
}

func checkStatuses(t *testing.T, flow *order.Flow, events []order.Event) {
	seen := map[order.Status]int{}
	routes := map[string]int{}
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case order.KindStatus:
			seen[order.Status{System: e.System, Name: e.Status}]++
		case order.KindMessage:
			routes[e.Message.Destination+" "+e.Message.RoutingKey]++
		default: // of the source itself
		}
	}
	wanted := slices.Concat(flow.Finish, flow.Cancel)
	for _, stage := range flow.Stages {
		wanted = slices.Concat(wanted, stage.Enter, stage.Leave)
	}
	for _, status := range wanted {
		if seen[status] == 0 {
			t.Errorf("%s never occurs", status)
		}
	}
	for _, route := range []string{"mes.events price.shop", "mes.events price.partner", "crm.events order.approved", "mes.events order.shipped"} {
		if routes[route] == 0 {
			t.Errorf("no message %s", route)
		}
	}
}

func checkMonths(t *testing.T, events []order.Event) {
	var shop, partner [12]int
	for i := range events {
		e := &events[i]
		m := 0
		for m < 11 && !e.Time.Before(historyStart.AddDate(0, m+1, 0)) {
			m++
		}
		channel, _ := e.Attr("channel")
		switch {
		case e.Kind != order.KindStatus || e.Status != "SUBMITTED":
		case e.System == "shop":
			shop[m]++
		case channel == channelPartner:
			partner[m]++
		}
	}
	for m := range 12 {
		want := 600 + 100*m
		if shop[m] < want*9/10 || shop[m] > want*11/10 {
			t.Errorf("month %d: %d shop orders, assumed are %d", m, shop[m], want)
		}
		share := float64(partner[m]) / float64(want)
		if m < 3 && partner[m] > 0 || m >= 3 && (share < 0.22 || share > 0.5) {
			t.Errorf("month %d: partners bring %.0f %% on top", m, 100*share)
		}
	}
}

// find returns the visit that a fault is about.
func (w *watcher) find(f *Fault) *sla.Visit {
	o := w.orders[w.keys[f.Keys[0]]]
	for i := range o.Visits {
		if v := &o.Visits[i]; v.Stage == f.Stage && v.Entered.Equal(f.Began) {
			return v
		}
	}
	return nil
}

func checkFaults(t *testing.T, s *Simulation, w *watcher) {
	count := map[Kind]int{}
	standing := 0
	for _, f := range s.Truth() {
		count[f.Kind]++
		v := w.find(&f)
		switch {
		case v == nil:
			t.Errorf("%s: order %v was never in %s", f.Kind, f.Keys, f.Stage)
		case !v.Deadline.Equal(f.Deadline):
			t.Errorf("%s: order %v: deadline %s, the engine says %s", f.Kind, f.Keys, f.Deadline, v.Deadline)
		case f.Deadline.Before(historyEnd) && v.StuckAt.IsZero():
			t.Errorf("%s: order %v was never called stuck in %s", f.Kind, f.Keys, f.Stage)
		case f.Found.IsZero() != v.Open():
			t.Errorf("%s: order %v in %s: found at %s, left at %s", f.Kind, f.Keys, f.Stage, f.Found, v.Left)
		}
		if f.Found.IsZero() {
			standing++
		}
	}
	for _, k := range kinds {
		if count[k.kind] == 0 {
			t.Errorf("%s never happened", k.kind)
		}
	}
	if standing == 0 {
		t.Error("no fault stands to this day")
	}
}

// checkHealthy looks at the statuses themselves: an order that was never in a stage for longer than its
// deadline allows must never have been called stuck.
func checkHealthy(t *testing.T, s *Simulation, w *watcher) {
	stuck, orders := 0, 0
	for id, o := range w.orders {
		overdue := overdueStages(s.Flow, w.records[id])
		ever := false
		for i := range o.Visits {
			v := &o.Visits[i]
			if v.StuckAt.IsZero() {
				continue
			}
			ever = true
			if !overdue[v.Stage] {
				t.Errorf("order %v was called stuck in %s and was not late there", o.Keys, v.Stage)
			}
		}
		if orders++; ever {
			stuck++
		}
	}
	if orders < 15000 || stuck < 500 || stuck > orders/2 {
		t.Errorf("%d of %d orders were stuck", stuck, orders)
	}
	for _, a := range w.audit {
		if a.Kind != sla.AuditStuck {
			t.Errorf("the engine says %s of order %d", a.Kind, a.Order)
		}
	}
}

// overdueStages finds, without the engine, the stages in which an order was too long: from an enter until the
// next status that may end it.
func overdueStages(flow *order.Flow, events []order.Event) map[string]bool {
	late := map[string]bool{}
	for i := range flow.Stages {
		stage := &flow.Stages[i]
		for j := range events {
			e := &events[j]
			if e.Kind != order.KindStatus || !(order.Status{System: e.System, Name: e.Status}).Matches(stage.Enter) {
				continue
			}
			within := stage.WithinFor(e.Attr)
			if within.IsZero() {
				continue
			}
			left := historyEnd
			for k := j + 1; k < len(events); k++ {
				next := order.Status{System: events[k].System, Name: events[k].Status}
				if events[k].Kind == order.KindStatus && (next.Matches(stage.Leave) || next.Matches(flow.Cancel)) {
					left = events[k].Time
					break
				}
			}
			if left.After(stage.Calendar.Add(e.Time, within)) {
				late[stage.Name] = true
			}
		}
	}
	return late
}

// kept returns the share of decided promises that were kept, by the month in which they were made.
func (w *watcher) kept() [12]float64 {
	var kept, decided [12]float64
	for _, o := range w.orders {
		for _, p := range o.Promises {
			m := 0
			for m < 11 && !p.Start.Before(historyStart.AddDate(0, m+1, 0)) {
				m++
			}
			switch p.Verdict {
			case sla.PromiseKept:
				kept[m]++
				decided[m]++
			case sla.PromiseLate, sla.PromiseBreached:
				decided[m]++
			default: // not decided, or none of ours
			}
		}
	}
	for m := range kept {
		kept[m] /= decided[m]
	}
	return kept
}

func checkKept(t *testing.T, w *watcher) {
	kept := w.kept()
	if first := (kept[0] + kept[1] + kept[2]) / 3; first < 0.95 || first > 0.99 {
		t.Errorf("in the first months %.1f %% were kept, about 97 was the aim", 100*first)
	}
	if last := kept[10]; last < 0.72 || last > 0.87 {
		t.Errorf("in the last full month %.1f %% were kept, about 80 was the aim", 100*last)
	}
}

func checkGap(t *testing.T, events []order.Event) {
	var gaps []order.Gap
	for i := range events {
		if events[i].Kind == order.KindGap {
			gaps = append(gaps, events[i].Gap)
		}
	}
	if len(gaps) != 1 || gaps[0].To.Sub(gaps[0].From) != time.Hour {
		t.Fatalf("gaps: %v", gaps)
	}
	for i := range events {
		if e := &events[i]; e.Source == rabbitMQ && e.Time.After(gaps[0].From) && e.Time.Before(gaps[0].To) {
			t.Fatalf("a tap without connection reported %v", e)
		}
	}
}

// describe logs what the year looks like.
func describe(t *testing.T, s *Simulation, w *watcher) {
	t.Helper()
	view := w.engine.Overview()
	t.Logf("orders %d, records %d, faults %d, open %d, late %d", len(w.orders), w.seq, len(s.Truth()), view.Orders.Open, view.Orders.Late)
	for m, share := range w.kept() {
		t.Logf("month %2d: kept %.1f %%", m, 100*share)
	}
	ever, visits := map[string]int{}, map[string]int{}
	for _, o := range w.orders {
		for i := range o.Visits {
			visits[o.Visits[i].Stage]++
			if !o.Visits[i].StuckAt.IsZero() {
				ever[o.Visits[i].Stage]++
			}
		}
	}
	for _, st := range view.Stages {
		t.Logf("%-18s visits %5d ever stuck %4d, now %4d open, %3d stuck, %v", st.Stage, visits[st.Stage], ever[st.Stage], st.Open, st.Stuck, st.ByCause)
	}
}
