package storetest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

func position(t testing.TB, s store.Store) store.Position {
	t.Helper()
	return must(t, func() (store.Position, error) { return s.Position(t.Context()) })
}

func wantPosition(t testing.TB, s store.Store, want store.Position) {
	t.Helper()
	if got := position(t, s); got != want {
		t.Fatalf("position is %+v, want %+v", got, want)
	}
}

func testEmpty(t *testing.T, d Driver) {
	s := openNew(t, d)
	wantPosition(t, s, store.Position{})
	if list := must(t, func() ([]sla.SourceState, error) { return s.Sources(t.Context()) }); len(list) != 0 {
		t.Errorf("sources: %v", list)
	}
	if _, err := s.Order(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("order: %v", err)
	}
	if _, err := s.History(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("history: %v", err)
	}
	if page := must(t, func() (sla.OrderPage, error) { return s.Orders(t.Context(), sla.OrderFilter{Stage: "nowhere"}) }); len(page.Items) != 0 || page.Next != "" {
		t.Errorf("page: %+v", page)
	}
	check(t, s.Restore(t.Context(), func(h sla.History) error {
		t.Errorf("restored %+v", h)
		return nil
	}))
	check(t, s.Append(t.Context(), &sla.Batch{}))
	check(t, s.Save(t.Context(), &sla.Change{}, 0))
	wantPosition(t, s, store.Position{})
}

// everyField are records that between them use every field there is.
func everyField() []sla.Record {
	full := Record(1, 1)
	full.Event.Inferred = true
	full.Event.Kind = order.KindMessage
	full.Event.Message = order.Message{Destination: "mes.events", RoutingKey: "price.b2b", Operation: "send", ID: "m1"}
	full.Event.Keys = []order.Key{{Name: "shop", Value: "z"}, {Name: "mes", Value: "a\"\\\t<é>"}, {Name: "mes", Value: ""}}
	full.Event.Seq, full.Event.Epoch = math.MaxUint64, math.MinInt64
	full.Link = sla.Link{Absorbed: []sla.OrderID{4, 5}, Refused: []order.Key{{Name: "shop", Value: "q"}}}
	full.Offset = -time.Hour
	gap := sla.Record{Seq: 2, Received: at(2), Event: order.Event{
		Kind: order.KindGap, Time: at(1), Position: order.Position{Source: "tap", Epoch: 1, Seq: 2},
		Gap: order.Gap{From: at(0), To: at(1), Reason: "slot lost", Repaired: true}}}
	mark := sla.Record{Seq: 3, Event: order.Event{Kind: order.KindWatermark,
		Watermark: order.Watermark{Through: 9, ClockOffset: time.Second, Approximate: true, Queues: []order.QueueDepth{{Queue: "q", Messages: 4, Consumers: 1}}}}}
	bare := sla.Record{Seq: 4, Order: 1, Event: order.Event{Kind: order.KindJob, ID: "x", Time: time.Unix(0, 0).UTC(), System: "mes"}}
	return []sla.Record{full, gap, mark, bare}
}

func testRecords(t *testing.T, d Driver) {
	s := openNew(t, d)
	records := everyField()
	for i := range records {
		if records[i].Order == 0 {
			records[i].Order = 1 // or no method gives them back
		}
	}
	check(t, s.Append(t.Context(), &sla.Batch{Records: records}))
	h := must(t, func() (sla.History, error) { return s.History(t.Context(), 1) })
	if len(h.Records) != len(records) {
		t.Fatalf("%d records came back, want %d", len(h.Records), len(records))
	}
	for i, want := range records {
		if !reflect.DeepEqual(h.Records[i], want) {
			t.Errorf("record %d came back as\n%+v\nwant\n%+v", i, h.Records[i], want)
		}
	}
	wantPosition(t, s, store.Position{Journal: 4, Order: 1})
}

func testContiguity(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), Batch(1, 3, 2)))
	for name, b := range map[string]*sla.Batch{
		"again": Batch(1, 3, 2), "skipping one": Batch(5, 1, 2), "with a hole": {Records: []sla.Record{Record(4, 8), Record(6, 8)},
			Keys: []sla.KeyOwner{{Key: order.Key{Name: "mes", Value: "new"}, Order: 9}}},
	} {
		if err := s.Append(t.Context(), b); !errors.Is(err, store.ErrOutOfStep) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantPosition(t, s, store.Position{Journal: 3, Order: 2})
	if owners := must(t, func() (map[order.Key]sla.OrderID, error) {
		return s.Owners(t.Context(), []order.Key{{Name: "mes", Value: "new"}})
	}); len(owners) != 0 {
		t.Errorf("a refused batch left keys: %v", owners)
	}
	check(t, s.Append(t.Context(), Batch(4, 2, 2)))
	wantPosition(t, s, store.Position{Journal: 5, Order: 2})
}

