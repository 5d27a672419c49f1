package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/postgres"
	"github.com/alexandrite/orderwatch/store/storetest"
	"github.com/alexandrite/orderwatch/testbed/server"
)

// database is the server of this package's tests; each test has a database of its own.
var (
	database  *server.Postgres
	databases atomic.Int64
)

var driver = storetest.Driver{
	Location: func(t testing.TB) string {
		dsn, err := database.CreateDatabase(t.Context(), fmt.Sprint("store", databases.Add(1)))
		if err != nil {
			t.Fatal(err)
		}
		return dsn
	},
	Open: func(ctx context.Context, location string) (store.Store, error) {
		s, err := postgres.Open(ctx, postgres.Options{DSN: location})
		if err != nil {
			return nil, err
		}
		return s, nil
	},
}

func TestMain(m *testing.M) {
	storetest.Main(driver)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	var err error
	if database, err = server.StartPostgres(ctx, server.PostgresOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := database.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestStore(t *testing.T) { storetest.Run(t, driver) }

func TestAcknowledgedRecordsOutliveAKilledProcess(t *testing.T) { storetest.Crash(t, driver) }

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), statement)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// openWhenFree opens a store whose lock the server is about to find abandoned.
func openWhenFree(t *testing.T, dsn string) *postgres.Store {
	t.Helper()
	execute(t, dsn, "SET lock_timeout = '10s'; SELECT pg_advisory_lock(hashtextextended('orderwatch ' || current_schema(), 0))")
	execute(t, dsn, cutOff)
	return openStore(t, dsn)
}

// cutOff ends the connection that holds the lock, and waits until the lock is free.
const cutOff = "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"

func TestAWriterThatWasCutOffGoesOnIfNobodyTookOver(t *testing.T) {
	dsn := driver.Location(t)
	s := openStore(t, dsn)
	if err := s.Append(t.Context(), storetest.Batch(1, 3, 2)); err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, cutOff)
	if err := s.Append(t.Context(), storetest.Batch(4, 3, 2)); err == nil {
		t.Fatal("appended over a connection that is gone")
	}
	p, err := s.Position(t.Context())
	if err != nil || p.Journal != 3 {
		t.Fatalf("position %+v, %v, want journal 3", p, err)
	}
	if err := s.Append(t.Context(), storetest.Batch(4, 3, 2)); err != nil {
		t.Errorf("append after connecting again: %v", err)
	}
	if _, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second writer got %v", err)
	}
}

func TestAWriterThatWasCutOffIsRefusedOnceAnotherTookOver(t *testing.T) {
	dsn := driver.Location(t)
	first := openStore(t, dsn)
	execute(t, dsn, cutOff)
	second := openStore(t, dsn)
	if err := second.Append(t.Context(), storetest.Batch(1, 3, 2)); err != nil {
		t.Fatal(err)
	}
	_ = first.Append(t.Context(), storetest.Batch(4, 1, 2)) // finds its connection gone
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	// The lock is free again, but the lease has moved on: what first remembers of keys and sources is old.
	for range 2 {
		if err := first.Append(t.Context(), storetest.Batch(4, 1, 2)); !errors.Is(err, store.ErrLocked) {
			t.Fatalf("the first writer got %v", err)
		}
	}
	third := openWhenFree(t, dsn)
	if err := third.Append(t.Context(), storetest.Batch(4, 1, 2)); err != nil {
		t.Errorf("the third writer got %v", err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dsn := driver.Location(t)
	s, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, "INSERT INTO schema_version VALUES (1000, 0)")
	if _, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("opened a newer schema: %v", err)
	}
}

func TestASleepyCommitIsNotADefaultThatCounts(t *testing.T) {
	dsn := driver.Location(t)
	execute(t, dsn, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$")
	s := openStore(t, dsn)
	if got, err := s.WriterSetting(t.Context(), "synchronous_commit"); err != nil || got != "on" {
		t.Errorf("the writer's synchronous_commit is %q, %v", got, err)
	}
}
