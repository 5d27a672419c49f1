package sla

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// model keeps identities in the most obviously right way: the keys that each record joined, from
// which orders are found anew, by brute force, whenever one is asked for.
type model struct {
	names   []string
	records []modelRecord
	pins    map[[2]order.Key]bool
}

type modelRecord struct {
	system string
	keys   []order.Key // all it has
	joined []order.Key // those by which it belongs to its order
	person bool
}

// together returns the keys that records join with these, those included.
func together(records []modelRecord, keys ...order.Key) map[order.Key]bool {
	set := map[order.Key]bool{}
	for _, k := range keys {
		set[k] = true
	}
	for grown := true; grown; {
		grown = false
		for _, r := range records {
			if !slices.ContainsFunc(r.joined, func(k order.Key) bool { return set[k] }) {
				continue
			}
			for _, k := range r.joined {
				grown = grown || !set[k]
				set[k] = true
			}
		}
	}
	return set
}

func (m *model) known(records []modelRecord, k order.Key) bool {
	return slices.ContainsFunc(records, func(r modelRecord) bool { return slices.Contains(r.joined, k) })
}

// consistent reports whether an order may hold all these keys.
func consistent(set map[order.Key]bool, pins map[[2]order.Key]bool) bool {
	for a := range set {
		for b := range set {
			if a != b && a.Name == b.Name || pins[[2]order.Key{a, b}] || pins[[2]order.Key{b, a}] {
				return false
			}
		}
	}
	return true
}

// join tells which of the candidates a record joins, tried in order, among the records before it.
func (m *model) join(before []modelRecord, system string, candidates []order.Key, pins map[[2]order.Key]bool) []order.Key {
	place := func(k order.Key) int {
		switch {
		case k.Name == system:
			return -2
		case m.known(before, k) && !slices.ContainsFunc(candidates, func(c order.Key) bool { return c.Name == system }):
			if !slices.ContainsFunc(candidates, func(c order.Key) bool {
				return m.known(before, c) && slices.Index(m.names, c.Name) < slices.Index(m.names, k.Name)
			}) {
				return -1 // the first that is known
			}
		}
		return slices.Index(m.names, k.Name)
	}
	tried := slices.Clone(candidates)
	slices.SortStableFunc(tried, func(a, b order.Key) int { return place(a) - place(b) })
	var joined []order.Key
	for _, k := range tried {
		if consistent(together(before, append(slices.Clone(joined), k)...), pins) {
			joined = append(joined, k)
		}
	}
	return joined
}

func (m *model) event(e *order.Event) {
	m.records = append(m.records, modelRecord{e.System, e.Keys, m.join(m.records, e.System, e.Keys, m.pins), false})
}

func (m *model) link(a, b order.Key) bool {
	as, bs := together(m.records, a), together(m.records, b)
	both := maps.Clone(as)
	maps.Copy(both, bs)
	pinned := !consistent(both, m.pins) && consistent(both, nil)
	if as[b] || !m.known(m.records, a) && !m.known(m.records, b) || (!m.known(m.records, a) || !m.known(m.records, b)) && !pinned || !consistent(both, nil) {
		return false
	}
	for x := range as {
		for y := range bs {
			delete(m.pins, [2]order.Key{x, y})
			delete(m.pins, [2]order.Key{y, x})
		}
	}
	m.records = append(m.records, modelRecord{"", []order.Key{a, b}, []order.Key{a, b}, true})
	return true
}

// unlink keeps a and b apart, and joins the records of their order anew.
func (m *model) unlink(a, b order.Key) {
	pin := map[[2]order.Key]bool{{a, b}: true}
	whole := together(m.records, a)
	var again []modelRecord
	var place []int
	for i, r := range m.records {
		if len(r.joined) > 0 && whole[r.joined[0]] {
			r.joined = m.join(again, r.system, r.joined, pin)
			again, place = append(again, r), append(place, i)
		}
	}
	for i := range again {
		// Keys that only people speak of are nobody's.
		again[i].joined = slices.DeleteFunc(again[i].joined, func(k order.Key) bool {
			set := together(again, k)
			return !slices.ContainsFunc(again, func(r modelRecord) bool { return !r.person && len(r.joined) > 0 && set[r.joined[0]] })
		})
	}
	for i, at := range place {
		m.records[at] = again[i]
	}
	m.pins[[2]order.Key{a, b}] = true
}

