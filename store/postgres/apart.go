package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// takeApart ends redirections, gives records to other orders and forgets keys.
func (s *Store) takeApart(ctx context.Context, tx pgx.Tx, b *sla.Batch) error {
	if len(b.Freed) > 0 {
		if _, err := tx.Exec(ctx, "DELETE FROM merges WHERE order_id = ANY($1)", numbers(b.Freed)); err != nil {
			return err
		}
	}
	for i := range b.Moved {
		id, link, seq := row.Moved(&b.Moved[i])
		if _, err := tx.Exec(ctx, "UPDATE events SET order_id = $1, link = $2 WHERE seq = $3", id, link, seq); err != nil {
			return err
		}
	}
	names, values := row.Dropped(s.names, b.Keys)
	if len(names) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, "DELETE FROM order_keys k USING unnest($1::int[], $2::text[]) AS gone (name, value) WHERE k.name = gone.name AND k.value = gone.value", names, values)
	return err
}

// Corrections is store.Journal's.
func (s *Store) Corrections(ctx context.Context) ([]sla.Record, error) {
	name, ok := s.names.Find(order.SourceSelf)
	if !ok {
		return nil, nil
	}
	var records []sla.Record
	err := each(ctx, s.reader, func(r row.Scanner) error {
		record, err := row.ScanEvent(r, s.names)
		records = append(records, record)
		return err
	}, "SELECT "+row.EventColumns+" FROM events WHERE source = $1 AND event_id IS NOT NULL AND source_seq = 0 ORDER BY seq", name)
	if err != nil {
		return nil, fmt.Errorf("read corrections: %w", err)
	}
	return records, nil
}
