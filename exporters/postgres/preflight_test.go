package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/exporters/exportertest"
)

func TestPreflightSaysEverythingAtOnce(t *testing.T) {
	cases := map[string]struct {
		statements []string
		want       []string // in the problems' text or SQL
	}{
		"a database that is ready has no problems": {
			statements: []string{schema},
		},
		"no publication: the statement that makes one is given": {
			statements: []string{`CREATE TABLE orders (id bigint PRIMARY KEY, model_file text, channel text, polygons bigint, status text, updated_at timestamptz)`},
			want:       []string{`CREATE PUBLICATION "orderwatch" FOR TABLE "public"."orders" ("id", "status", "updated_at", "model_file", "channel", "polygons");`},
		},
		"a publication without the table": {
			statements: []string{schema, `CREATE TABLE other (id int PRIMARY KEY)`, `ALTER PUBLICATION orderwatch SET TABLE other`},
			want:       []string{`ADD TABLE "public"."orders"`},
		},
		"a column that is not published and one that does not exist": {
			statements: []string{schema, `ALTER PUBLICATION orderwatch SET TABLE orders (id, status, polygons, updated_at)`, `ALTER TABLE orders DROP COLUMN channel`},
			want:       []string{"does not cover column model_file", "has no column channel"},
		},
		"a column list with FULL identity": {
			statements: []string{schema, `ALTER TABLE orders REPLICA IDENTITY FULL`},
			want:       []string{"REPLICA IDENTITY DEFAULT"},
		},
		"a row filter on a column outside the identity": {
			statements: []string{schema, `ALTER PUBLICATION orderwatch SET TABLE orders WHERE (channel = 'b2c' AND id > 5)`},
			want:       []string{"uses channel"},
		},
		"a published table without a primary key, watched or not": {
			statements: []string{schema, `CREATE TABLE other (id int)`, `ALTER PUBLICATION orderwatch ADD TABLE other`},
			want:       []string{"public.other is published and has no primary key"},
		},
		"a publication without updates and a table in full": {
			statements: []string{schema, `ALTER PUBLICATION orderwatch SET (publish = 'insert')`, `ALTER TABLE orders REPLICA IDENTITY FULL`},
			want:       []string{"leaves out inserts or updates", "REPLICA IDENTITY FULL"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t, c.statements...)
			report, err := Preflight(t.Context(), d.config())
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Problems) != len(c.want) {
				t.Errorf("report is\n%s", report)
			}
			for i, want := range c.want {
				if !slices.ContainsFunc(report.Problems, func(f Finding) bool { return strings.Contains(f.Text+"\n"+f.SQL, want) }) {
					t.Errorf("%d: no problem with %q in\n%s", i, want, report)
				}
			}
			if !strings.Contains(report.String(), "max_slot_wal_keep_size") {
				t.Errorf("no word of unlimited WAL in\n%s", report)
			}
		})
	}
}

func TestPreflightSaysWhatARoleLacks(t *testing.T) {
	d := newDatabase(t, schema)
	d.exec(`DO $$ BEGIN CREATE ROLE powerless LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	c := d.config()
	c.DSN = shared.DSNFor("powerless", d.name)
	report, err := Preflight(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	text := report.String()
	for _, want := range []string{`ALTER ROLE "powerless" REPLICATION;`, `GRANT SELECT ("status", "updated_at", "model_file", "id", "channel", "polygons")`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestASidecarWaitsForTheAdministrator(t *testing.T) {
	d := newDatabase(t, `CREATE TABLE orders (id bigint PRIMARY KEY, model_file text, channel text, polygons bigint, status text, updated_at timestamptz)`)
	receiver := exportertest.Start(t)
	log := &lines{wrote: make(chan struct{}, 100)}
	startSidecarLogging(t, d.config(), t.TempDir(), receiver, log)
	log.wait(t, "CREATE PUBLICATION")
	report, err := Preflight(t.Context(), d.config())
	if err != nil {
		t.Fatal(err)
	}
	d.exec(report.Problems[0].SQL)
	d.provenAfter(receiver)
	if n := log.count("not watching"); n != 1 {
		t.Errorf("said %d times that it waits", n)
	}
}