func drawKeys(t *rapid.T, names []string) []order.Key {
	var list []order.Key
	for _, name := range names {
		if rapid.Bool().Draw(t, "has "+name) {
			list = append(list, order.Key{Name: name, Value: fmt.Sprint(rapid.IntRange(1, 3).Draw(t, name))})
		}
	}
	if len(list) == 0 {
		list = []order.Key{{Name: names[0], Value: "1"}}
	}
	return list
}

// Whatever comes of events, links and unlinks, the orders are the model's; an id leads to the order
// of the event it was given for as long as there are orders.
func TestOrdersAreTheModelsWhateverPeopleSay(t *testing.T) {
	names := []string{"shop", "mes", "b2b"}
	rapid.Check(t, func(t *rapid.T) {
		i := newInstance(parseIdentityFlow(t))
		m := &model{names: names, pins: map[[2]order.Key]bool{}}
		place := []int{}             // by record of the model, its place in the journal
		given := map[OrderID]int64{} // the first event of an id
		var told []string
		for n := range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			default:
				e := order.Event{Kind: order.KindStatus, System: oneOf(t, "system", "shop", "mes", "crm"), Status: "S", Time: day0, Keys: drawKeys(t, names)}
				e.Source, e.ID = "sender", fmt.Sprint(n)
				told = append(told, fmt.Sprintf("event of %s %s", e.System, keysText(e.Keys)))
				i.commit([]order.Event{e})
				m.event(&e)
				place = append(place, len(i.memory.records)-1)
			case 3:
				x := Linking{A: drawKeys(t, names)[0], B: drawKeys(t, names)[0], By: "Anna"}
				told = append(told, fmt.Sprintf("link %s", keysText([]order.Key{x.A, x.B})))
				err := i.link(x)
				if ok := m.link(x.A, x.B); ok != (err == nil) {
					t.Fatalf("the model takes the link: %t; we say %v after\n%s", ok, err, strings.Join(told, "\n"))
				}
				if err == nil {
					place = append(place, len(i.memory.records)-1)
				}
			case 4:
				links := i.links()
				if len(links) == 0 {
					continue
				}
				l := links[rapid.IntRange(0, len(links)-1).Draw(t, "link")]
				told = append(told, fmt.Sprintf("unlink %s of record %d", keysText([]order.Key{l.Keys.A, l.Keys.B}), l.Record))
				if err := i.unlink(Unlinking{Of: l.Keys.A, Record: l.Record, Key: l.Keys.B, By: "Boris"}); err != nil {
					t.Fatalf("%v after\n%s", err, strings.Join(told, "\n"))
				}
				m.unlink(l.Keys.A, l.Keys.B)
			}
			if rapid.IntRange(0, 5).Draw(t, "restart") == 0 {
				i.restart()
			}
			i.compare(t, m, place, given, told)
		}
	})
}

