package sla

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// claims returns what the incidents hold, those below min_orders included.
func (s *Incidents) claims() map[claim]bool {
	held := map[claim]bool{}
	for _, list := range s.members {
		for _, m := range list {
			held[claim{m.Order, m.Stage, m.N}] = true
		}
	}
	return held
}

// stuck returns the stuck visits of the read model.
func (m *memory) stuck() map[claim]bool {
	stuck := map[claim]bool{}
	for _, o := range m.orders {
		for _, v := range o.Visits {
			if v.Verdict == VerdictStuck {
				stuck[claim{o.ID, v.Stage, v.N}] = true
			}
		}
	}
	return stuck
}

// checkIncidents holds the incidents to the stuck visits, and what is kept of them to what they say.
func (i *instance) checkIncidents(t *rapid.T) {
	t.Helper()
	stuck, held := i.memory.stuck(), i.group.claims()
	if fmt.Sprint(stuck) != fmt.Sprint(held) {
		t.Fatalf("stuck are %v, in incidents %v", stuck, held)
	}
	kept := map[IncidentID]int{}
	for key, x := range i.memory.members {
		if !x.Left.IsZero() {
			continue
		}
		kept[key.incident]++
		if !stuck[key.claim] {
			t.Fatalf("%+v is kept in incident %d and not stuck", key.claim, key.incident)
		}
	}
	for _, x := range i.group.Open() {
		if kept[x.ID] != x.Orders || x.Peak < x.Orders || x.Total < x.Peak || x.Emptied.IsZero() != (x.Orders > 0) || x.Worst.IsZero() != (x.Orders == 0) {
			t.Fatalf("%d orders are kept of %+v", kept[x.ID], x)
		}
		delete(kept, x.ID)
	}
	if len(kept) > 0 {
		t.Fatalf("orders are kept of incidents that are not open: %v", kept)
	}
}

// Whatever happens, an order is in an incident exactly while a visit of its is stuck.
func TestIncidentsHoldWhatIsStuck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		i := newInstance(w.flow)
		i.drawMachine(t)
		deliverAll(t, i, w.shuffle(t))
		i.apply(len(i.queue))
		i.checkIncidents(t)
		i.restart()
		i.checkIncidents(t)
		i.now = later(i.now, w.end.Add(10*order.Day))
		i.apply(0)
		i.checkIncidents(t)
	})
}

// drawMachine draws how many engines there are and how many of their orders may be awake.
func (i *instance) drawMachine(t *rapid.T) {
	i.awake = rapid.IntRange(0, 1).Draw(t, "awake")
	i.shards = rapid.IntRange(0, 8).Draw(t, "shards")
	i.restart()
}

// twins are two instances with one history: one is restarted now and then, the other is not.
type twins struct{ calm, restarted *instance }

func (w *twins) each(do func(*instance)) {
	do(w.calm)
	do(w.restarted)
}

// tellIncidents leaves out the numbers: of two incidents that open at one instant, the one whose
// order's history had to be asked for comes second.
func (m *memory) tellIncidents() string {
	name := func(id IncidentID) string {
		i := m.incidents[id]
		return fmt.Sprintf("%s/%s/%t opened %s", i.Stage, i.Channel, i.Preexisting, i.Opened)
	}
	var lines []string
	for _, i := range m.incidents {
		line := name(i.ID)
		i.ID, i.Evidence = 0, nil
		lines = append(lines, fmt.Sprintf("%s: %+v", line, i))
	}
	for _, x := range m.members {
		line := name(x.Incident)
		x.Incident, x.Cause = 0, "" // the cause depends on who left the stage before, which a restart forgets
		lines = append(lines, fmt.Sprintf("%s: %+v", line, x))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A restart at any point, with or without what was not saved, gives the same incidents.
func TestRestartsDoNotChangeIncidents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		pair := twins{newInstance(w.flow), newInstance(w.flow)}
		pair.restarted.drawMachine(t)
		list := w.shuffle(t)
		for len(list) > 0 {
			n := min(len(list), rapid.IntRange(1, 5).Draw(t, "batch"))
			then := rapid.IntRange(0, 3).Draw(t, "then")
			pair.each(func(i *instance) {
				for _, a := range list[:n] {
					i.now = later(i.now, a.at)
				}
				i.commit(events(list[:n]))
				if then == 0 && i == pair.restarted {
					i.crash()
					return
				}
				i.apply(len(i.queue))
				if then == 1 && i == pair.restarted {
					i.restart()
				}
			})
			list = list[n:]
			if calm, restarted := pair.calm.memory.tellIncidents(), pair.restarted.memory.tellIncidents(); calm != restarted {
				t.Fatalf("without a restart\n%s\nwith\n%s\nin\n%s\n%s", calm, restarted, w.text, w)
			}
		}
	})
}
