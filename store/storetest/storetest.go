// Package storetest is the conformance suite of store.Store: what both drivers must do, run on a
// real database. A driver's test calls Run; everything it needs it makes itself.
package storetest

import (
	"context"
	"testing"

	"github.com/alexandrite/orderwatch/store"
)

// Open opens the store at a location, empty at first.
type Open func(ctx context.Context, location string) (store.Store, error)

// Driver is what a driver gives the suite.
type Driver struct {
	// Location returns where a new empty store can be.
	Location func(t testing.TB) string
	// Open opens the store at a location.
	Open Open
}

// Run runs the suite.
func Run(t *testing.T, d Driver) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Driver)
	}{
		{"an empty store stands at zero and finds nothing", testEmpty},
		{"appended records come back whole and in journal order", testRecords},
		{"a batch that does not continue the journal is refused whole", testContiguity},
		{"a batch of watermarks moves sources and not the journal", testSources},
		{"text that a database cannot hold is refused", testText},
		{"event ids are remembered by source, of senders without sequence only", testSeen},
		{"an event id twice is refused whole", testSeenTwice},
		{"keys belong to the surviving order after merges", testOwners},
		{"an order comes back as it was saved", testRoundTrip},
		{"random orders come back as they were saved", testRandomRoundTrip},
		{"saving again replaces visits and promises", testReplace},
		{"of an order twice in a change the last counts", testTwice},
		{"applied neither goes back nor beyond the journal", testApplied},
		{"absorbed orders lead to their survivor", testRemoved},
		{"restore gives open orders and those with records not applied", testRestore},
		{"restore streams more orders than one statement asks for", testRestoreMany},
		{"history gives one order with what it absorbed", testHistory},
		{"orders that people joined and parted come back so, also after a crash", testApart},
		{"a key that nobody holds any more leads nowhere", testForgottenKey},
		{"whatever people join and part, each record is of one order that holds its keys", testManyApart},
		{"pages are complete, in order and without repeats under every filter", testPages},
		{"the most pressing open visit stands for its order", testPressing},
		{"a cursor that is none is refused", testBadCursor},
		{"totals count by state and lateness", testTotals},
		{"audit entries come back in order of writing", testAudit},
		{"an incident comes back as it was saved last", testIncident},
		{"an incident tells its orders, the longest overdue first", testIncidentOrders},
		{"of an incident's many orders the worst are told and all are remembered", testIncidentBound},
		{"lists of incidents are complete and the last opened first", testIncidentPages},
		{"the first commit is when the watch began", testIncidentSince},
		{"incidents go on after a restart as if there had been none", testIncidentRestart},
		{"hand-offs in the ledger come back as they were saved last", testLedger},
		{"a cancelled context writes nothing", testCancelled},
		{"a second writer is refused until the first closes", testSecondWriter},
		{"what was written is there after reopening", testReopen},
		{"a batch of twenty thousand is written whole", testLarge},
		{"readers see whole commits while a writer writes", testReaders},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, d) })
	}
}

// openNew opens a new empty store that the test closes.
func openNew(t testing.TB, d Driver) store.Store {
	t.Helper()
	return open(t, d, d.Location(t))
}

func open(t testing.TB, d Driver, location string) store.Store {
	t.Helper()
	s, err := d.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// must returns the value of a call that may not fail.
func must[T any](t testing.TB, call func() (T, error)) T {
	t.Helper()
	v, err := call()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
