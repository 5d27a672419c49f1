package storetest

import (
	"reflect"
	"testing"

	"github.com/alexandrite/orderwatch/sla"
)

func testLedger(t *testing.T, d Driver) {
	s := openNew(t, d)
	entry := func(id sla.OrderID, minute int, state sla.LedgerState) sla.LedgerEntry {
		return sla.LedgerEntry{Minute: at(minute), State: state,
			Handoff: sla.Handoff{Order: id, Stage: "price-to-crm", N: 1, Entered: at(minute), Deadline: at(minute + 300), Published: at(minute + 1), Copies: 2}}
	}
	old, recent, open, gone := entry(1, 0, sla.LedgerArrived), entry(2, 500, sla.LedgerArrived), entry(3, 0, sla.LedgerLost), entry(4, 500, sla.LedgerPending)
	old.Left, recent.Left, recent.Dead, recent.Ended, open.Stuck = at(2), at(501), at(500), true, true
	first := []sla.LedgerEntry{old, entry(2, 400, sla.LedgerPending), open, gone, recent}
	check(t, s.Save(t.Context(), &sla.Change{Ledger: first}, 0))
	gone.State = sla.LedgerGone
	open.Copies = 3
	check(t, s.Save(t.Context(), &sla.Change{Ledger: []sla.LedgerEntry{gone, open}}, 0))
	for since, want := range map[int][]sla.LedgerEntry{0: {old, recent, open}, 500: {recent, open}, 501: {open}} {
		got := must(t, func() ([]sla.LedgerEntry, error) { return s.LedgerMemory(t.Context(), at(since)) })
		if !reflect.DeepEqual(got, want) {
			t.Errorf("since %d came back\n%+v\nwant\n%+v", since, got, want)
		}
	}
}
