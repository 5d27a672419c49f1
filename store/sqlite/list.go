package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

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
	query, args, ok := s.selection(f, cursor, limit+1)
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

// selection writes the query of a filter, or false where no order can match. With a stage, the list
// is read from the index of open visits, else from one of orders: both in the list's order.
func (s *Store) selection(f sla.OrderFilter, after row.Cursor, limit int) (query string, args []any, ok bool) {
	var where []string
	and := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	named := func(column, text string) bool {
		id, known := s.names.Find(text)
		if text != "" {
			and(column+" = ?", id)
		}
		return known
	}
	from, v, id := "orders o", "o", "o.id"
	if f.Stage != "" {
		from, v, id = "visits v CROSS JOIN orders o ON o.id = v.order_id", "v", "v.order_id"
		and("v.left_at IS NULL")
	}
	known := (f.Stage == "" || named("v.stage", f.Stage)) && named(v+".verdict", string(f.Verdict)) && named("o.state", string(f.State))
	if !known {
		return "", nil, false
	}
	and("("+v+".rank, "+v+".due, "+id+") > (?, ?, ?)", after.Rank, after.Due, after.ID)
	if f.Channel != "" {
		and("o.channel = ?", f.Channel)
	}
	if f.Partner != "" {
		and("o.partner = ? AND o.partner <> ''", f.Partner)
	}
	if f.Prefix != "" {
		keys := "value >= ?"
		values := []any{f.Prefix}
		if end, ok := row.PrefixEnd(f.Prefix); ok {
			keys += " AND value < ?"
			values = append(values, end)
		}
		and("o.id IN (SELECT order_id FROM order_keys WHERE "+keys+")", values...)
	}
	query = strings.NewReplacer("{v}", v).Replace(`SELECT o.id, o.keys, o.channel, o.partner, o.state, o.created, o.updated,
		{v}.stage, {v}.entered, {v}.deadline, {v}.verdict, {v}.cause, {v}.rank, {v}.due FROM `) + from +
		" WHERE " + strings.Join(where, " AND ") + " ORDER BY " + v + ".rank, " + v + ".due, " + id + " LIMIT ?"
	return query, append(args, limit), true
}
