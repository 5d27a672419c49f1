package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/testbed/server"
)

const schema = `
CREATE TABLE orders (id bigint PRIMARY KEY, model_file text, channel text, polygons bigint, status text, secret text, updated_at timestamptz DEFAULT now());
CREATE PUBLICATION orderwatch FOR TABLE orders (id, model_file, channel, polygons, status, updated_at)`

// shared is one server for the package's tests; each has its own database.
var shared *server.Postgres

func TestMain(m *testing.M) {
	if os.Getenv(sidecarEnv) != "" {
		runSidecar()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	var err error
	shared, err = server.StartPostgres(ctx, server.PostgresOptions{Settings: map[string]string{
		"track_commit_timestamp": "on", "max_replication_slots": "40", "max_wal_senders": "40", "wal_sender_timeout": "10s"}})
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start PostgreSQL:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		code = 1
	}
	os.Exit(code)
}

// database is a new one with the schema, and a connection to it.
type database struct {
	t    *testing.T
	name string
	dsn  string
	conn *pgx.Conn
}

func newDatabase(t *testing.T, statements ...string) *database {
	t.Helper()
	name := fmt.Sprintf("t%d", time.Now().UnixNano())
	dsn, err := shared.CreateDatabase(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, name: name, dsn: dsn, conn: connectTo(t, dsn)}
	t.Cleanup(d.removeSlot)
	for _, s := range statements {
		d.exec(s)
	}
	return d
}

