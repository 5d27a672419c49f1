package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Finding is one thing the preflight found and the SQL that the administrator should run.
type Finding struct {
	Text string
	SQL  string // "" where no single statement helps
}

// Report is what the preflight found. Problems stop the sidecar, notes do not.
type Report struct {
	Problems []Finding
	Notes    []Finding
}

// String prints the report for a person.
func (r Report) String() string {
	var b strings.Builder
	section := func(title string, findings []Finding) {
		for _, f := range findings {
			fmt.Fprintf(&b, "%s: %s\n", title, f.Text)
			if f.SQL != "" {
				fmt.Fprintf(&b, "    %s\n", f.SQL)
			}
		}
	}
	section("problem", r.Problems)
	section("note", r.Notes)
	if len(r.Problems) == 0 {
		b.WriteString("ready: the sidecar can watch this database\n")
	}
	return b.String()
}

func (r *Report) problem(sql, format string, args ...any) {
	r.Problems = append(r.Problems, Finding{Text: fmt.Sprintf(format, args...), SQL: sql})
}

func (r *Report) err() error {
	errs := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		errs[i] = errors.New(p.Text)
		if p.SQL != "" {
			errs[i] = fmt.Errorf("%s; run: %s", p.Text, p.SQL)
		}
	}
	return &unfitError{errors.Join(errs...)}
}

// unfitError is a preflight that found problems.
type unfitError struct{ error }

func (e *unfitError) Error() string { return "preflight: " + e.error.Error() }
func (e *unfitError) Unwrap() error { return e.error }

