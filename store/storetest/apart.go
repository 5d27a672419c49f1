package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// person joins and parts orders in a store as the collector does.
type person struct {
	t        testing.TB
	store    store.Store
	resolver *sla.Resolver
	last     int64
}

func newPerson(t testing.TB, s store.Store) *person {
	t.Helper()
	at := position(t, s)
	p := &person{t: t, store: s, last: at.Journal, resolver: sla.NewResolver([]string{"shop", "mes"}, at.Order+1)}
	p.resolver.Recall(must(t, func() ([]sla.Record, error) { return s.Corrections(t.Context()) }))
	return p
}

func (p *person) load(keys ...order.Key) {
	p.t.Helper()
	owners := must(p.t, func() (map[order.Key]sla.OrderID, error) { return p.store.Owners(p.t.Context(), keys) })
	var ids []sla.OrderID
	for _, id := range owners {
		ids = append(ids, id)
	}
	p.resolver.Load(owners, must(p.t, func() (map[sla.OrderID][]order.Key, error) { return p.store.KeysOf(p.t.Context(), ids) }))
}

func (p *person) append(b *sla.Batch) {
	p.t.Helper()
	check(p.t, p.store.Append(p.t.Context(), b))
	p.resolver.Commit()
	p.last += int64(len(b.Records))
}

func (p *person) event(keys ...order.Key) {
	p.t.Helper()
	p.load(keys...)
	r := Record(p.last+1, 0)
	r.Event.Keys = keys
	res := p.resolver.Resolve(&r.Event)
	r.Order, r.Link = res.Order, res.Link
	b := &sla.Batch{Records: []sla.Record{r}}
	b.Keys, b.Merges = p.resolver.Staged()
	p.append(b)
}

// link reports whether it was not refused.
func (p *person) link(a, b order.Key) bool {
	p.t.Helper()
	p.load(a, b)
	batch, err := p.resolver.Link(sla.Linking{A: a, B: b, By: "Anna", Note: "\"she\" knows"}, p.last+1, at(int(p.last)))
	if err != nil {
		p.resolver.Rollback()
		return false
	}
	p.append(batch)
	return true
}

func (p *person) unlink(id sla.OrderID, l sla.KeyLink) {
	p.t.Helper()
	h := must(p.t, func() (sla.History, error) { return p.store.History(p.t.Context(), id) })
	b, err := p.resolver.Unlink(sla.Unlinking{Of: l.Keys.A, Record: l.Record, Key: l.Keys.B, By: "Boris"}, &h, p.last+1, at(int(p.last)))
	check(p.t, err)
	p.append(b)
}

func testApart(t *testing.T, d Driver) {
	location := d.Location(t)
	s, err := d.Open(t.Context(), location)
	check(t, err)
	shop, mes := order.Key{Name: "shop", Value: "1"}, order.Key{Name: "mes", Value: "a"}
	p := newPerson(t, s)
	p.event(shop)
	p.event(mes)
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1), Order(2, 2)}, Audit: []sla.AuditEntry{{At: at(1), Kind: sla.AuditStuck, Order: 2}}}, 2))
	if !p.link(shop, mes) {
		t.Fatal("the link was refused")
	}
	wantHistory(t, s, 2, 1, 1, 2, 3)
	p.event(shop, mes) // belongs to the MES's order, as its system says
	joined := Order(1, 3)
	joined.Absorbed = []sla.OrderID{2}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{joined}, Removed: []sla.Merge{{From: 2, Into: 1}}}, 4))
	wantOrder(t, s, 2, joined)

	p.unlink(1, sla.KeyLink{Record: 3, Keys: sla.Pin{A: shop, B: mes}})
	check(t, s.Close()) // nothing of it was folded
	s = open(t, d, location)
	wantHistory(t, s, 1, 1, 1, 3, 5)
	wantHistory(t, s, 2, 2, 2, 4, 6)
	if _, err := s.Order(t.Context(), 2); err == nil {
		t.Error("the read model has the parted order before it was folded")
	}
	all := restored(t, s)
	if len(all) != 2 || !slices.Equal(sequences(all[1]), []int64{1, 3, 5}) || !slices.Equal(sequences(all[2]), []int64{2, 4, 6}) {
		t.Errorf("restored %+v", all)
	}
	if h := all[2]; len(h.Audit) != 1 || !slices.Equal(h.Records[1].Link.Refused, []order.Key{shop}) || h.Records[2].Link.Correction.By != "Boris" {
		t.Errorf("history %+v", h)
	}
	owners := must(t, func() (map[order.Key]sla.OrderID, error) { return s.Owners(t.Context(), []order.Key{shop, mes}) })
	if want := (map[order.Key]sla.OrderID{shop: 1, mes: 2}); !reflect.DeepEqual(owners, want) {
		t.Errorf("owners %v, want %v", owners, want)
	}
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1), Order(2, 2)}}, 6))
	wantOrder(t, s, 2, Order(2, 2))
	wantOrder(t, s, 1, Order(1, 1))

	p = newPerson(t, s)
	p.event(mes, shop)
	wantHistory(t, s, 2, 2, 2, 4, 6, 7) // kept apart
	if corrections := must(t, func() ([]sla.Record, error) { return s.Corrections(t.Context()) }); len(corrections) != 3 || corrections[0].Link.Correction.Note != "\"she\" knows" {
		t.Errorf("corrections %+v", corrections)
	}
	if !p.link(mes, shop) {
		t.Error("a person cannot link them again")
	}
	wantHistory(t, s, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8)
}

