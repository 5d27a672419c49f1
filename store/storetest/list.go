package storetest

import (
	"cmp"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// pages reads a list to its end.
func pages(t testing.TB, s store.Store, f sla.OrderFilter) []sla.OrderRow {
	t.Helper()
	var rows []sla.OrderRow
	for range 10_000 {
		page := must(t, func() (sla.OrderPage, error) { return s.Orders(t.Context(), f) })
		if f.Limit > 0 && len(page.Items) > f.Limit {
			t.Fatalf("a page of %d rows where %d were asked for", len(page.Items), f.Limit)
		}
		rows = append(rows, page.Items...)
		if f.Cursor = page.Next; f.Cursor == "" {
			return rows
		}
	}
	t.Fatal("the list does not end")
	return nil
}

func listed(t testing.TB, s store.Store, f sla.OrderFilter) (ids []sla.OrderID) {
	t.Helper()
	for _, r := range pages(t, s, f) {
		ids = append(ids, r.ID)
	}
	return ids
}

func sorted(ids []sla.OrderID) []sla.OrderID {
	slices.Sort(ids)
	return ids
}

var ranks = map[sla.Verdict]int{sla.VerdictStuck: 0, sla.VerdictUnknown: 1, sla.VerdictAtRisk: 2, sla.VerdictOpen: 3}

func dueNanos(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixNano()
}

func compareVisits(a, b sla.Visit) int {
	return cmp.Or(cmp.Compare(ranks[a.Verdict], ranks[b.Verdict]), cmp.Compare(dueNanos(a.Deadline), dueNanos(b.Deadline)), a.Entered.Compare(b.Entered))
}

// naiveRow says what row an order gives under a filter, false where none: the suite's own reading of the contract.
func naiveRow(o sla.Order, f sla.OrderFilter) (sla.OrderRow, bool) {
	r := sla.OrderRow{ID: o.ID, Keys: map[string]string{}, State: o.State, Created: o.Created, Updated: o.Updated}
	prefixed := f.Prefix == ""
	for _, k := range o.Keys {
		r.Keys[k.Name] = k.Value
		prefixed = prefixed || strings.HasPrefix(k.Value, f.Prefix)
	}
	for _, a := range o.Attrs {
		switch a.Name {
		case "channel":
			r.Channel = a.Value
		case "partner":
			r.Partner = a.Value
		}
	}
	var open []sla.Visit
	for _, v := range o.Visits {
		if v.Open() && (f.Stage == "" || v.Stage == f.Stage) {
			open = append(open, v)
		}
	}
	if len(open) > 0 {
		v := slices.MinFunc(open, compareVisits)
		r.Stage, r.Entered, r.Deadline, r.Verdict, r.Cause = v.Stage, v.Entered, v.Deadline, v.Verdict, v.Cause
	}
	return r, prefixed && (f.Stage == "" || len(open) > 0) && (f.Verdict == "" || f.Verdict == r.Verdict) &&
		(f.Channel == "" || f.Channel == r.Channel) && (f.Partner == "" || f.Partner == r.Partner) && (f.State == "" || f.State == r.State)
}

func naiveList(orders []sla.Order, f sla.OrderFilter) []sla.OrderRow {
	var rows []sla.OrderRow
	for _, o := range orders {
		if r, ok := naiveRow(o, f); ok {
			rows = append(rows, r)
		}
	}
	rank := func(r sla.OrderRow) int {
		if n, ok := ranks[r.Verdict]; ok {
			return n
		}
		if r.State == sla.StateOpen {
			return 4
		}
		return 5
	}
	slices.SortFunc(rows, func(a, b sla.OrderRow) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(dueNanos(a.Deadline), dueNanos(b.Deadline)), cmp.Compare(a.ID, b.ID))
	})
	return rows
}

