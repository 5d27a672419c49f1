package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// takeApart ends redirections, gives records to other orders and forgets keys.
func (s *Store) takeApart(ctx context.Context, tx *sql.Tx, b *sla.Batch) error {
	if len(b.Freed) > 0 {
		if _, err := tx.ExecContext(ctx, "DELETE FROM merges WHERE order_id IN (SELECT value FROM json_each(?))", list(b.Freed)); err != nil {
			return err
		}
	}
	for i := range b.Moved {
		id, link, seq := row.Moved(&b.Moved[i])
		if _, err := tx.ExecContext(ctx, "UPDATE events SET order_id = ?, link = ? WHERE seq = ?", id, link, seq); err != nil {
			return err
		}
	}
	names, values := row.Dropped(s.names, b.Keys)
	for i := range names {
		if _, err := tx.ExecContext(ctx, "DELETE FROM order_keys WHERE name = ? AND value = ?", names[i], values[i]); err != nil {
			return err
		}
	}
	return nil
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
	}, "SELECT "+row.EventColumns+" FROM events WHERE source = ? AND event_id IS NOT NULL AND source_seq = 0 ORDER BY seq", name)
	if err != nil {
		return nil, fmt.Errorf("read corrections: %w", err)
	}
	return records, nil
}
