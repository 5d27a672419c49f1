package sla

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// Whatever people join and part, before and after verdicts, with restarts and crashes in between:
// every order is what its records say, what was said stands where it is marked, and a restart
// changes nothing.
func TestJoinedAndPartedOrdersAreWhatTheirRecordsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		i := newInstance(w.flow)
		i.awake = rapid.IntRange(0, 1).Draw(t, "awake")
		i.shards = rapid.IntRange(0, 4).Draw(t, "shards")
		i.restart()
		var told []string
		for list := w.shuffle(t); len(list) > 0; {
			n := rapid.IntRange(1, min(len(list), 8)).Draw(t, "until somebody interferes")
			deliverAll(t, i, list[:n])
			list = list[n:]
			told = append(told, interfere(t, i))
		}
		i.now = later(i.now, w.end.Add(10*order.Day))
		i.apply(len(i.queue))
		for _, when := range []string{"before", "after"} {
			w.checkOrders(t, i, fmt.Sprintf("%s a restart, %s, in\n%s\n%s", when, strings.Join(told, "\n"), w.text, w))
			w.checkVerdicts(t, i)
			i.checkIncidents(t)
			i.restart()
		}
	})
}

// interfere has a person join or part orders.
func interfere(t *rapid.T, i *instance) string {
	number := func(what string) string { return fmt.Sprint(rapid.IntRange(0, 2).Draw(t, what)) }
	if chance(t, 2, "link") {
		x := Linking{A: order.Key{Name: "shop", Value: number("shop")}, B: order.Key{Name: "mes", Value: number("mes")}, By: "Anna"}
		return fmt.Sprintf("link %s: %v", keysText([]order.Key{x.A, x.B}), i.link(x))
	}
	links := i.links()
	if len(links) == 0 {
		return ""
	}
	l := links[rapid.IntRange(0, len(links)-1).Draw(t, "link to undo")]
	return fmt.Sprintf("unlink %s: %v", keysText([]order.Key{l.Keys.A, l.Keys.B}), i.unlink(Unlinking{Of: l.Keys.A, Record: l.Record, Key: l.Keys.B, By: "Boris"}))
}

// checkOrders holds the read model to the reference on what the journal says each order is.
func (w *world) checkOrders(t *rapid.T, i *instance, story string) {
	sources := w.sources()
	want := map[OrderID]Order{}
	for _, r := range i.memory.records {
		id := i.memory.survivor(r.Order)
		if _, done := want[id]; !done {
			want[id] = referenceOrder(w.flow, w.exact(i.memory.history(id).Records), i.now, sources)
		}
	}
	for id, o := range want {
		got, ok := i.memory.orders[id]
		if a, b := tellOrder(o), tellOrder(got); !ok || a != b {
			t.Fatalf("order %d: the reference says\n%s\nand the engine\n%s\n%s", id, a, b, story)
		}
	}
	if len(want) != len(i.memory.orders) {
		t.Fatalf("%d orders in the read model, %d in the journal\n%s", len(i.memory.orders), len(want), story)
	}
	w.checkOverview(t, i, func() map[string]Order {
		all := map[string]Order{}
		for id, o := range want {
			all[id.String()] = o
		}
		return all
	}())
}

// exact gives records the clock offsets that were in force.
func (w *world) exact(records []Record) []Record {
	list := make([]Record, len(records))
	for n, r := range records {
		for _, s := range w.sent {
			if s.event.Position == r.Event.Position && s.event.ID == r.Event.ID {
				r.Offset = s.offset
			}
		}
		list[n] = r
	}
	return list
}
