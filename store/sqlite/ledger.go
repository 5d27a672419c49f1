package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

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
	}, "SELECT "+row.LedgerColumns+" FROM ledger WHERE left_at IS NULL OR minute >= ? ORDER BY order_id, handoff, n", row.Nanos(since))
	if err != nil {
		return nil, fmt.Errorf("restore ledger: %w", err)
	}
	return list, nil
}

// saveLedger writes the entries that changed and drops those that are gone.
func (s *Store) saveLedger(ctx context.Context, tx *sql.Tx, list []sla.LedgerEntry) error {
	values, gone := row.Ledger(s.names, list)
	for _, key := range gone {
		if _, err := tx.ExecContext(ctx, "DELETE FROM ledger WHERE order_id = ? AND handoff = ? AND n = ?", key[0], key[1], key[2]); err != nil {
			return err
		}
	}
	return s.statements.ledger.exec(ctx, tx, values)
}
