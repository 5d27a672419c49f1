package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// each calls fn for every row of a query.
func each(ctx context.Context, q querier, fn func(row.Scanner) error, query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
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
func (s *Store) snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, s.reader, options, fn)
}

func numbers(ids []sla.OrderID) []int64 {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}
