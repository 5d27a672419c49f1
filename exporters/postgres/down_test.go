package postgres

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/testbed/server"
)

// lines is a log that tests wait on.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	wrote chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.wrote <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func (l *lines) wait(t *testing.T, what string) {
	t.Helper()
	deadline := time.After(exportertest.Patience)
	for l.count(what) == 0 {
		select {
		case <-l.wrote:
		case <-deadline:
			t.Fatalf("waited in vain for %q in the log", what)
		}
	}
}

func startSidecarLogging(t *testing.T, c Config, dir string, receiver *exportertest.Receiver, log *lines) {
	t.Helper()
	o, err := sidecarOptions(c, dir, receiver.Endpoint(), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	exportertest.StartRunner(t, o)
}

func TestADatabaseThatIsDownIsWaitedFor(t *testing.T) {
	pg, err := server.StartPostgres(t.Context(), server.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Stop() })
	dsn, err := pg.CreateDatabase(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, name: "shop", dsn: dsn, conn: connectTo(t, dsn)}
	d.exec(schema)
	d.exec(`INSERT INTO orders (id, status) VALUES (1, 'A')`)
	pg.Kill()
	receiver := exportertest.Start(t)
	log := &lines{wrote: make(chan struct{}, 100)}
	startSidecarLogging(t, d.config(), t.TempDir(), receiver, log)
	log.wait(t, "not watching")
	for _, statement := range []string{`UPDATE orders SET status = 'B'`, `UPDATE orders SET status = 'C'`} {
		if err := pg.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.conn = connectTo(t, dsn)
		d.provenAfter(receiver)
		d.exec(statement)
		pg.Kill()
	}
	if err := pg.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.conn = connectTo(t, dsn)
	got := facts(d.provenAfter(receiver))
	if want := "1 A,1 B,1 C"; strings.Join(got, ",") != want {
		t.Errorf("facts are %v, want %s", got, want)
	}
	if n := log.count("not watching"); n > 3 {
		t.Errorf("said %d times that it waits, for 3 outages", n)
	}
}
