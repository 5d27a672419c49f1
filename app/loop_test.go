package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/sqlite"
)

var errNoHistory = errors.New("the process ends here")

// endsAtHistory stands for a process that ends while it reads an order's history.
type endsAtHistory struct{ store.Store }

func (endsAtHistory) History(context.Context, sla.OrderID) (sla.History, error) {
	return sla.History{}, errNoHistory
}

func newLoop(t *testing.T, st store.Store) *loop {
	t.Helper()
	flow, err := LoadFlow("")
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{flow: flow, store: st, now: time.Now, log: slog.New(slog.DiscardHandler), observe: func(*sla.Change) {}}
	if err := l.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// commit appends one record to the journal for each status and gives them to the loop.
func commit(t *testing.T, l *loop, first int64, id sla.OrderID, statuses ...string) {
	t.Helper()
	b := &sla.Batch{At: time.Now()}
	for i, text := range statuses {
		status, ok := order.ParseStatus(text)
		if !ok {
			t.Fatalf("no status: %s", text)
		}
		seq := first + int64(i)
		b.Records = append(b.Records, sla.Record{Seq: seq, Order: id, Received: b.At, Event: order.Event{
			Kind: order.KindStatus, Time: b.At.Add(time.Duration(seq)), System: status.System, Status: status.Name,
			Position: order.Position{Source: "shop-db", Seq: uint64(seq)}, Keys: []order.Key{{Name: "shop", Value: id.String()}}}})
	}
	if err := l.store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	l.apply(b)
}

func TestARecordThatWaitsForItsHistoryIsFoundByARestart(t *testing.T) {
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "orderwatch.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	l := newLoop(t, endsAtHistory{st})
	commit(t, l, 1, 1, "shop/INITIATED", "crm/CLOSED")
	if err := l.advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	commit(t, l, 3, 1, "shop/SUBMITTED") // its order has ended: the engine has to ask for it
	commit(t, l, 4, 2, "shop/INITIATED")
	if err := l.advance(t.Context()); !errors.Is(err, errNoHistory) {
		t.Fatalf("got %v, want that the history was asked for", err)
	}

	newLoop(t, st)
	if o, err := st.Order(t.Context(), 1); err != nil || o.Counts.Events != 3 {
		t.Errorf("after a restart the order has %d events (%v), want 3", o.Counts.Events, err)
	}
	p, err := st.Position(t.Context())
	if err != nil || p.Applied != p.Journal {
		t.Errorf("the read model stands at %d of %d (%v)", p.Applied, p.Journal, err)
	}
}
