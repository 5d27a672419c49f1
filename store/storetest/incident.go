package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

func wantIncident(t testing.TB, s store.Store, want sla.Incident) {
	t.Helper()
	got := must(t, func() (sla.Incident, error) { return s.Incident(t.Context(), want.ID) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("incident %d came back as\n%+v\nwant\n%+v", want.ID, got, want)
	}
}

func part(incident sla.IncidentID, id sla.OrderID, deadline int) sla.IncidentOrder {
	return sla.IncidentOrder{Incident: incident, Order: id, Stage: "approval", N: 1, Deadline: at(deadline), Cause: sla.CauseStarved, Joined: at(deadline + 1)}
}

func testIncident(t *testing.T, d Driver) {
	s := openNew(t, d)
	full := sla.Incident{ID: 7, Stage: "approval", Cause: sla.CauseStarved, Channel: "b2b", Partner: "acme", Preexisting: true, Severity: sla.SeverityPage,
		Opened: at(1), Emptied: at(2), Closed: at(3), Peak: 5, Total: 6, Retracted: 7, Reopened: 8,
		Evidence: []sla.Evidence{{Code: sla.EvidenceProof, At: 1, Source: "s", Seq: 2, Args: map[string]string{"a": "b"}}}}
	bare := sla.Incident{ID: 8, Severity: sla.SeverityNone}
	check(t, s.Save(t.Context(), &sla.Change{Incidents: []sla.Incident{{ID: 7, Orders: 1}, full, bare}}, 0))
	wantIncident(t, s, full)
	wantIncident(t, s, bare)
	if _, err := s.Incident(t.Context(), 9); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no incident: %v", err)
	}
	full.Closed, full.Orders, full.Emptied, full.Worst, full.Evidence = time.Time{}, 1, time.Time{}, at(9), nil
	check(t, s.Save(t.Context(), &sla.Change{Incidents: []sla.Incident{full}}, 0))
	wantIncident(t, s, full)
}

func testIncidentOrders(t *testing.T, d Driver) {
	s := openNew(t, d)
	o := Order(3, 1)
	check(t, s.Append(t.Context(), Batch(1, 6, 3)))
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{o}}, 6))
	late, worst, gone := part(1, 4, 20), part(1, 3, 10), part(1, 2, 5)
	gone.Left, gone.Retracted = at(30), true
	incident := sla.Incident{ID: 1, Severity: sla.SeverityTicket, Orders: 2, Peak: 3, Total: 3}
	check(t, s.Save(t.Context(), &sla.Change{Incidents: []sla.Incident{incident}, IncidentOrders: []sla.IncidentOrder{part(1, 2, 5), late, worst, part(2, 9, 1), gone}}, 6))
	worst.Keys = o.Keys
	incident.Members = []sla.IncidentOrder{worst, late}
	wantIncident(t, s, incident)

	// A merged order shows its survivor's names. Where nobody is left, those who were there are shown.
	check(t, s.Append(t.Context(), &sla.Batch{Merges: []sla.Merge{{From: 4, Into: 3}}}))
	worst.Left, late.Left = at(40), at(41)
	incident.Orders, incident.Emptied, incident.Members = 0, at(41), nil
	check(t, s.Save(t.Context(), &sla.Change{Incidents: []sla.Incident{incident}, IncidentOrders: []sla.IncidentOrder{worst, late}}, 6))
	late.Keys = o.Keys
	incident.Members = []sla.IncidentOrder{gone, worst, late}
	wantIncident(t, s, incident)
}

func testIncidentBound(t *testing.T, d Driver) {
	s := openNew(t, d)
	c := &sla.Change{Incidents: []sla.Incident{{ID: 1, Orders: 250}}}
	for n := range 250 {
		c.IncidentOrders = append(c.IncidentOrders, part(1, sla.OrderID(n+1), 1000-n))
	}
	check(t, s.Save(t.Context(), c, 0))
	got := must(t, func() (sla.Incident, error) { return s.Incident(t.Context(), 1) })
	if len(got.Members) != 100 || got.Members[0].Order != 250 || got.Members[99].Order != 151 {
		t.Errorf("%d members, the first %+v", len(got.Members), got.Members[0])
	}
	memory := must(t, func() (sla.IncidentMemory, error) { return s.IncidentMemory(t.Context()) })
	if len(memory.Open) != 1 || len(memory.Open[0].Members) != 250 {
		t.Errorf("remembered %+v", memory)
	}
}