func parseIdentityFlow(t interface{ Fatal(...any) }) *order.Flow {
	f, err := order.ParseFlow("flow.yaml", []byte(strings.Replace(testFlow, "keys: [shop, mes]", "keys: [shop, mes, b2b]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// links are those of all orders.
func (i *instance) links() []KeyLink {
	var all []KeyLink
	done := map[OrderID]bool{}
	for _, r := range i.memory.records {
		if id := i.memory.survivor(r.Order); !done[id] {
			done[id] = true
			all = append(all, Links(i.memory.history(id).Records)...)
		}
	}
	return all
}

func (i *instance) compare(t *rapid.T, m *model, place []int, given map[OrderID]int64, told []string) {
	fail := func(format string, args ...any) {
		t.Fatalf(format+" after\n%s", append(args, strings.Join(told, "\n"))...)
	}
	for a, at := range place {
		for b, bt := range place[:a] {
			ja, jb := m.records[a].joined, m.records[b].joined
			if len(ja) == 0 || len(jb) == 0 {
				continue
			}
			one := together(m.records, ja[0])[jb[0]]
			if got := i.memory.survivor(i.memory.records[at].Order) == i.memory.survivor(i.memory.records[bt].Order); got != one {
				fail("records %d and %d are of one order: %t, in the model %t", at+1, bt+1, got, one)
			}
		}
		joined := accepted(&i.memory.records[at])
		want := slices.Clone(m.records[a].joined)
		slices.SortFunc(want, compareKeys)
		if got := slices.SortedFunc(slices.Values(joined), compareKeys); !slices.Equal(got, want) {
			fail("record %d joins %s, in the model %s", at+1, keysText(got), keysText(want))
		}
		for _, k := range joined {
			if id := i.memory.survivor(i.memory.records[at].Order); i.memory.owners[k] != id {
				fail("%s belongs to order %d and record %d to %d", keysText([]order.Key{k}), i.memory.owners[k], at+1, id)
			}
		}
	}
	for k := range i.memory.owners {
		if !m.known(m.records, k) {
			fail("%s is an order's, in the model nobody's", keysText([]order.Key{k}))
		}
	}
	for _, r := range i.memory.records {
		if _, ok := given[r.Order]; !ok && !isCorrection(&r) {
			given[r.Order] = r.Seq
		}
	}
	for id, seq := range given {
		if i.memory.survivor(id) != i.memory.survivor(i.memory.records[seq-1].Order) {
			fail("order %d was given for record %d, which is of order %d", id, seq, i.memory.records[seq-1].Order)
		}
	}
}

func TestCorrectionsAreRefusedWithTheirReason(t *testing.T) {
	key := func(name, value string) order.Key { return order.Key{Name: name, Value: value} }
	for name, c := range map[string]struct {
		link   Linking
		unlink Unlinking
		want   RefusalCode
	}{
		"nobody says it":                {link: Linking{A: key("shop", "1"), B: key("mes", "b"), By: " \t"}, want: RefusedPerson},
		"a name of two lines":           {link: Linking{A: key("shop", "1"), B: key("mes", "b"), By: "A\nB"}, want: RefusedPerson},
		"a note too long":               {link: Linking{A: key("shop", "1"), B: key("mes", "b"), By: "Anna", Note: strings.Repeat("x", 501)}, want: RefusedNote},
		"a key nobody has":              {link: Linking{A: key("shop", "1"), B: key("mes", "z"), By: "Anna"}, want: RefusedKey},
		"one order":                     {link: Linking{A: key("shop", "1"), B: key("mes", "a"), By: "Anna"}, want: RefusedSame},
		"two values of one name":        {link: Linking{A: key("shop", "1"), B: key("mes", "c"), By: "Anna"}, want: RefusedConflict},
		"an unlink by nobody":           {unlink: Unlinking{Of: key("shop", "1"), Record: 1}, want: RefusedPerson},
		"an unlink where nothing joins": {unlink: Unlinking{Of: key("shop", "1"), Record: 2, By: "Anna"}, want: RefusedLink},
		"an unlink of other keys":       {unlink: Unlinking{Of: key("shop", "1"), Record: 1, Key: key("mes", "b"), By: "Anna"}, want: RefusedLink},
	} {
		t.Run(name, func(t *testing.T) {
			i := newCompany(t)
			i.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1", "mes", "a")
			i.send("mes-db", 1, 0, "mes/SUBMITTED", 0, "mes", "b")
			i.send("shop-db", 2, 0, "shop/SUBMITTED", 0, "shop", "2", "mes", "c")
			err := i.instance.unlink(c.unlink)
			if c.unlink.Record == 0 {
				err = i.instance.link(c.link)
			}
			var r *Refusal
			if !errors.As(err, &r) || r.Code != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if len(i.memory.records) != 3 {
				t.Errorf("%d records in the journal", len(i.memory.records))
			}
		})
	}
}
