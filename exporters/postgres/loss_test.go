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
	d.removeSlot()
	d.exec(`UPDATE orders SET status = 'B' WHERE id = 2`)
	d.exec(`INSERT INTO orders (id, status) VALUES (3, 'A')`)
	receiver.Wait(t, "the repair", func(events []order.Event) bool { return len(gaps(events, "slot")) >= 2 })
	d.exec(`UPDATE orders SET status = 'C' WHERE id = 3`)
	events := d.provenAfter(receiver)
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

func TestPublicationThatWasGoneForAWhileIsRepaired(t *testing.T) {
	d := newDatabase(t, schema, `INSERT INTO orders (id, status) VALUES (1, 'A')`)
	receiver := exportertest.Start(t)
	log := &lines{wrote: make(chan struct{}, 100)}
	startSidecarLogging(t, d.config(), t.TempDir(), receiver, log)
	d.provenAfter(receiver)
	d.exec(`DROP PUBLICATION orderwatch`)
	d.exec(`UPDATE orders SET status = 'B'`)
	log.wait(t, "CREATE PUBLICATION")
	d.exec(`CREATE PUBLICATION orderwatch FOR TABLE orders (id, model_file, channel, polygons, status, updated_at)`)
	events := d.provenAfter(receiver)
	if found := gaps(events, "slot lost"); len(found) != 2 || found[0].Gap.Repaired || !found[1].Gap.Repaired {
		t.Errorf("gaps are %+v", found)
	}
	if got := facts(events); !slices.Equal(got, []string{"1 A", "1 B"}) {
		t.Errorf("facts are %v", got)
	}
}

func TestSlotThatHeldTooMuchIsRepaired(t *testing.T) {
	d := newDatabase(t, schema, `INSERT INTO orders (id, status) VALUES (1, 'A')`)
	receiver := exportertest.Start(t)
	dir := t.TempDir()
	stop := startSidecar(t, d.config(), dir, receiver)
	d.provenAfter(receiver)
	stop()
	d.exec(`UPDATE orders SET status = 'B'`)
	d.exec(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`)
	d.exec(`SELECT pg_reload_conf()`)
	var status string
	for status != "lost" {
		d.exec(`SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'x', repeat('x', 1000000))`)
		d.exec(`CHECKPOINT`)
		if err := d.conn.QueryRow(t.Context(), `SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1`, d.name).Scan(&status); err != nil {
			t.Fatal(err)
		}
	}
	d.exec(`ALTER SYSTEM RESET max_slot_wal_keep_size`)
	d.exec(`SELECT pg_reload_conf()`)
	startSidecar(t, d.config(), dir, receiver)
	events := d.provenAfter(receiver)
	if found := gaps(events, "invalidated"); len(found) != 2 || found[0].Gap.Repaired || !found[1].Gap.Repaired {
		t.Errorf("gaps are %+v", found)
	}
	if got := facts(events); !slices.Equal(got, []string{"1 A", "1 B"}) {
		t.Errorf("facts are %v", got)
	}
}
