package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

func wantOrder(t testing.TB, s store.Store, id sla.OrderID, want sla.Order) {
	t.Helper()
	got := must(t, func() (sla.Order, error) { return s.Order(t.Context(), id) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("order %d came back as\n%+v\nwant\n%+v", id, got, want)
	}
}

func testRoundTrip(t *testing.T, d Driver) {
	s := openNew(t, d)
	o := sla.Order{
		ID: 7, Keys: []order.Key{{Name: "shop", Value: "1042"}, {Name: "mes", Value: "77"}}, State: sla.StateCancelled,
		Attrs:   []order.Attr{{Name: "channel", Value: "b2b"}, {Name: "partner", Value: "acme"}, {Name: "polygons", Value: "12"}},
		Created: at(1), Updated: at(2), Ended: at(3), FlowHash: "abc", Absorbed: []sla.OrderID{9}, Refused: []order.Key{{Name: "shop", Value: "1"}},
		Statuses: []order.Status{{System: "crm", Name: "CLOSED"}, {System: "mes", Name: "A/B"}},
		Counts:   sla.Counts{Events: 1, Repeats: 2, Unexpected: 3, AfterTerminal: 4, Rework: 5, Reopened: 6, Conflicts: 7},
		Visits: []sla.Visit{
			{Stage: "b", N: 2, Entered: at(1), Left: at(2), Deadline: at(3), Verdict: sla.VerdictLate, Cause: sla.CauseStarved, Rework: true, Inferred: true,
				StuckAt: at(4), Approximate: true, Evidence: []sla.Evidence{{Code: sla.EvidenceCheck, At: 1, Source: "s", Seq: 2, Args: map[string]string{"command": "psql"}}, {Code: sla.EvidenceBlind}}},
			{Stage: "a", N: 1, Entered: time.Unix(0, 0).UTC(), Verdict: sla.VerdictOpen},
		},
		Promises: []sla.Promise{
			{Name: "z", Start: at(1), Due: at(2), Stop: at(3), Verdict: sla.PromiseLate},
			{Name: "y", Start: at(1), Verdict: sla.PromiseOnTrack, Paused: true},
		},
	}
	bare := sla.Order{ID: 8, State: sla.StateOpen}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{o, bare}}, 0))
	wantOrder(t, s, 7, o)
	wantOrder(t, s, 8, bare)
}

func testRandomRoundTrip(t *testing.T, d Driver) {
	s := openNew(t, d)
	m := newMaker(1)
	for range 3 { // the second and third time they replace what is there
		c := &sla.Change{}
		for id := range sla.OrderID(200) {
			c.Orders = append(c.Orders, m.order(id+1))
		}
		check(t, s.Save(t.Context(), c, 0))
		for _, o := range c.Orders {
			wantOrder(t, s, o.ID, o)
		}
	}
}

func testReplace(t *testing.T, d Driver) {
	s := openNew(t, d)
	long, short := Order(1, 6), Order(1, 2)
	short.Promises = nil
	for _, o := range []sla.Order{long, short, long} {
		check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{o}}, 0))
		wantOrder(t, s, 1, o)
	}
}

func testTwice(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 4), Order(2, 1), Order(1, 2)}}, 0))
	wantOrder(t, s, 1, Order(1, 2))
}

func testApplied(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), Batch(1, 5, 2)))
	check(t, s.Save(t.Context(), &sla.Change{}, 3))
	for _, applied := range []int64{2, 6} {
		if err := s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1)}}, applied); !errors.Is(err, store.ErrOutOfStep) {
			t.Errorf("applied %d: %v", applied, err)
		}
	}
	if _, err := s.Order(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused change left an order: %v", err)
	}
	check(t, s.Save(t.Context(), &sla.Change{}, 3))
	wantPosition(t, s, store.Position{Journal: 5, Applied: 3, Order: 2})
}

func testRemoved(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), Batch(1, 6, 3)))
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 2), Order(2, 2), Order(3, 2)}}, 6))
	merged := Record(7, 1)
	merged.Link.Absorbed = []sla.OrderID{2}
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{merged}, Merges: []sla.Merge{{From: 2, Into: 1}}}))
	survivor := Order(1, 3)
	survivor.Absorbed = []sla.OrderID{2}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{survivor}, Removed: []sla.Merge{{From: 2, Into: 1}}}, 7))
	wantOrder(t, s, 2, survivor)
	if got, want := listed(t, s, sla.OrderFilter{}), []sla.OrderID{1, 3}; !reflect.DeepEqual(sorted(got), want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	if got, want := listed(t, s, sla.OrderFilter{Stage: "stage-1"}), []sla.OrderID{3}; !reflect.DeepEqual(got, want) {
		t.Errorf("listed at the stage of the absorbed one %v, want %v", got, want)
	}
}

func restored(t testing.TB, s store.Store) map[sla.OrderID]sla.History {
	t.Helper()
	all := map[sla.OrderID]sla.History{}
	check(t, s.Restore(t.Context(), func(h sla.History) error {
		all[h.Order] = h
		return nil
	}))
	return all
}

func sequences(h sla.History) (list []int64) {
	for _, r := range h.Records {
		list = append(list, r.Seq)
	}
	return list
}