func connectTo(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (d *database) exec(sql string, args ...any) {
	d.t.Helper()
	if _, err := d.conn.Exec(d.t.Context(), sql, args...); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

// removeSlot cuts the sidecar off until its slot is dropped.
func (d *database) removeSlot() {
	conn, err := pgx.Connect(context.Background(), d.dsn)
	if err != nil {
		d.t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	for range 1000 {
		var there bool
		err := conn.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`, d.name).Scan(&there)
		if err == nil && !there {
			return
		}
		conn.Exec(context.Background(), `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1`, d.name)
		if _, err := conn.Exec(context.Background(), `SELECT pg_drop_replication_slot($1)`, d.name); err == nil {
			return
		}
	}
	d.t.Error("slot was not dropped")
}

func (d *database) config() Config {
	c := DefaultConfig()
	c.DSN, c.Slot, c.Publication = d.dsn, d.name, "orderwatch"
	c.WatermarkInterval = 20 * time.Millisecond
	c.Tables = []Table{{
		Table: "public.orders", System: "shop", Status: "status", Time: "updated_at",
		Keys:       map[string]string{"shop": "id", "file": "model_file"},
		Attributes: map[string]string{"channel": "channel", "polygons": "polygons"},
		Statuses:   exporters.Statuses{"NEW": "SUBMITTED", "DRAFT": ""},
	}}
	return c
}

func sidecarOptions(c Config, dir, endpoint string, log *slog.Logger) (exporters.Options, error) {
	shared := exporters.DefaultConfig()
	shared.Source, shared.Service = "shop-db", "shop"
	shared.Collector.Endpoint, shared.Collector.Insecure = endpoint, true
	shared.Spool.Dir = dir
	source, err := New(Options{Config: c, StateDir: shared.StateDir(), Log: log, RetryMin: time.Millisecond, RetryMax: 50 * time.Millisecond})
	return exporters.Options{Config: shared, Source: source, Log: log, RetryMin: time.Millisecond, RetryMax: 20 * time.Millisecond}, err
}

// startSidecar runs one until the returned function is called or the test ends.
func startSidecar(t *testing.T, c Config, dir string, receiver *exportertest.Receiver) (stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	o, err := sidecarOptions(c, dir, receiver.Endpoint(), log)
	if err != nil {
		t.Fatal(err)
	}
	return exportertest.StartRunner(t, o)
}

// facts returns the status events as "key status".
func facts(events []order.Event) []string {
	var out []string
	for _, e := range events {
		if e.Kind == order.KindStatus {
			id, _ := e.Key("shop")
			out = append(out, id+" "+e.Status)
		}
	}
	return out
}

// provenAfter waits until a watermark proves the database's present.
func (d *database) provenAfter(receiver *exportertest.Receiver) []order.Event {
	d.t.Helper()
	var now time.Time
	if err := d.conn.QueryRow(d.t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
		d.t.Fatal(err)
	}
	return receiver.Wait(d.t, "a watermark after now", func(events []order.Event) bool {
		for i := len(events) - 1; i >= 0; i-- {
			if events[i].Kind == order.KindWatermark {
				return events[i].Time.After(now)
			}
		}
		return false
	})
}

func TestRowsBecomeEvents(t *testing.T) {
	d := newDatabase(t, schema,
		`INSERT INTO orders VALUES (1, 'a.stl', 'b2c', 10, 'NEW', 'x', '2026-01-02 03:04:05+00'), (2, 'b.stl', 'b2b', 20, 'DRAFT', 'x', now())`)
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	d.provenAfter(receiver)
	d.exec(`INSERT INTO orders VALUES (3, 'c.stl', 'b2c', 30, 'NEW', 'x')`)
	d.exec(`UPDATE orders SET polygons = 31 WHERE id = 3`)        // no change of status
	d.exec(`UPDATE orders SET status = 'NEW' WHERE id IN (1, 2)`) // 2 leaves DRAFT
	d.exec(`UPDATE orders SET status = 'PRICED' WHERE id = 3`)    //
	d.exec(`UPDATE orders SET id = 30 WHERE id = 3`)              // takes its status along
	d.exec(`UPDATE orders SET status = 'APPROVED' WHERE id = 30`) //
	d.exec(`DELETE FROM orders WHERE id = 1`)                     // no event
	d.exec(`INSERT INTO orders VALUES (1, 'a2.stl', 'b2c', 1, 'NEW', 'x')`)
	d.exec(`BEGIN; UPDATE orders SET status = 'A' WHERE id = 1; UPDATE orders SET status = 'B' WHERE id = 1; UPDATE orders SET status = 'A' WHERE id = 1; COMMIT`)
	d.exec(`BEGIN; UPDATE orders SET status = 'LOST' WHERE id = 1; ROLLBACK`)
	d.exec(`ALTER TABLE orders ADD COLUMN note text`)
	d.exec(`ALTER TABLE orders DROP COLUMN secret`)
	d.exec(`UPDATE orders SET status = 'AFTER DDL' WHERE id = 1`)
	events := d.provenAfter(receiver)
	want := []string{"1 SUBMITTED", "3 SUBMITTED", "2 SUBMITTED", "3 PRICED", "30 APPROVED", "1 SUBMITTED", "1 A", "1 B", "1 A", "1 AFTER DDL"}
	if got := facts(events); strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("facts are\n%v, want\n%v", got, want)
	}
	first := events[0]
	if !first.Inferred || !first.Time.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) || first.System != "shop" {
		t.Errorf("snapshot event is %+v", first)
	}
	for name, want := range map[string]string{"channel": "b2c", "polygons": "10", "row_time": "2026-01-02T03:04:05Z"} {
		if got, _ := first.Attr(name); got != want {
			t.Errorf("attribute %s is %q, want %q", name, got, want)
		}
	}
	if file, _ := first.Key("file"); file != "a.stl" {
		t.Errorf("key file is %q", file)
	}
	if len(first.Attrs) != 3 {
		t.Errorf("attributes that are not allow-listed travel: %v", first.Attrs)
	}
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
}

func TestTheEventsTimeIsTheCommits(t *testing.T) {
	d := newDatabase(t, schema)
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	d.provenAfter(receiver)
	d.exec(`INSERT INTO orders VALUES (1, 'a.stl', 'b2c', 10, 'NEW', 'x')`)
	var committed time.Time
	if err := d.conn.QueryRow(t.Context(), `SELECT pg_xact_commit_timestamp(xmin) FROM orders`).Scan(&committed); err != nil {
		t.Fatal(err)
	}
	events := d.provenAfter(receiver)
	for _, e := range events {
		if e.Kind == order.KindStatus && (!e.Time.Equal(committed) || e.Inferred) {
			t.Errorf("event is at %v (inferred %v), commit was at %v", e.Time, e.Inferred, committed)
		}
	}
}