func wantHistory(t testing.TB, s store.Store, asked, id sla.OrderID, seqs ...int64) {
	t.Helper()
	h := must(t, func() (sla.History, error) { return s.History(t.Context(), asked) })
	if got := sequences(h); h.Order != id || !slices.Equal(got, seqs) {
		t.Errorf("history of %d: order %d, records %v, want order %d, records %v", asked, h.Order, got, id, seqs)
	}
}

func testForgottenKey(t *testing.T, d Driver) {
	s := openNew(t, d)
	shop, mes := order.Key{Name: "shop", Value: "1"}, order.Key{Name: "mes", Value: "a"}
	p := newPerson(t, s)
	p.event(mes, shop)
	p.unlink(1, sla.KeyLink{Record: 1, Keys: sla.Pin{A: mes, B: shop}})
	if ids := must(t, func() ([]sla.OrderID, error) { return s.FindKey(t.Context(), "1") }); len(ids) != 0 {
		t.Errorf("a key that nobody holds leads to %v", ids)
	}
	keys := must(t, func() (map[sla.OrderID][]order.Key, error) { return s.KeysOf(t.Context(), []sla.OrderID{1}) })
	if want := (map[sla.OrderID][]order.Key{1: {mes}}); !reflect.DeepEqual(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	for name, b := range map[string]*sla.Batch{
		"a record that is not there": {Moved: []sla.Record{{Seq: 9, Order: 1}}},
		"a record to no order":       {Moved: []sla.Record{{Seq: 1}}},
	} {
		if err := s.Append(t.Context(), b); err == nil {
			t.Errorf("moved %s", name)
		}
	}
}

// testManyApart has people join and part orders at random: every record is of one order, which
// holds the keys that the record joined, and nothing else is held.
func testManyApart(t *testing.T, d Driver) {
	location := d.Location(t)
	s, err := d.Open(t.Context(), location)
	check(t, err)
	m := newMaker(7)
	p := newPerson(t, s)
	key := func(name string) order.Key { return order.Key{Name: name, Value: fmt.Sprint(m.IntN(5))} }
	linked, parted := 0, 0
	for step := range 120 {
		switch m.IntN(4) {
		case 0, 1:
			p.event(pick(m, []order.Key{key("shop")}, []order.Key{key("mes")}, []order.Key{key("shop"), key("mes")})...)
		case 2:
			if p.link(key("shop"), key("mes")) {
				linked++
			}
		case 3:
			id := sla.OrderID(1 + m.IntN(int(position(t, s).Order)+1))
			h, err := s.History(t.Context(), id)
			if links := sla.Links(h.Records); err == nil && len(links) > 0 {
				p.unlink(id, links[m.IntN(len(links))])
				parted++
			}
		}
		if step%10 == 0 {
			wantWhole(t, s)
		}
		if step%50 == 49 {
			check(t, s.Close())
			if s, err = d.Open(t.Context(), location); err != nil {
				t.Fatal(err)
			}
			p = newPerson(t, s)
		}
	}
	wantWhole(t, s)
	if linked == 0 || parted == 0 {
		t.Errorf("%d links, %d unlinks", linked, parted)
	}
	check(t, s.Close())
}

func wantWhole(t testing.TB, s store.Store) {
	t.Helper()
	at := position(t, s)
	seen := map[int64]sla.OrderID{}
	held := map[order.Key]sla.OrderID{}
	var ids []sla.OrderID
	for id := sla.OrderID(1); id <= at.Order; id++ {
		h, err := s.History(t.Context(), id)
		if err != nil || h.Order != id {
			continue
		}
		ids = append(ids, id)
		for _, r := range h.Records {
			if other, twice := seen[r.Seq]; twice {
				t.Fatalf("record %d is of orders %d and %d", r.Seq, other, id)
			}
			seen[r.Seq] = id
			for _, k := range r.Event.Keys {
				if !slices.Contains(r.Link.Refused, k) {
					held[k] = id
				}
			}
		}
	}
	if int64(len(seen)) != at.Journal {
		t.Fatalf("%d of %d records are of an order", len(seen), at.Journal)
	}
	got := map[order.Key]sla.OrderID{}
	for id, keys := range must(t, func() (map[sla.OrderID][]order.Key, error) { return s.KeysOf(t.Context(), ids) }) {
		for _, k := range keys {
			got[k] = id
		}
	}
	if !reflect.DeepEqual(got, held) {
		t.Fatalf("keys belong to %v, by the records to %v", got, held)
	}
	all := restored(t, s)
	for _, id := range ids {
		if len(all[id].Records) == 0 {
			t.Fatalf("order %d, never folded, is not restored", id)
		}
	}
}
