package app

import (
	"log/slog"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/sqlite"
)

const loopFlow = `
version: 1
flow: test
timezone: UTC
keys: [shop]
sources: [{name: shop-db, reports: [shop/*]}]
stages:
  - {name: calculation, kind: compute, enter: [shop/A], leave: [shop/B], within: 1m}
finish: [shop/B]
`

// story is a loop that is driven by hand, on a real store.
type story struct {
	*loop
	t     *testing.T
	store store.Store
	clock time.Time
	seq   int64
}

func newStory(t *testing.T) *story {
	flow, err := order.ParseFlow("flow.yaml", []byte(loopFlow))
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "o.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s := &story{t: t, store: st, clock: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	s.restart(flow)
	return s
}

func (s *story) restart(flow *order.Flow) {
	s.t.Helper()
	s.loop = &loop{flow: flow, store: s.store, now: func() time.Time { return s.clock }, log: slog.New(slog.DiscardHandler), observe: func(*sla.Change) {}}
	if err := s.restore(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// see commits and folds what the source tells of an order at an instant, and that it is proven until now.
func (s *story) see(id sla.OrderID, status string, at time.Time) {
	s.t.Helper()
	s.seq++
	r := sla.Record{Seq: s.seq, Order: id, Received: s.clock, Event: order.Event{Kind: order.KindStatus, Time: at, System: "shop", Status: status,
		Position: order.Position{Source: "shop-db", Epoch: 1, Seq: uint64(s.seq)}, Keys: []order.Key{{Name: "shop", Value: id.String()}}}}
	b := &sla.Batch{At: s.clock, Records: []sla.Record{r}, Sources: []sla.SourceState{{Name: "shop-db", Watermark: s.clock, Through: uint64(s.seq)}}}
	if err := s.store.Append(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
	batches := make(chan *sla.Batch)
	s.batches = batches
	s.apply(b)
	s.wait(0)
}

func (s *story) wait(d time.Duration) {
	s.t.Helper()
	s.clock = s.clock.Add(d)
	if err := s.advance(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) kept() []sla.Incident {
	s.t.Helper()
	page, err := s.store.Incidents(s.t.Context(), sla.IncidentFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Items
}

func TestIncidentsAreSavedAndGoOnAfterARestart(t *testing.T) {
	s := newStory(t)
	s.see(1, "A", s.clock.Add(-time.Hour)) // overdue before the watch began
	s.see(2, "A", s.clock)
	s.wait(2 * time.Minute)
	s.see(3, "A", s.clock)
	kept := s.kept()
	if len(kept) != 2 || !kept[1].Preexisting || kept[1].Severity != sla.SeverityNone || kept[0].Severity != sla.SeverityPage || kept[0].Orders != 1 {
		t.Fatalf("incidents %+v", kept)
	}
	s.restart(s.flow)
	if again := s.kept(); !reflect.DeepEqual(kept, again) {
		t.Errorf("a restart makes of\n%+v\n%+v", kept, again)
	}
	s.wait(2 * time.Minute)
	s.see(2, "B", s.clock)
	s.see(3, "B", s.clock)
	if i := s.kept()[0]; i.Orders != 0 || i.Total != 2 || i.Emptied.IsZero() {
		t.Errorf("incident %+v", i)
	}
	s.wait(31 * time.Minute)
	if i := s.kept()[0]; i.State() != sla.IncidentClosed {
		t.Errorf("incident %+v", i)
	}
	if open := *s.open.Load(); len(open) != 1 || !open[0].Preexisting {
		t.Errorf("open are %+v", open)
	}
}
