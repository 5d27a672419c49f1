package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// chaosWriter moves orders through the flow, one after another, so that most leave a stage close to
// its deadline, on either side. It survives whatever happens to the database: what it committed is
// read from there.
type chaosWriter struct {
	name   string
	dsn    string
	random *rand.Rand
	stop   <-chan struct{}
	conn   *pgx.Conn // nil: to be connected
}

// startWriters returns what stops them at their next step and waits for that.
func startWriters(dsn string, n int, seed uint64) (finish func()) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		w := &chaosWriter{name: fmt.Sprint(i), dsn: dsn, random: rand.New(rand.NewPCG(seed, uint64(i))), stop: stop}
		all.Go(w.run)
	}
	return sync.OnceFunc(func() {
		close(stop)
		all.Wait()
	})
}

func (w *chaosWriter) run() {
	defer w.disconnect()
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-%d", w.name, n)
		at := time.Now().Add(w.upTo(chaosWithin))
		for _, status := range w.way() {
			if !w.change(id, status, at) {
				return
			}
			at = time.Now().Add(chaosWithin + w.jitter())
		}
	}
}

// way is the statuses of an order; some go back once, or skip a stage.
func (w *chaosWriter) way() []string {
	switch w.random.IntN(8) {
	case 0:
		return []string{"A", "B", "A", "B", "C", "D"}
	case 1:
		return []string{"A", "C", "D"}
	}
	return []string{"A", "B", "C", "D"}
}

// jitter is how far from its deadline an order leaves a stage.
func (w *chaosWriter) jitter() time.Duration {
	switch w.random.IntN(10) {
	case 0: // an overrun that anybody would notice
		return w.upTo(4 * time.Second)
	case 1:
		return -w.upTo(chaosWithin)
	case 2, 3, 4:
		return w.upTo(time.Second) - 500*time.Millisecond
	}
	return w.upTo(100*time.Millisecond) - 50*time.Millisecond
}

func (w *chaosWriter) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}

// change gives an order its status at that time, or as soon after it as the database lets it. It
// returns false where the writer was stopped.
func (w *chaosWriter) change(id, status string, at time.Time) bool {
	hold := time.Duration(0)
	if w.random.IntN(2) == 0 {
		hold = w.upTo(1500 * time.Millisecond)
	}
	for w.until(at.Add(-hold)) {
		done, err := w.attempt(id, status, at)
		if done && err == nil {
			return true
		}
		if err == nil {
			return false
		}
		w.disconnect()
		at, hold = time.Now().Add(100*time.Millisecond), 0
	}
	return false
}

// attempt writes the row at once and commits when it is time: a transaction that is open across
// several watermarks. It reports whether the order has the status.
func (w *chaosWriter) attempt(id, status string, at time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if w.conn == nil {
		conn, err := pgx.Connect(ctx, w.dsn+"&application_name=writer")
		if err != nil {
			return false, err
		}
		w.conn = conn
		// A commit whose answer was lost may have happened.
		var now string
		err = conn.QueryRow(ctx, `SELECT coalesce((SELECT status FROM orders WHERE id = $1), '')`, id).Scan(&now)
		if err != nil || now == status {
			return now == status, err
		}
	}
	tx, err := w.conn.Begin(ctx)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO orders (id, status) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET status = excluded.status`, id, status)
	if err != nil {
		return false, err
	}
	if !w.until(at) {
		return false, tx.Rollback(ctx)
	}
	return true, tx.Commit(ctx)
}

// until waits and reports false where the writer was stopped.
func (w *chaosWriter) until(at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-w.stop:
		return false
	case <-timer.C:
		return true
	}
}

func (w *chaosWriter) disconnect() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.conn.Close(ctx) // it may be gone already
	w.conn = nil
}

// The history has a row for each change, with the transaction that made it: the database knows
// exactly when that committed.
const chaosSchema = `
CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL);
CREATE TABLE history (seq bigserial, id text, status text, xid xid DEFAULT pg_current_xact_id()::xid);
CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO history (id, status) VALUES (NEW.id, NEW.status); RETURN NULL; END';
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION remember();
CREATE PUBLICATION orderwatch FOR TABLE orders;`

// chaosChange is a change of an order's status, by the clock of the database at its commit.
type chaosChange struct {
	status string
	at     time.Time
}

// readTruth returns every order's changes in their order.
func readTruth(t *testing.T, dsn string) map[string][]chaosChange {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), `SELECT id, status, pg_xact_commit_timestamp(xid) FROM history ORDER BY id, seq`)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string][]chaosChange{}
	var id string
	var c chaosChange
	_, err = pgx.ForEachRow(rows, []any{&id, &c.status, &c.at}, func() error {
		c.at = c.at.UTC()
		truth[id] = append(truth[id], c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func execute(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
