package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// LedgerMemory is store.Model's.
func (s *Store) LedgerMemory(ctx context.Context, since time.Time) ([]sla.LedgerEntry, error) {
	var list []sla.LedgerEntry
	err := each(ctx, s.reader, func(r row.Scanner) error {
		x, err := row.ScanLedger(r, s.names)
		list = append(list, x)
		return err
	}, "SELECT "+row.LedgerColumns+" FROM ledger WHERE left_at IS NULL OR minute >= $1 ORDER BY order_id, handoff, n", row.Nanos(since))
	if err != nil {
		return nil, fmt.Errorf("restore ledger: %w", err)
	}
	return list, nil
}

// saveLedger writes the entries that changed and drops those that are gone.
func (s *Store) saveLedger(ctx context.Context, tx pgx.Tx, list []sla.LedgerEntry) error {
	values, gone := row.Ledger(s.names, list)
	for _, key := range gone {
		if _, err := tx.Exec(ctx, "DELETE FROM ledger WHERE order_id = $1 AND handoff = $2 AND n = $3", key[0], key[1], key[2]); err != nil {
			return err
		}
	}
	return tables.ledger.exec(ctx, tx, values)
}
