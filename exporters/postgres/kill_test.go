package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
)

// sidecarEnv makes the test binary run as a sidecar, so that it can be killed.
const sidecarEnv = "ORDERWATCH_TEST_SIDECAR"

// sidecarSetup is what the re-executed binary is told.
type sidecarSetup struct {
	Config   Config
	Dir      string
	Endpoint string
}

func runSidecar() {
	var setup sidecarSetup
	err := json.Unmarshal([]byte(os.Getenv(sidecarEnv)), &setup)
	var runner *exporters.Runner
	if err == nil {
		var o exporters.Options
		o, err = sidecarOptions(setup.Config, setup.Dir, setup.Endpoint, slog.New(slog.NewTextHandler(os.Stderr, nil)))
		if err == nil {
			runner, err = exporters.New(o)
		}
	}
	if err == nil {
		err = runner.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func startProcess(t *testing.T, setup sidecarSetup) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(setup)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sidecarEnv+"="+string(data))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// writers change orders until stopped and remember, for each order, the changes of status that
// they committed. Each has orders of its own. Some updates change no status, some transactions
// roll back, some are larger than one Append.
type writers struct {
	stop   context.CancelFunc
	wait   sync.WaitGroup
	unique bool // no status comes twice
	mu     sync.Mutex
	done   map[string][]string
}

func startWriters(t *testing.T, d *database, n int, unique bool) *writers {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &writers{stop: cancel, done: map[string][]string{}, unique: unique}
	for i := range n {
		conn := connectTo(t, d.dsn)
		w.wait.Go(func() { w.write(ctx, t, conn, 1000*(i+1)) })
	}
	t.Cleanup(func() { w.finish() })
	return w
}

func (w *writers) write(ctx context.Context, t *testing.T, conn *pgx.Conn, base int) {
	random := rand.New(rand.NewPCG(1, uint64(base)))
	last := map[string]string{}
	for step := 0; ctx.Err() == nil; step++ {
		changes := 1
		if random.IntN(20) == 0 {
			changes = 2 * maxPending
		}
		var batch pgx.Batch
		batch.Queue(`BEGIN`)
		next, facts := maps.Clone(last), map[string][]string{}
		for n := range changes {
			id, status := fmt.Sprint(base+random.IntN(50)), string(rune('A'+random.IntN(3)))
			if w.unique {
				status = fmt.Sprintf("S%d.%d", step, n)
			}
			batch.Queue(`INSERT INTO orders (id, status, polygons) VALUES ($1::text::bigint, $2, $3)
				ON CONFLICT (id) DO UPDATE SET status = excluded.status, polygons = excluded.polygons`, id, status, step)
			if next[id] != status {
				next[id] = status
				facts[id] = append(facts[id], status)
			}
		}
		if random.IntN(10) == 0 {
			batch.Queue(`ROLLBACK`)
			next, facts = last, nil
		} else {
			batch.Queue(`COMMIT`)
		}
		// Not under ctx: a cancelled commit may have happened.
		if err := conn.SendBatch(context.Background(), &batch).Close(); err != nil {
			t.Errorf("write: %v", err)
			return
		}
		last = next
		w.mu.Lock()
		for id, statuses := range facts {
			w.done[id] = append(w.done[id], statuses...)
		}
		w.mu.Unlock()
	}
}

func (w *writers) finish() map[string][]string {
	w.stop()
	w.wait.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.done {
		n += len(s)
	}
	return n
}

// compare checks that each order's events are what was committed: all of it, in order, once. The
// first snapshot stands for whatever was committed before it.
func compare(t *testing.T, committed map[string][]string, events []order.Event) {
	t.Helper()
	seen := map[string][]string{}
	inferred := map[string]bool{}
	for _, e := range events {
		if e.Kind != order.KindStatus {
			continue
		}
		id, _ := e.Key("shop")
		inferred[id] = inferred[id] || e.Inferred
		seen[id] = append(seen[id], e.Status)
	}
	for id, want := range committed {
		got := seen[id]
		if inferred[id] {
			if at := slices.Index(want, got[0]); at >= 0 {
				want = want[at:]
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %s: %d events, %d changes\n got %v\nwant %v", id, len(got), len(want), got, want)
			return
		}
	}
}

func TestKilledSidecarMissesNothingAndRepeatsNothing(t *testing.T) {
	d := newDatabase(t, schema)
	receiver := exportertest.Start(t)
	setup := sidecarSetup{Config: d.config(), Dir: t.TempDir(), Endpoint: receiver.Endpoint()}
	first := startProcess(t, setup)
	t.Cleanup(func() { kill(first) })
	d.provenAfter(receiver)
	kill(first)
	w := startWriters(t, d, 2, false)
	random := rand.New(rand.NewPCG(7, 7))
	for range 5 {
		cmd := startProcess(t, setup)
		t.Cleanup(func() { kill(cmd) })
		goal := len(receiver.Events()) + 1 + random.IntN(4000)
		receiver.Wait(t, "events before the kill", func(events []order.Event) bool { return len(events) >= goal })
		kill(cmd)
	}
	committed := w.finish()
	cmd := startProcess(t, setup)
	t.Cleanup(func() { kill(cmd) })
	events := d.provenAfter(receiver)
	compare(t, committed, events)
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
}

func TestTheSnapshotHandsOverUnderWriters(t *testing.T) {
	d := newDatabase(t, schema)
	w := startWriters(t, d, 3, true)
	for w.count() < 300 {
		d.exec(`SELECT 1`)
	}
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	goal := w.count() + 500
	for w.count() < goal {
		d.exec(`SELECT 1`)
	}
	d.provenAfter(receiver)
	compare(t, w.finish(), d.provenAfter(receiver))
}

func TestTerminatedWalsendersCostNothing(t *testing.T) {
	d := newDatabase(t, schema)
	receiver := exportertest.Start(t)
	startSidecar(t, d.config(), t.TempDir(), receiver)
	d.provenAfter(receiver)
	w := startWriters(t, d, 2, false)
	for range 10 {
		goal := len(receiver.Events()) + 50
		receiver.Wait(t, "events before the cut", func(events []order.Event) bool { return len(events) >= goal })
		d.exec(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1`, d.name)
	}
	compare(t, w.finish(), d.provenAfter(receiver))
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
}

// Every row committed at T or before must be among the numbers through N of a watermark (N, T).
func TestNoWatermarkClaimsWhatWasNotSent(t *testing.T) {
	d := newDatabase(t, schema, `CREATE TABLE commits (id bigserial PRIMARY KEY, status text)`)
	c := d.config()
	c.Tables[0].Table, c.Tables[0].Keys, c.Tables[0].Attributes, c.Tables[0].Time = "public.commits", map[string]string{"shop": "id"}, nil, ""
	d.exec(`ALTER PUBLICATION orderwatch SET TABLE commits`)
	receiver := exportertest.Start(t)
	startSidecar(t, c, t.TempDir(), receiver)
	d.provenAfter(receiver)
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for range 6 {
		conn := connectTo(t, d.dsn)
		wait.Go(func() {
			for ctx.Err() == nil {
				if _, err := conn.Exec(context.Background(), `INSERT INTO commits (status) SELECT 'A' FROM generate_series(1, 1 + (random() * 3)::int)`); err != nil {
					t.Errorf("insert: %v", err)
					return
				}
			}
		})
	}
	marks := 0
	receiver.Wait(t, "50 watermarks among writes", func(events []order.Event) bool {
		marks = 0
		for _, e := range events {
			if e.Kind == order.KindWatermark {
				marks++
			}
		}
		return marks >= 50 && len(facts(events)) > 1000
	})
	stop()
	wait.Wait()
	events := d.provenAfter(receiver)
	checkWatermarks(t, d, events)
}

func checkWatermarks(t *testing.T, d *database, events []order.Event) {
	t.Helper()
	seqs := map[string]uint64{}
	for _, e := range events {
		if id, ok := e.Key("shop"); ok {
			seqs[id] = e.Seq
		}
	}
	type commit struct {
		at  time.Time
		seq uint64
	}
	rows, err := d.conn.Query(t.Context(), `SELECT id::text, pg_xact_commit_timestamp(xmin) FROM commits`)
	if err != nil {
		t.Fatal(err)
	}
	commits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (commit, error) {
		var id string
		var c commit
		err := row.Scan(&id, &c.at)
		c.seq = seqs[id]
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(commits, func(a, b commit) int { return a.at.Compare(b.at) })
	high, next := uint64(0), 0
	for _, e := range events {
		if e.Kind != order.KindWatermark {
			continue
		}
		for ; next < len(commits) && !commits[next].at.After(e.Time); next++ {
			if commits[next].seq == 0 {
				t.Fatalf("a row committed at %v never arrived", commits[next].at)
			}
			high = max(high, commits[next].seq)
		}
		if high > e.Watermark.Through {
			t.Fatalf("watermark %d claims everything to %v, number %d was committed by then", e.Watermark.Through, e.Time, high)
		}
	}
	if next < len(commits) {
		t.Errorf("%d of %d commits were never proven", len(commits)-next, len(commits))
	}
}
