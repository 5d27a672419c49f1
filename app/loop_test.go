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

var errAway = errors.New("the store is away")

// endsAtHistory stands for a process that ends while it reads an order's history.
type endsAtHistory struct {
	store.Store
	end context.CancelFunc
}

func (s endsAtHistory) History(context.Context, sla.OrderID) (sla.History, error) {
	s.end()
	return sla.History{}, errAway
}

// awayFor stands for a store that fails its next calls.
type awayFor struct {
	store.Store
	calls int
}

func (s *awayFor) answer() error {
	if s.calls == 0 {
		return nil
	}
	s.calls--
	return errAway
}

func (s *awayFor) History(ctx context.Context, id sla.OrderID) (sla.History, error) {
	if err := s.answer(); err != nil {
		return sla.History{}, err
	}
	return s.Store.History(ctx, id)
}

func (s *awayFor) Save(ctx context.Context, c *sla.Change, applied int64) error {
	if err := s.answer(); err != nil {
		return err
	}
	return s.Store.Save(ctx, c, applied)
}

// fenced stands for a store that another instance has taken over.
type fenced struct{ store.Store }

func (fenced) Save(context.Context, *sla.Change, int64) error { return store.ErrLocked }

func newLoop(t *testing.T, st store.Store) *loop {
	t.Helper()
	flow, err := LoadFlow("")
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{flow: flow, store: st, now: time.Now, log: slog.New(slog.DiscardHandler), observe: func(*sla.Change) {}, retry: time.Millisecond}
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
	st := openSQLite(t)
	ctx, end := context.WithCancel(t.Context())
	l := newLoop(t, endsAtHistory{st, end})
	commit(t, l, 1, 1, "shop/INITIATED", "crm/CLOSED")
	if err := l.advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	commit(t, l, 3, 1, "shop/SUBMITTED") // its order has ended: the engine has to ask for it
	commit(t, l, 4, 2, "shop/INITIATED")
	if err := l.advance(ctx); !errors.Is(err, context.Canceled) {
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

func openSQLite(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "orderwatch.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	st := &awayFor{Store: openSQLite(t)}
	l := newLoop(t, st)
	commit(t, l, 1, 1, "shop/INITIATED", "crm/CLOSED")
	st.calls = 3 // Save fails
	if err := l.advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	commit(t, l, 3, 1, "shop/SUBMITTED")
	st.calls = 3 // History fails
	if err := l.advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o, err := st.Order(t.Context(), 1); err != nil || o.Counts.Events != 3 {
		t.Errorf("the order has %d events (%v), want 3", o.Counts.Events, err)
	}
	if st.calls != 0 {
		t.Errorf("%d calls were not made", st.calls)
	}
}

func TestAStoreThatAnotherInstanceTookEndsTheLoop(t *testing.T) {
	l := newLoop(t, openSQLite(t))
	l.store = fenced{l.store}
	commit(t, l, 1, 1, "shop/INITIATED")
	if err := l.advance(t.Context()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("got %v, want that the store is another's", err)
	}
}