func testRestore(t *testing.T, d Driver) {
	s := openNew(t, d)
	var records []sla.Record
	for i, id := range []sla.OrderID{1, 2, 3, 4, 2, 1, 5, 0} {
		records = append(records, Record(int64(i+1), id))
	}
	check(t, s.Append(t.Context(), &sla.Batch{Records: records}))
	closed := func(id sla.OrderID) sla.Order { return sla.Order{ID: id, State: sla.StateFinished, Ended: at(9)} }
	said := sla.AuditEntry{At: at(3), Kind: sla.AuditStuck, Order: 2, Stage: "approval", N: 1, Deadline: at(2), Cause: sla.CauseStarved}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1), Order(2, 1), closed(3), closed(4), closed(5)}, Audit: []sla.AuditEntry{said}}, 8))
	// Not applied: a late record of the finished 4, a new order 6, and 2 merged into 1.
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{Record(9, 4), Record(10, 6), Record(11, 1), Record(12, 0)}, Merges: []sla.Merge{{From: 2, Into: 1}}}))
	all := restored(t, s)
	for id, want := range map[sla.OrderID][]int64{1: {1, 2, 5, 6, 11}, 4: {4, 9}, 6: {10}} {
		if got := sequences(all[id]); !reflect.DeepEqual(got, want) {
			t.Errorf("order %d restored with records %v, want %v", id, got, want)
		}
	}
	if len(all) != 3 {
		t.Errorf("restored %d orders, want 3", len(all))
	}
	if got, want := all[1].Audit, []sla.AuditEntry{said}; !reflect.DeepEqual(got, want) {
		t.Errorf("audit %+v, want %+v", got, want)
	}
	if got, want := all[1].Saved, (sla.Saved{FlowHash: "f00d", Events: 1}); got != want || all[6].Saved != (sla.Saved{}) {
		t.Errorf("saved %+v, want %+v; of a new order %+v", got, want, all[6].Saved)
	}
	stop := errors.New("enough")
	if err := s.Restore(t.Context(), func(sla.History) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("restore did not return the callback's error: %v", err)
	}
}

func testRestoreMany(t *testing.T, d Driver) {
	s := openNew(t, d)
	const orders = 1500
	b := Batch(1, 2*orders, orders)
	for id := sla.OrderID(1001); id <= orders; id++ {
		b.Merges = append(b.Merges, sla.Merge{From: id, Into: id - 1000})
	}
	check(t, s.Append(t.Context(), b))
	all := restored(t, s)
	if len(all) != 1000 {
		t.Fatalf("restored %d orders, want 1000", len(all))
	}
	for id, h := range all {
		want := 2
		if id <= 500 {
			want = 4
		}
		if len(h.Records) != want {
			t.Fatalf("order %d restored with %d records, want %d", id, len(h.Records), want)
		}
		for i := 1; i < len(h.Records); i++ {
			if h.Records[i].Seq <= h.Records[i-1].Seq {
				t.Fatalf("order %d: records out of order: %v", id, sequences(h))
			}
		}
		_, err := s.Owners(t.Context(), nil) // fn may use the store; so may whoever holds the histories
		check(t, err)
		break
	}
}

func testHistory(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{Record(1, 1), Record(2, 2), Record(3, 1), Record(4, 3)}}))
	check(t, s.Save(t.Context(), &sla.Change{Audit: []sla.AuditEntry{{At: at(1), Kind: sla.AuditStuck, Order: 2}, {At: at(2), Kind: sla.AuditStuck, Order: 3}}}, 4))
	check(t, s.Append(t.Context(), &sla.Batch{Merges: []sla.Merge{{From: 2, Into: 1}}}))
	check(t, s.Save(t.Context(), &sla.Change{Audit: []sla.AuditEntry{{At: at(3), Kind: sla.AuditMerged, Order: 1, Detail: "2"}}}, 4))
	for _, id := range []sla.OrderID{1, 2} {
		h := must(t, func() (sla.History, error) { return s.History(t.Context(), id) })
		if got, want := sequences(h), []int64{1, 2, 3}; h.Order != 1 || !reflect.DeepEqual(got, want) {
			t.Errorf("history of %d: order %d, records %v, want order 1, records %v", id, h.Order, got, want)
		}
		if len(h.Audit) != 2 || h.Audit[0].Order != 2 || h.Audit[1].Kind != sla.AuditMerged {
			t.Errorf("history of %d: audit %+v", id, h.Audit)
		}
	}
}

func testAudit(t *testing.T, d Driver) {
	s := openNew(t, d)
	var want []sla.AuditEntry
	for i := range 120 {
		e := sla.AuditEntry{At: at(100 + i/10), Kind: sla.AuditStuck, Order: 1, Stage: stages[i%4], N: i, Deadline: at(i), Cause: sla.CauseBacklog, Detail: fmt.Sprint("n° ", i)}
		if i%2 == 1 {
			e = sla.AuditEntry{At: at(100 + i/10), Kind: sla.AuditRetracted, Order: 1, N: i}
		}
		want = append(want, e)
	}
	check(t, s.Save(t.Context(), &sla.Change{Audit: append([]sla.AuditEntry{{Order: 2, Kind: sla.AuditConflict}}, want[:70]...)}, 0))
	check(t, s.Save(t.Context(), &sla.Change{Audit: want[70:]}, 0))
	got := must(t, func() ([]sla.AuditEntry, error) { return s.Audit(t.Context(), 1) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("audit came back as\n%+v\nwant\n%+v", got, want)
	}
}