func testPages(t *testing.T, d Driver) {
	s := openNew(t, d)
	m := newMaker(2)
	c, b := &sla.Change{}, &sla.Batch{}
	for id := range sla.OrderID(400) {
		o := m.order(id + 1)
		c.Orders = append(c.Orders, o)
		for _, k := range o.Keys {
			b.Keys = append(b.Keys, sla.KeyOwner{Key: k, Order: o.ID})
		}
	}
	check(t, s.Append(t.Context(), b))
	check(t, s.Save(t.Context(), c, 0))
	for i := range 300 {
		f := sla.OrderFilter{
			Stage: pick(m, "", "", stages[0], stages[1], stages[3], "nowhere"), Verdict: pick(m, "", "", sla.VerdictStuck, sla.VerdictUnknown, sla.VerdictOpen, sla.VerdictMet),
			Channel: pick(m, "", "", "b2b", "b2c"), Partner: pick(m, "", "", "acme", "nobody"), State: pick(m, "", "", sla.StateOpen, sla.StateFinished),
			Prefix: pick(m, "", "", "1", "07-", "B é\"", "B%", "\U0010FFFF"), Limit: pick(m, 0, 1, 7, 50, 500),
		}
		if i == 0 {
			f = sla.OrderFilter{Limit: 3}
		}
		got, want := pages(t, s, f), naiveList(c.Orders, f)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("filter %+v gives %d rows, want %d:\n%+v\nwant\n%+v", f, len(got), len(want), got, want)
		}
	}
	for asked, want := range map[int]int{0: 50, -1: 1, 501: 400} {
		page := must(t, func() (sla.OrderPage, error) { return s.Orders(t.Context(), sla.OrderFilter{Limit: asked}) })
		if len(page.Items) != want {
			t.Errorf("limit %d gives %d rows, want %d", asked, len(page.Items), want)
		}
	}
}

func testPressing(t *testing.T, d Driver) {
	s := openNew(t, d)
	o := sla.Order{ID: 1, State: sla.StateOpen, Visits: []sla.Visit{
		{Stage: "closed", N: 1, Entered: at(0), Left: at(1), Deadline: at(0), Verdict: sla.VerdictLate},
		{Stage: "unknown", N: 1, Entered: at(1), Deadline: at(1), Verdict: sla.VerdictUnknown},
		{Stage: "none", N: 1, Entered: at(1), Verdict: sla.VerdictStuck},
		{Stage: "later", N: 1, Entered: at(1), Deadline: at(9), Verdict: sla.VerdictStuck},
		{Stage: "younger", N: 1, Entered: at(3), Deadline: at(5), Verdict: sla.VerdictStuck},
		{Stage: "right", N: 1, Entered: at(2), Deadline: at(5), Verdict: sla.VerdictStuck, Cause: sla.CauseStalled},
	}}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{o}}, 0))
	for stage, want := range map[string]string{"": "right", "unknown": "unknown", "closed": ""} {
		var got string
		for _, r := range pages(t, s, sla.OrderFilter{Stage: stage}) {
			got = r.Stage
		}
		if got != want {
			t.Errorf("filtered by %q the order stands at %q, want %q", stage, got, want)
		}
	}
}

func testBadCursor(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1), Order(2, 1)}}, 0))
	page := must(t, func() (sla.OrderPage, error) { return s.Orders(t.Context(), sla.OrderFilter{Limit: 1}) })
	for _, cursor := range []string{"x", "?", "AAAA", page.Next + "AAAA", page.Next[:len(page.Next)-2], "2", "' OR 1=1"} {
		if _, err := s.Orders(t.Context(), sla.OrderFilter{Cursor: cursor}); !errors.Is(err, store.ErrBadCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func testTotals(t *testing.T, d Driver) {
	s := openNew(t, d)
	stuck, breached, unknown, closed := Order(1, 2), Order(2, 2), Order(3, 2), Order(4, 2)
	stuck.Visits[1].Verdict = sla.VerdictStuck
	breached.Promises[0].Verdict = sla.PromiseBreached
	unknown.Visits[1].Verdict = sla.VerdictUnknown
	closed.State, closed.Promises[0].Verdict = sla.StateFinished, sla.PromiseBreached
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{stuck, breached, unknown, closed, {ID: 5, State: sla.StateCancelled}}}, 0))
	got := must(t, func() (sla.OrderTotals, error) { return s.Totals(t.Context()) })
	if want := (sla.OrderTotals{Open: 3, Finished: 1, Cancelled: 1, Late: 2}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
}
