package sqlite_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/sqlite"
	"github.com/alexandrite/orderwatch/store/storetest"
)

var driver = storetest.Driver{
	// What a path may contain must not be read as part of a URL.
	Location: func(t testing.TB) string { return filepath.Join(t.TempDir(), "a b?c%20#d.db") },
	Open: func(ctx context.Context, location string) (store.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{Path: location})
		if err != nil {
			return nil, err
		}
		return s, nil
	},
}

func TestStore(t *testing.T) { storetest.Run(t, driver) }

func TestMain(m *testing.M) {
	storetest.Main(driver)
	m.Run()
}

func TestAcknowledgedRecordsOutliveAKilledProcess(t *testing.T) { storetest.Crash(t, driver) }

func TestNewerSchemaIsRefused(t *testing.T) {
	path := driver.Location(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO schema_version VALUES (1000, 0)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), sqlite.Options{Path: path}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("opened a newer schema: %v", err)
	}
}