// Preflight connects and checks everything the sidecar needs, changing nothing. Its error is only
// about not being able to look.
func Preflight(ctx context.Context, c Config) (Report, error) {
	conn, err := connectPlain(ctx, c)
	if err != nil {
		return Report{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	report, _, err := preflight(ctx, conn, c)
	return report, err
}

func preflight(ctx context.Context, conn *pgx.Conn, c Config) (Report, map[string]*table, error) {
	var r Report
	// One snapshot: what changes while we look is seen whole or not at all.
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return r, nil, fmt.Errorf("begin preflight: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // read-only: nothing to commit
	if err := r.server(ctx, tx, c); err != nil {
		return r, nil, err
	}
	tables, err := readCatalog(ctx, tx, c)
	if err != nil {
		return r, nil, err
	}
	exists, err := r.publication(ctx, tx, c, tables)
	if err != nil {
		return r, nil, err
	}
	for _, name := range sortedTables(tables) {
		if tables[name].published {
			r.dangers(tables[name])
		}
	}
	for _, t := range c.Tables {
		schema, name := t.split()
		r.watched(c, newRule(t), tables[schema+"."+name], exists)
	}
	return r, tables, nil
}

const serverQuery = `SELECT current_setting('wal_level'), current_user::text,
	(SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user)
		OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('mdb_replication', 'rds_replication') AND pg_has_role(current_user, r.oid, 'member')),
	(SELECT count(*) FROM pg_replication_slots WHERE slot_name <> $1) >= current_setting('max_replication_slots')::int,
	current_setting('max_slot_wal_keep_size'), pg_is_in_recovery()`

func (r *Report) server(ctx context.Context, tx pgx.Tx, c Config) error {
	var level, role, keep string
	var may, full, standby bool
	if err := tx.QueryRow(ctx, serverQuery, c.Slot).Scan(&level, &role, &may, &full, &keep, &standby); err != nil {
		return fmt.Errorf("read server settings: %w", err)
	}
	if standby {
		r.problem("", "this server is a standby: connect to the primary")
	}
	if level != "logical" {
		r.problem("ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server", "wal_level is %s, logical replication needs logical", level)
	}
	if !may {
		r.problem("ALTER ROLE "+quote(role)+" REPLICATION;  -- managed databases: grant their replication role instead", "role %s may not replicate", role)
	}
	if full {
		r.problem("ALTER SYSTEM SET max_replication_slots = …;  -- one more; then restart the server", "every replication slot is taken")
	}
	if keep == "-1" {
		r.Notes = append(r.Notes, Finding{
			Text: "max_slot_wal_keep_size is unlimited: while the sidecar is away the server keeps all WAL",
			SQL:  "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf();  -- what the disk can spare"})
	}
	return nil
}

// publication reports whether there is one.
func (r *Report) publication(ctx context.Context, tx pgx.Tx, c Config, tables map[string]*table) (bool, error) {
	var insert, update bool
	err := tx.QueryRow(ctx, `SELECT pubinsert, pubupdate FROM pg_publication WHERE pubname = $1`, c.Publication).Scan(&insert, &update)
	if errors.Is(err, pgx.ErrNoRows) {
		r.problem(createPublication(c, tables), "publication %s does not exist", c.Publication)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read publication: %w", err)
	}
	if !insert || !update {
		r.problem("ALTER PUBLICATION "+quote(c.Publication)+" SET (publish = 'insert, update, delete, truncate');",
			"publication %s leaves out inserts or updates", c.Publication)
	}
	return true, nil
}

// dangers are the three ways in which a publication breaks the application's own writes.
func (r *Report) dangers(t *table) {
	if t.identity == "f" && t.list != nil && len(t.list) < len(t.columns) {
		r.problem("ALTER TABLE "+t.quoted()+" REPLICA IDENTITY DEFAULT;",
			"table %s has REPLICA IDENTITY FULL and is published with a column list: the application's own UPDATE and DELETE fail", t.fullName())
	}
	if t.identity == "n" || t.identity == "d" && len(t.primary) == 0 {
		r.problem("ALTER TABLE "+t.quoted()+" ADD PRIMARY KEY (…);  -- or take it out of the publication",
			"table %s is published and has no primary key to identify rows by: the application's own UPDATE and DELETE fail", t.fullName())
	}
	if column := filterColumn(t); column != "" {
		r.problem("ALTER PUBLICATION … SET TABLE …;  -- without WHERE on "+t.quoted(),
			"the row filter of table %s uses %s, which is not in its replica identity: the application's own UPDATE and DELETE fail", t.fullName(), column)
	}
}

// filterColumn returns a column that a row filter uses and the replica identity lacks.
func filterColumn(t *table) string {
	if t.identity == "f" {
		return ""
	}
	words := strings.FieldsFunc(t.rowFilter, func(c rune) bool {
		word := c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
		return !word
	})
	for _, column := range t.columns {
		if slices.Contains(words, column) && !slices.Contains(t.identifying, column) {
			return column
		}
	}
	return ""
}

// watched checks what one entry of the mapping needs of its table.
func (r *Report) watched(c Config, rule *rule, t *table, publication bool) {
	if t == nil {
		r.problem("", "table %s.%s does not exist", rule.schema, rule.name)
		return
	}
	if publication && !t.published {
		r.problem("ALTER PUBLICATION "+quote(c.Publication)+" ADD TABLE "+t.quoted()+" ("+quoteAll(needed(c, t))+");",
			"publication %s does not cover table %s", c.Publication, t.fullName())
	}
	if len(t.primary) == 0 && t.identity != "d" && t.identity != "n" {
		r.problem("ALTER TABLE "+t.quoted()+" ADD PRIMARY KEY (…);", "table %s has no primary key", t.fullName())
	}
	rule.primary = t.primary
	var unknown, hidden, unreadable []string
	for _, column := range unique(rule.columns()) {
		switch {
		case !slices.Contains(t.columns, column):
			unknown = append(unknown, column)
			continue
		case t.published && t.list != nil && !slices.Contains(t.list, column):
			hidden = append(hidden, column)
		}
		if !slices.Contains(t.readable, column) {
			unreadable = append(unreadable, column)
		}
	}
	if len(unknown) > 0 {
		r.problem("", "table %s has no column %s", t.fullName(), strings.Join(unknown, ", "))
	}
	if len(hidden) > 0 {
		r.problem("ALTER PUBLICATION "+quote(c.Publication)+" SET TABLE "+t.quoted()+" ("+quoteAll(unique(append(slices.Clone(t.list), needed(c, t)...)))+"), …;  -- and the publication's other tables",
			"publication %s does not cover column %s of table %s", c.Publication, strings.Join(hidden, ", "), t.fullName())
	}
	if len(unreadable) > 0 {
		r.problem("GRANT SELECT ("+quoteAll(unreadable)+") ON "+t.quoted()+" TO …;  -- the sidecar's role, for the snapshot",
			"our role may not read column %s of table %s", strings.Join(unreadable, ", "), t.fullName())
	}
}

func createPublication(c Config, tables map[string]*table) string {
	var parts []string
	for _, name := range sortedTables(tables) {
		t := tables[name]
		if columns := needed(c, t); len(columns) > 0 {
			parts = append(parts, t.quoted()+" ("+quoteAll(columns)+")")
		}
	}
	return "CREATE PUBLICATION " + quote(c.Publication) + " FOR TABLE " + strings.Join(parts, ", ") + ";"
}

// needed returns the columns of a table that the mapping uses, its primary key first.
func needed(c Config, t *table) []string {
	var out []string
	for _, entry := range c.Tables {
		rule := newRule(entry)
		if rule.schema == t.schema && rule.name == t.name {
			out = append(append(out, t.primary...), rule.columns()...)
		}
	}
	return unique(out)
}

func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func sortedTables(tables map[string]*table) []string {
	out := make([]string, 0, len(tables))
	for name := range tables {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (t *table) quoted() string { return pgx.Identifier{t.schema, t.name}.Sanitize() }

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}
