package postgres_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/exporters/postgres"
	"github.com/alexandrite/orderwatch/testbed/crm"
	"github.com/alexandrite/orderwatch/testbed/mes"
	"github.com/alexandrite/orderwatch/testbed/server"
	"github.com/alexandrite/orderwatch/testbed/shop"
)

// The example files must fit the simulated company's databases as its administrator prepares them.
func TestTheExamplesAreReadyToRun(t *testing.T) {
	pg, err := server.StartPostgres(t.Context(), server.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	for name, schema := range map[string]string{"shop": shop.Schema + crm.Schema, "mes": mes.Schema} {
		prepare, err := os.ReadFile("../../testbed/prepare_" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		dsn, err := pg.CreateDatabase(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		role := "watcher_" + name // the company has one server a database
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{schema, strings.ReplaceAll(string(prepare), "watcher", role)} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close(t.Context())
		sidecar, err := config.LoadSidecar("../../examples/alexandrite/sidecar-" + name + "-db.yaml")
		if err != nil {
			t.Fatal(err)
		}
		sidecar.Postgres.DSN = pg.DSNFor(role, name)
		report, err := postgres.Preflight(t.Context(), *sidecar.Postgres)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("%s: %v\n%s", name, err, report)
		}
	}
}
