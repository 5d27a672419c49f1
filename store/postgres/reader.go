package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// Order is store.Reader's.
func (s *Store) Order(ctx context.Context, id sla.OrderID) (sla.Order, error) {
	var o sla.Order
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		id, err := survivor(ctx, tx, id)
		if err != nil {
			return err
		}
		if o, err = row.ScanOrder(tx.QueryRow(ctx, "SELECT "+row.SelectOrder+" FROM orders WHERE id = $1", int64(id)), s.names); err != nil {
			return err
		}
		return s.parts(ctx, tx, &o)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return sla.Order{}, fmt.Errorf("read order %d: %w", id, err)
	}
	return o, nil
}

// Orders is store.Reader's.
func (s *Store) Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error) {
	page, err := s.orders(ctx, f)
	if err != nil {
		return sla.OrderPage{}, fmt.Errorf("list orders: %w", err)
	}
	return page, nil
}

func (s *Store) orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error) {
	cursor, err := row.ParseCursor(f.Cursor)
	if err != nil {
		return sla.OrderPage{}, err
	}
	limit := row.Limit(f.Limit)
	query, args, ok := row.Select(s.names, f, cursor, limit+1, "$")
	if !ok {
		return sla.OrderPage{}, nil
	}
	var items []row.ListItem
	err = each(ctx, s.reader, func(r row.Scanner) error {
		item, err := row.ScanListItem(r, s.names)
		items = append(items, item)
		return err
	}, query, args...)
	return row.Page(items, limit), err
}

// parts reads an order's visits and promises.
func (s *Store) parts(ctx context.Context, tx pgx.Tx, o *sla.Order) error {
	err := each(ctx, tx, func(r row.Scanner) error {
		v, err := row.ScanVisit(r, s.names)
		o.Visits = append(o.Visits, v)
		return err
	}, "SELECT "+row.SelectVisit+" FROM visits WHERE order_id = $1 ORDER BY pos", int64(o.ID))
	if err != nil {
		return err
	}
	return each(ctx, tx, func(r row.Scanner) error {
		p, err := row.ScanPromise(r, s.names)
		o.Promises = append(o.Promises, p)
		return err
	}, "SELECT "+row.SelectPromise+" FROM promises WHERE order_id = $1 ORDER BY pos", int64(o.ID))
}

// FindKey is store.Reader's. Orders are in order of id.
func (s *Store) FindKey(ctx context.Context, value string) ([]sla.OrderID, error) {
	var ids []sla.OrderID
	err := each(ctx, s.reader, func(r row.Scanner) error {
		var id sla.OrderID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT DISTINCT order_id FROM order_keys WHERE value = $1 ORDER BY 1", value)
	if err != nil {
		return nil, fmt.Errorf("find key: %w", err)
	}
	return ids, nil
}

// Totals is store.Reader's.
func (s *Store) Totals(ctx context.Context) (sla.OrderTotals, error) {
	var t sla.OrderTotals
	err := each(ctx, s.reader, func(r row.Scanner) error {
		var state string
		var all, late int
		if err := r.Scan(&state, &all, &late); err != nil {
			return err
		}
		row.AddTotal(&t, sla.State(state), all, late)
		return nil
	}, `SELECT n.text, t.orders, t.late FROM (SELECT state, count(*) AS orders, count(*) FILTER (WHERE late) AS late FROM orders GROUP BY state) t
	    JOIN names n ON n.id = t.state`)
	if err != nil {
		return t, fmt.Errorf("count orders: %w", err)
	}
	return t, nil
}