func testIncidentPages(t *testing.T, d Driver) {
	s := openNew(t, d)
	c := &sla.Change{}
	for id := range sla.IncidentID(25) {
		i := sla.Incident{ID: id + 1}
		if id%2 == 0 {
			i.Closed = at(1)
		}
		c.Incidents = append(c.Incidents, i)
	}
	check(t, s.Save(t.Context(), c, 0))
	for _, test := range []struct {
		filter sla.IncidentFilter
		want   int
	}{{sla.IncidentFilter{Limit: 4}, 25}, {sla.IncidentFilter{State: sla.IncidentOpen, Limit: 5}, 12}, {sla.IncidentFilter{State: sla.IncidentClosed}, 13}} {
		n, last, f := 0, sla.IncidentID(1000), test.filter
		for {
			page := must(t, func() (sla.IncidentPage, error) { return s.Incidents(t.Context(), f) })
			for _, i := range page.Items {
				if i.ID >= last || f.State != "" && i.State() != f.State || f.Limit > 0 && len(page.Items) > f.Limit {
					t.Fatalf("%+v: %+v after %d", f, i, last)
				}
				n, last = n+1, i.ID
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				break
			}
		}
		if n != test.want {
			t.Errorf("%+v: %d incidents, want %d", test.filter, n, test.want)
		}
	}
	if _, err := s.Incidents(t.Context(), sla.IncidentFilter{Cursor: "-1"}); !errors.Is(err, store.ErrBadCursor) {
		t.Errorf("bad cursor: %v", err)
	}
}

func testIncidentSince(t *testing.T, d Driver) {
	s := openNew(t, d)
	since := func() time.Time {
		return must(t, func() (sla.IncidentMemory, error) { return s.IncidentMemory(t.Context()) }).Since
	}
	if got := since(); !got.IsZero() {
		t.Errorf("watched since %v before anything was committed", got)
	}
	check(t, s.Append(t.Context(), &sla.Batch{At: at(5)}))
	check(t, s.Append(t.Context(), Batch(1, 3, 1)))
	if got := since(); !got.Equal(at(5)) {
		t.Errorf("watched since %v, want %v", got, at(5))
	}
}

const incidentFlow = `
version: 1
flow: test
timezone: UTC
keys: [shop]
sources: [{name: shop-db, reports: [shop/*]}]
stages:
  - {name: calculation, kind: compute, enter: [shop/A], leave: [shop/B], within: 1m}
  - {name: approval, kind: human, enter: [shop/B], leave: [shop/C], within: 1m}
finish: [shop/C]
incidents: {group_by: [stage, channel], min_orders: 1, close_after: 30m}
`

// testIncidentRestart grows and shrinks incidents at random: those of an instance that is begun anew
// from the store at every step and those of one that never is say the same.
func testIncidentRestart(t *testing.T, d Driver) {
	flow, err := order.ParseFlow("flow.yaml", []byte(incidentFlow))
	check(t, err)
	s, m := openNew(t, d), newMaker(3)
	calm, stuck := sla.NewIncidents(flow, sla.IncidentMemory{}), map[sla.OrderID]sla.StuckVisit{}
	closed := 0
	for step := range 150 {
		now, c := at(600*step), &sla.Change{}
		for range m.IntN(4) {
			id := sla.OrderID(1 + m.IntN(6))
			x, in := stuck[id]
			if x.Stuck = !in; !in {
				x = sla.StuckVisit{Order: id, Stage: pick(m, "calculation", "approval"), N: 1 + m.IntN(2), Stuck: true, At: now, Deadline: now.Add(-time.Minute),
					Cause: sla.CauseBacklog, Channel: pick(m, "", "b2b"), Evidence: []sla.Evidence{{Code: sla.EvidenceOwner}}}
				stuck[id] = x
			} else {
				x.Retracted = m.IntN(2) == 0
				delete(stuck, id)
			}
			c.Stuck = append(c.Stuck, x)
		}
		memory := must(t, func() (sla.IncidentMemory, error) { return s.IncidentMemory(t.Context()) })
		restarted, again := sla.NewIncidents(flow, memory), *c
		calm.Fold(c, now)
		restarted.Fold(&again, now)
		if !reflect.DeepEqual(c, &again) || !reflect.DeepEqual(calm.Open(), restarted.Open()) {
			t.Fatalf("step %d: without a restart\n%+v\nwith\n%+v", step, c, again)
		}
		check(t, s.Save(t.Context(), c, 0))
		for _, i := range c.Incidents {
			if i.State() == sla.IncidentClosed {
				closed++
			}
		}
	}
	if closed == 0 || len(calm.Open()) == 0 {
		t.Errorf("%d incidents closed, %d open: the test tests too little", closed, len(calm.Open()))
	}
}
