package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

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
	err = q.QueryRowContext(ctx, "SELECT journal, applied, last_order FROM progress").Scan(&p.Journal, &p.Applied, &p.Order)
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
	asked := make([][2]any, 0, len(keys))
	for _, k := range keys {
		if name, ok := s.names.Find(k.Name); ok {
			asked = append(asked, [2]any{name, k.Value})
		}
	}
	owners := make(map[order.Key]sla.OrderID, len(asked))
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
	}, `SELECT k.name, k.value, k.order_id FROM json_each(?) AS j CROSS JOIN order_keys AS k
	    ON k.name = j.value ->> 0 AND k.value = j.value ->> 1`, list(asked))
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
	    WHERE k.order_id IN (SELECT value FROM json_each(?)) ORDER BY k.order_id, n.text, k.value`, list(ids))
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
	}, `SELECT e.event_id FROM json_each(?1) AS j CROSS JOIN events AS e
	    ON e.source = ?2 AND e.source_seq = 0 AND e.event_id = j.value AND e.event_id IS NOT NULL`, list(ids), name)
	if err != nil {
		return nil, fmt.Errorf("read event ids: %w", err)
	}
	return seen, nil
}

// Append is store.Journal's.
func (s *Store) Append(ctx context.Context, b *sla.Batch) error {
	if err := s.write(ctx, func(tx *sql.Tx) error { return s.append(ctx, tx, b) }); err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	return nil
}

func (s *Store) append(ctx context.Context, tx *sql.Tx, b *sla.Batch) error {
	p, err := position(ctx, tx)
	if err != nil {
		return err
	}
	if err := row.CheckBatch(b, p.Journal); err != nil {
		return err
	}
	width := strings.Count(row.EventColumns, ",") + 1
	events := make([]any, 0, min(len(b.Records), 1000)*width)
	for chunk := range slices.Chunk(b.Records, 1000) {
		events = events[:0]
		for i := range chunk {
			events = row.Event(events, s.names, &chunk[i])
		}
		if err := s.statements.events.exec(ctx, tx, events); err != nil {
			return err
		}
	}
	if err := s.statements.keys.exec(ctx, tx, row.Keys(s.names, b.Keys)); err != nil {
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
	if err := s.statements.sources.exec(ctx, tx, row.Sources(s.names, b.Sources)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE progress SET journal = ?, last_order = max(last_order, ?), since = coalesce(since, ?)",
		p.Journal+int64(len(b.Records)), row.HighestOrder(b), row.Nanos(b.At))
	return err
}

// merge redirects an order, what was redirected to it, and its keys.
func merge(ctx context.Context, tx *sql.Tx, m sla.Merge) error {
	into, err := survivor(ctx, tx, m.Into)
	if err != nil {
		return err
	}
	if into == m.From {
		return fmt.Errorf("%w: the other was merged into it", store.ErrOutOfStep)
	}
	for _, statement := range []string{
		"UPDATE merges SET into_id = ?2 WHERE into_id = ?1",
		"INSERT INTO merges (order_id, into_id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET into_id = excluded.into_id",
		"UPDATE order_keys SET order_id = ?2 WHERE order_id = ?1",
	} {
		if _, err := tx.ExecContext(ctx, statement, m.From, into); err != nil {
			return err
		}
	}
	return nil
}

// survivor returns the order that an order lives on in: itself where it was not merged.
func survivor(ctx context.Context, q querier, id sla.OrderID) (sla.OrderID, error) {
	err := q.QueryRowContext(ctx, "SELECT coalesce((SELECT into_id FROM merges WHERE order_id = ?1), ?1)", id).Scan(&id)
	return id, err
}
