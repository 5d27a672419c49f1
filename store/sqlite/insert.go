package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/alexandrite/orderwatch/store/internal/row"
)

// manyRows is how many rows one statement writes: measured, twice as fast as one by one.
const manyRows = 50

// inserter writes rows of one table.
type inserter struct {
	table     string
	width     int
	one, many *sql.Stmt
}

// newInserter prepares INSERT INTO table (columns) VALUES … and what follows.
func newInserter(ctx context.Context, db *sql.DB, table, columns, then string) (inserter, error) {
	i := inserter{table: table, width: strings.Count(columns, ",") + 1}
	tuple := "(" + strings.Repeat("?, ", i.width-1) + "?)"
	head := "INSERT INTO " + table + " (" + columns + ") VALUES "
	var err error
	if i.one, err = db.PrepareContext(ctx, head+tuple+" "+then); err != nil {
		return i, fmt.Errorf("prepare %s: %w", table, err)
	}
	i.many, err = db.PrepareContext(ctx, head+strings.Repeat(tuple+", ", manyRows-1)+tuple+" "+then)
	return i, err
}

// exec writes rows whose values stand one after the other.
func (i *inserter) exec(ctx context.Context, tx *sql.Tx, values []any) error {
	step, stmt := i.width*manyRows, i.many
	for len(values) > 0 {
		if len(values) < step {
			step, stmt = i.width, i.one
		}
		if _, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, values[:step]...); err != nil {
			return fmt.Errorf("write %s: %w", i.table, err)
		}
		values = values[step:]
	}
	return nil
}

// statements are the prepared ones of the connection that writes.
type statements struct {
	names, events, keys, sources    inserter
	orders, visits, promises, audit inserter
	incidents, members, ledger      inserter
	dropVisits, dropPromises        *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (s statements, err error) {
	for _, t := range []struct {
		to                   *inserter
		table, columns, then string
	}{
		{&s.names, "names", "id, text", ""},
		{&s.events, "events", row.EventColumns, ""},
		{&s.keys, "order_keys", row.KeyColumns, "ON CONFLICT DO UPDATE SET order_id = excluded.order_id WHERE order_id <> excluded.order_id"},
		{&s.sources, "sources", row.SourceColumns, replace("name", row.SourceColumns)},
		{&s.orders, "orders", row.OrderColumns, replace("id", row.OrderColumns)},
		{&s.visits, "visits", row.VisitColumns, replaceChanged("visits", "order_id, pos", row.VisitColumns)},
		{&s.promises, "promises", row.PromiseColumns, replaceChanged("promises", "order_id, pos", row.PromiseColumns)},
		{&s.audit, "audit", row.AuditColumns, ""},
		{&s.incidents, "incidents", row.IncidentColumns, replace("id", row.IncidentColumns)},
		{&s.ledger, "ledger", row.LedgerColumns, replaceChanged("ledger", "order_id, handoff, n", row.LedgerColumns)},
		{&s.members, "incident_orders", row.MemberColumns, replace("incident, order_id, stage, n", row.MemberColumns)},
	} {
		if *t.to, err = newInserter(ctx, db, t.table, t.columns, t.then); err != nil {
			return s, err
		}
	}
	if s.dropVisits, err = db.PrepareContext(ctx, "DELETE FROM visits WHERE order_id = ? AND pos >= ?"); err != nil {
		return s, err
	}
	s.dropPromises, err = db.PrepareContext(ctx, "DELETE FROM promises WHERE order_id = ? AND pos >= ?")
	return s, err
}

// replace is the clause by which a row takes the place of the one with its key.
func replace(key, columns string) string {
	var set []string
	for _, column := range rest(key, columns) {
		set = append(set, column+" = excluded."+column)
	}
	return "ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// replaceChanged is replace that leaves a row alone where nothing differs: most visits of an order
// are over, and rewriting them would cost a page each.
func replaceChanged(table, key, columns string) string {
	names := rest(key, columns)
	return replace(key, columns) + " WHERE (" + table + "." + strings.Join(names, ", "+table+".") +
		") IS NOT (excluded." + strings.Join(names, ", excluded.") + ")"
}

func rest(key, columns string) []string {
	return strings.Split(strings.TrimPrefix(columns, key+", "), ", ")
}

func (s *statements) close() error {
	var errs []error
	for _, i := range []*inserter{&s.names, &s.events, &s.keys, &s.sources, &s.orders, &s.visits, &s.promises, &s.audit, &s.incidents, &s.members, &s.ledger} {
		errs = append(errs, closeStatement(i.one), closeStatement(i.many))
	}
	return errors.Join(append(errs, closeStatement(s.dropVisits), closeStatement(s.dropPromises))...)
}

func closeStatement(s *sql.Stmt) error {
	if s == nil {
		return nil
	}
	return s.Close()
}
