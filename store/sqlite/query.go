package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/alexandrite/orderwatch/store/internal/row"
)

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls fn for every row of a query.
func each(ctx context.Context, q querier, fn func(row.Scanner) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// snapshot runs fn on one state of the database.
func (s *Store) snapshot(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	return fn(tx)
}

// list passes a list as one argument, for json_each.
func list[T any](items []T) string {
	text, _ := json.Marshal(items) // numbers and strings always encode
	return string(text)
}