func testSources(t *testing.T, d Driver) {
	s := openNew(t, d)
	want := []sla.SourceState{
		{Name: "a-db", Watermark: at(5), Through: math.MaxUint64, Approximate: true, Offset: -3, LastSeen: at(6), GapsTotal: 1, Duplicates: 2, Rejected: 3,
			Gaps: []order.Gap{{From: at(1), To: at(2), Reason: "lost"}}, Queues: []order.QueueDepth{{Queue: "q", Messages: 1, Consumers: 2}}, QueuesAt: at(4),
			Epochs: []sla.EpochState{{Epoch: 9, Through: 4, Ahead: []sla.Range{{From: 6, To: 7}}, Offsets: []sla.OffsetChange{{From: 1, Offset: 5}},
				Pending: []sla.PendingMark{{Seq: 9, Time: at(8), At: at(9), Mark: order.Watermark{Through: 8, ClockOffset: 2}}}}}},
		{Name: "b-db"},
	}
	check(t, s.Append(t.Context(), &sla.Batch{Sources: []sla.SourceState{want[1], {Name: "a-db", Through: 1}}}))
	check(t, s.Append(t.Context(), &sla.Batch{Sources: []sla.SourceState{{Name: "a-db", Through: 2}, want[0]}}))
	got := must(t, func() ([]sla.SourceState, error) { return s.Sources(t.Context()) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sources came back as\n%+v\nwant\n%+v", got, want)
	}
	wantPosition(t, s, store.Position{})
}

func testText(t *testing.T, d Driver) {
	s := openNew(t, d)
	for name, spoil := range map[string]func(*sla.Record){
		"NUL in a status":       func(r *sla.Record) { r.Event.Status = "A\x00" },
		"broken UTF-8 in a key": func(r *sla.Record) { r.Event.Keys[0].Value = "\xff" },
		"NUL in an attribute":   func(r *sla.Record) { r.Event.Attrs[0].Value = "\x00" },
		"NUL in an event id":    func(r *sla.Record) { r.Event.ID = "\x00" },
		"a key of 4 kB":         func(r *sla.Record) { r.Event.Keys[0].Value = strings.Repeat("k", 4096) },
		"a status of 4 kB":      func(r *sla.Record) { r.Event.Status = strings.Repeat("k", 4096) },
		"NUL in a routing key":  func(r *sla.Record) { r.Event.Message.RoutingKey = "\x00" },
	} {
		r := Record(1, 1)
		spoil(&r)
		if err := s.Append(t.Context(), &sla.Batch{Records: []sla.Record{r}}); !errors.Is(err, store.ErrText) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantPosition(t, s, store.Position{})
	r := Record(1, 1) // random letters, for a database may compress what it indexes
	long := newMaker(3).letters(order.MaxTextBytes)
	r.Event.Keys[0].Value, r.Event.Status, r.Event.ID, r.Event.Seq = long, long, long, 0
	r.Event.Attrs[0].Value = strings.Repeat("a", 50_000)
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{r}, Keys: []sla.KeyOwner{{Key: r.Event.Keys[0], Order: 1}}}))
}

func withID(seq int64, source, id string, sourceSeq uint64) sla.Record {
	r := Record(seq, 1)
	r.Event.Source, r.Event.ID, r.Event.Seq = source, id, sourceSeq
	return r
}

func testSeen(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{
		withID(1, "app", "e1", 0), withID(2, "app", "e'2", 0), withID(3, "other", "e3", 0),
		withID(4, "db", "same", 4), withID(5, "db", "same", 5),
	}}))
	got := must(t, func() (map[string]bool, error) {
		return s.SeenIDs(t.Context(), "app", []string{"e1", "e'2", "e3", "e4"})
	})
	if want := map[string]bool{"e1": true, "e'2": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("seen %v, want %v", got, want)
	}
	for _, source := range []string{"db", "nobody"} {
		if got := must(t, func() (map[string]bool, error) { return s.SeenIDs(t.Context(), source, []string{"same", "e1"}) }); len(got) != 0 {
			t.Errorf("of %s: seen %v", source, got)
		}
	}
}

func testSeenTwice(t *testing.T, d Driver) {
	location := d.Location(t)
	s, err := d.Open(t.Context(), location)
	check(t, err)
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{withID(1, "app", "e1", 0)}}))
	if err := s.Append(t.Context(), &sla.Batch{Records: []sla.Record{withID(2, "fresh", "e0", 0), withID(3, "app", "e1", 0)}}); err == nil {
		t.Error("appended an event id twice")
	}
	wantPosition(t, s, store.Position{Journal: 1, Order: 1})
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{withID(2, "fresh", "e0", 0), withID(3, "app", "e2", 0)}}))
	check(t, s.Close()) // memory of names is gone, what the table has must do
	s = open(t, d, location)
	h := must(t, func() (sla.History, error) { return s.History(t.Context(), 1) })
	if got := h.Records[1].Event.Source; got != "fresh" {
		t.Errorf("a name that a failed batch brought reads %q afterwards, want fresh", got)
	}
}

