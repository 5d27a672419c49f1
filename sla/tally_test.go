package sla

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// counted adds up what an instance counted. It must not restart.
type counted struct {
	steps     map[[2]order.Status]int
	repeats   map[order.Status]int
	conflicts int
}

func (c *counted) add(x *Change) {
	for _, t := range x.Transitions {
		c.steps[[2]order.Status{t.From, t.To}] += t.Count
	}
	for _, r := range x.Repeats {
		c.repeats[r.Status] += r.Count
	}
	c.conflicts += x.Conflicts
}

func newCounted() *counted {
	return &counted{steps: map[[2]order.Status]int{}, repeats: map[order.Status]int{}}
}

// Where everything comes in order, every step of every order is counted once, also where an order
// had ended and was let go, and where what an order is made of is read again.
func TestEveryStepIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if w.merges {
			t.Skip("two halves of an order have a first status each")
		}
		i := newInstance(w.flow)
		i.shards = rapid.IntRange(0, 4).Draw(t, "shards")
		i.restart()
		got, want := newCounted(), newCounted()
		i.counted = got
		last, of := map[order.Key]order.Status{}, map[order.Key]map[string]order.Status{}
		named := func(s order.Status) order.Status {
			if compile(w.flow).statuses[s] == nil {
				return order.Status{}
			}
			return s
		}
		for _, s := range w.sent {
			i.now = later(i.now, s.at)
			i.commit([]order.Event{s.event})
			i.apply(1)
			if chance(t, 4, "read again") && i.journal() > 0 {
				i.engine.Restore(i.memory.history(i.memory.records[i.journal()-1].Order))
			}
			if s.event.Kind != order.KindStatus && s.event.Kind != order.KindJob {
				continue
			}
			key, status := s.event.Keys[0], order.Status{System: s.event.System, Name: s.event.Status}
			for _, k := range s.event.Keys {
				if k.Name == "shop" {
					key = k
				}
			}
			if before, ok := last[key]; ok {
				want.steps[[2]order.Status{named(before), named(status)}]++
			} else {
				of[key] = map[string]order.Status{}
			}
			if of[key][status.System] == status {
				want.repeats[named(status)]++
			}
			last[key], of[key][status.System] = status, status
		}
		if !inOrderByEveryClock(i.memory.records) {
			t.Skip("equal instants are in another order")
		}
		i.apply(0)
		if !maps.Equal(got.steps, want.steps) || !maps.Equal(got.repeats, want.repeats) {
			t.Fatalf("counted %v %v\nthere are %v %v\nin\n%s\n%s", got.steps, got.repeats, want.steps, want.repeats, w.text, w)
		}
	})
}

// inOrderByEveryClock reports whether records of one order are in their total order as they came.
func inOrderByEveryClock(records []Record) bool {
	tables := newTables(compile(&order.Flow{}))
	last := map[OrderID]fact{}
	for i := range records {
		x := tables.fact(&records[i], nil)
		x.at = nanosOf(correctedTime(records[i]))
		if before, ok := last[records[i].Order]; ok && before.compare(&x) >= 0 {
			return false
		}
		last[records[i].Order] = x
	}
	return true
}

func TestWhatComesLateOrIsReadAgainCountsOnce(t *testing.T) {
	c := newCompany(t)
	c.counted = newCounted()
	c.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1", "mes", "a")
	c.send("mes-db", 1, 2*time.Minute, "mes/SUBMITTED", 0, "mes", "a")
	c.all()
	c.send("mes-db", 2, time.Minute, "mes/SUBMITTED", 0, "mes", "a")                 // between the two
	c.send("mes-db", 3, 3*time.Minute, "mes/UNHEARD OF", 0, "mes", "b", "shop", "1") // refused: the order has another key
	c.all()
	c.engine.Restore(c.memory.history(1))
	c.all()
	submitted, mes := order.Status{System: "shop", Name: "SUBMITTED"}, order.Status{System: "mes", Name: "SUBMITTED"}
	if want := map[[2]order.Status]int{{submitted, mes}: 2}; !maps.Equal(c.counted.steps, want) {
		t.Errorf("steps %v, want %v", c.counted.steps, want)
	}
	if len(c.counted.repeats) != 0 || c.counted.conflicts != 1 {
		t.Errorf("repeats %v, %d conflicts", c.counted.repeats, c.counted.conflicts)
	}
}
