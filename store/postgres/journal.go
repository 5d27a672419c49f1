package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// Position is store.Journal's.
func (s *Store) Position(ctx context.Context) (store.Position, error) {
	p, err := position(ctx, s.reader)
	if err != nil {
		return p, fmt.Errorf("read position: %w", err)
	}
	return p, nil
}

func position(ctx context.Context, q querier) (p store.Position, err error) {
	err = q.QueryRow(ctx, "SELECT journal, applied, last_order FROM progress").Scan(&p.Journal, &p.Applied, &p.Order)
	return p, err
}

// Sources is store.Journal's.
func (s *Store) Sources(ctx context.Context) ([]sla.SourceState, error) {
	var states []sla.SourceState
	err := each(ctx, s.reader, func(r row.Scanner) error {
		state, err := row.ScanSource(r)
		states = append(states, state)
		return err
	}, "SELECT s.state FROM sources s JOIN names n ON n.id = s.name ORDER BY n.text")
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	return states, nil
}

// Owners is store.Journal's.
func (s *Store) Owners(ctx context.Context, keys []order.Key) (map[order.Key]sla.OrderID, error) {
	var names []int64
	var values []string
	for _, k := range keys {
		if name, ok := s.names.Find(k.Name); ok {
			names, values = append(names, name), append(values, k.Value)
		}
	}
	owners := make(map[order.Key]sla.OrderID, len(names))
	err := each(ctx, s.reader, func(r row.Scanner) error {
		var name int64
		var key order.Key
		var id sla.OrderID
		if err := r.Scan(&name, &key.Value, &id); err != nil {
			return err
		}
		err := s.names.Resolve(row.NamePair{ID: name, Text: &key.Name})
		owners[key] = id
		return err
	}, "SELECT k.name, k.value, k.order_id FROM unnest($1::int[], $2::text[]) AS j (name, value) JOIN order_keys k ON k.name = j.name AND k.value = j.value",
		names, values)
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	return owners, nil
}

// KeysOf is store.Journal's. Keys are in order of name, then value.
func (s *Store) KeysOf(ctx context.Context, ids []sla.OrderID) (map[sla.OrderID][]order.Key, error) {
	keys := make(map[sla.OrderID][]order.Key, len(ids))
	err := each(ctx, s.reader, func(r row.Scanner) error {
		var key order.Key
		var id sla.OrderID
		if err := r.Scan(&id, &key.Name, &key.Value); err != nil {
			return err
		}
		keys[id] = append(keys[id], key)
		return nil
	}, `SELECT k.order_id, n.text, k.value FROM order_keys k JOIN names n ON n.id = k.name
	    WHERE k.order_id = ANY($1) ORDER BY k.order_id, n.text, k.value`, numbers(ids))
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return keys, nil
}

// SeenIDs is store.Journal's.
func (s *Store) SeenIDs(ctx context.Context, source string, ids []string) (map[string]bool, error) {
	seen := map[string]bool{}
	name, ok := s.names.Find(source)
	if !ok {
		return seen, nil
	}
	err := each(ctx, s.reader, func(r row.Scanner) error {
		var id string
		err := r.Scan(&id)
		seen[id] = true
		return err
	}, "SELECT event_id FROM events WHERE source = $1 AND source_seq = 0 AND event_id = ANY($2)", name, ids)
	if err != nil {
		return nil, fmt.Errorf("read event ids: %w", err)
	}
	return seen, nil
}

// Append is store.Journal's.
func (s *Store) Append(ctx context.Context, b *sla.Batch) error {
	err := s.write(ctx, func(tx pgx.Tx, p store.Position) error {
		if err := row.CheckBatch(b, p.Journal); err != nil {
			return err
		}
		return s.append(ctx, tx, b, p)
	})
	if err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	return nil
}

func (s *Store) append(ctx context.Context, tx pgx.Tx, b *sla.Batch, p store.Position) error {
	if len(b.Records) > 0 {
		var values []any
		err := copyRows(ctx, tx, "events", row.EventColumns, len(b.Records), func(i int) ([]any, error) {
			values = row.Event(values[:0], s.names, &b.Records[i])
			return values, nil
		})
		if err != nil {
			return err
		}
	}
	if err := tables.keys.exec(ctx, tx, row.Keys(s.names, b.Keys)); err != nil {
		return err
	}
	if err := s.takeApart(ctx, tx, b); err != nil {
		return fmt.Errorf("take orders apart: %w", err)
	}
	for _, m := range b.Merges {
		if err := merge(ctx, tx, m); err != nil {
			return fmt.Errorf("merge order %d into %d: %w", m.From, m.Into, err)
		}
	}
	if err := tables.sources.exec(ctx, tx, row.Sources(s.names, b.Sources)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE progress SET journal = $1, last_order = $2, since = coalesce(since, $3)",
		p.Journal+int64(len(b.Records)), int64(max(p.Order, row.HighestOrder(b))), row.Nanos(b.At))
	return err
}

// merge redirects an order, what was redirected to it, and its keys.
func merge(ctx context.Context, tx pgx.Tx, m sla.Merge) error {
	into, err := survivor(ctx, tx, m.Into)
	if err != nil {
		return err
	}
	if into == m.From {
		return fmt.Errorf("%w: the other was merged into it", store.ErrOutOfStep)
	}
	for _, statement := range []string{
		"UPDATE merges SET into_id = $2 WHERE into_id = $1",
		"INSERT INTO merges (order_id, into_id) VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET into_id = excluded.into_id",
		"UPDATE order_keys SET order_id = $2 WHERE order_id = $1",
	} {
		if _, err := tx.Exec(ctx, statement, int64(m.From), int64(into)); err != nil {
			return err
		}
	}
	return nil
}

// survivor returns the order that an order lives on in: itself where it was not merged.
func survivor(ctx context.Context, q querier, id sla.OrderID) (sla.OrderID, error) {
	err := q.QueryRow(ctx, "SELECT coalesce((SELECT into_id FROM merges WHERE order_id = $1), $1::bigint)", int64(id)).Scan(&id)
	return id, err
}