func testOwners(t *testing.T, d Driver) {
	s := openNew(t, d)
	key := func(name, value string) order.Key { return order.Key{Name: name, Value: value} }
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{Record(1, 1), Record(2, 2), Record(3, 3)}, Keys: []sla.KeyOwner{
		{Key: key("shop", "A"), Order: 1}, {Key: key("mes", "A"), Order: 2}, {Key: key("mes", "it's"), Order: 3}, {Key: key("crm", "9"), Order: 2}}}))
	all := []order.Key{key("shop", "A"), key("mes", "A"), key("mes", "it's"), key("crm", "9"), key("mes", "none"), key("nobody", "A")}
	owners := func() map[order.Key]sla.OrderID {
		return must(t, func() (map[order.Key]sla.OrderID, error) { return s.Owners(t.Context(), all) })
	}
	if got, want := owners(), (map[order.Key]sla.OrderID{all[0]: 1, all[1]: 2, all[2]: 3, all[3]: 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("before: owners %v, want %v", got, want)
	}
	// 3 into 2, then 2 into 1; the batch names one of the keys that move, the store moves the others too.
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{Record(4, 2)}, Merges: []sla.Merge{{From: 3, Into: 2}}}))
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{Record(5, 1)}, Merges: []sla.Merge{{From: 2, Into: 1}},
		Keys: []sla.KeyOwner{{Key: key("mes", "A"), Order: 1}}}))
	if got, want := owners(), (map[order.Key]sla.OrderID{all[0]: 1, all[1]: 1, all[2]: 1, all[3]: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("after: owners %v, want %v", got, want)
	}
	keys := must(t, func() (map[sla.OrderID][]order.Key, error) { return s.KeysOf(t.Context(), []sla.OrderID{1, 2, 3}) })
	if want := (map[sla.OrderID][]order.Key{1: {key("crm", "9"), key("mes", "A"), key("mes", "it's"), key("shop", "A")}}); !reflect.DeepEqual(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	ids := must(t, func() ([]sla.OrderID, error) { return s.FindKey(t.Context(), "A") })
	if want := []sla.OrderID{1}; !reflect.DeepEqual(ids, want) {
		t.Errorf("found %v, want %v", ids, want)
	}
	h := must(t, func() (sla.History, error) { return s.History(t.Context(), 3) })
	if got, want := sequences(h), []int64{1, 2, 3, 4, 5}; h.Order != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("history of the twice merged: order %d, records %v, want order 1, records %v", h.Order, got, want)
	}
	if err := s.Append(t.Context(), &sla.Batch{Merges: []sla.Merge{{From: 1, Into: 3}}}); !errors.Is(err, store.ErrOutOfStep) {
		t.Errorf("merged an order into one that it absorbed: %v", err)
	}
	wantPosition(t, s, store.Position{Journal: 5, Order: 3})
}

func testCancelled(t *testing.T, d Driver) {
	s := openNew(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, Batch(1, 10, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if err := s.Save(ctx, &sla.Change{Orders: []sla.Order{Order(1, 2)}}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("save: %v", err)
	}
	if _, err := s.Totals(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("totals: %v", err)
	}
	wantPosition(t, s, store.Position{})
	check(t, s.Append(t.Context(), Batch(1, 10, 2)))
}

func testLarge(t *testing.T, d Driver) {
	s := openNew(t, d)
	const n, orders = 20_000, 3000
	check(t, s.Append(t.Context(), Batch(1, n, orders)))
	wantPosition(t, s, store.Position{Journal: n, Order: orders})
	c := &sla.Change{}
	for id := range orders {
		c.Orders = append(c.Orders, Order(sla.OrderID(id+1), 5))
	}
	check(t, s.Save(t.Context(), c, n))
	if got := must(t, func() (sla.OrderTotals, error) { return s.Totals(t.Context()) }); got.Open != orders {
		t.Errorf("totals %+v, want %d open", got, orders)
	}
	var records int
	last := sla.OrderID(0)
	check(t, s.Restore(t.Context(), func(h sla.History) error {
		if h.Order <= last {
			t.Errorf("order %d came after %d", h.Order, last)
		}
		last, records = h.Order, records+len(h.Records)
		return nil
	}))
	if records != n {
		t.Errorf("restored %d records, want %d", records, n)
	}
}
