package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
)

func gaps(events []order.Event, reason string) (out []order.Event) {
	for _, e := range events {
		if e.Kind == order.KindGap && strings.Contains(e.Gap.Reason, reason) {
			out = append(out, e)
		}
	}
	return out
}

func TestDroppedSlotIsSaidAndRepaired(t *testing.T) {
	d := newDatabase(t, schema)
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	d.provenAfter(receiver)
	d.exec(`INSERT INTO orders (id, status) VALUES (1, 'A'), (2, 'A')`)
	d.provenAfter(receiver)
	d.exec(`ALTER SYSTEM SET max_replication_slots = 40`) // any write that is not ours
	d.removeSlot()
	d.exec(`UPDATE orders SET status = 'B' WHERE id = 2`)
	d.exec(`INSERT INTO orders (id, status) VALUES (3, 'A')`)
	events := receiver.Wait(t, "the repair", func(events []order.Event) bool { return len(gaps(events, "slot")) >= 2 })
	d.exec(`UPDATE orders SET status = 'C' WHERE id = 3`)
	events = d.provenAfter(receiver)
	found := gaps(events, "slot")
	said, repaired := found[0], found[len(found)-1]
	if said.Gap.Repaired || !repaired.Gap.Repaired || repaired.Gap.To.Before(said.Gap.To) || !repaired.Gap.From.Equal(said.Gap.From) {
		t.Errorf("gaps are %+v and %+v", said.Gap, repaired.Gap)
	}
	if said.Epoch != repaired.Epoch {
		t.Errorf("the epoch changed")
	}
	got := facts(events)
	for _, want := range []string{"2 B", "3 A", "3 C"} {
		if i := slices.Index(got, want); i < 0 || slices.Contains(got[i+1:], want) {
			t.Errorf("%q is not there exactly once in %v", want, got)
		}
	}
	if slices.Contains(got[2:], "1 A") {
		t.Errorf("what did not change was sent again: %v", got)
	}
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
}

func TestLostSpoolBeginsANewEpochWithASnapshot(t *testing.T) {
	d := newDatabase(t, schema, `INSERT INTO orders (id, status) VALUES (1, 'A')`)
	receiver := exportertest.Start(t)
	stop := startSidecar(t, d.config(), t.TempDir(), receiver)
	before := d.provenAfter(receiver)
	stop()
	d.exec(`UPDATE orders SET status = 'B'`)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	events := d.provenAfter(receiver)[len(before):]
	if events[len(events)-1].Epoch <= before[0].Epoch {
		t.Errorf("epoch is %d after %d", events[len(events)-1].Epoch, before[0].Epoch)
	}
	if got := facts(events); !slices.Equal(got, []string{"1 B"}) {
		t.Errorf("facts are %v", got)
	}
}

func TestTruncateIsAGap(t *testing.T) {
	d := newDatabase(t, schema, `INSERT INTO orders (id, status) VALUES (1, 'A')`)
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	d.provenAfter(receiver)
	d.exec(`TRUNCATE orders`)
	if found := gaps(d.provenAfter(receiver), "truncated"); len(found) != 1 || found[0].Gap.Repaired {
		t.Errorf("gaps are %+v", found)
	}
}
