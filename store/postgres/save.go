package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// Save is store.Model's.
func (s *Store) Save(ctx context.Context, c *sla.Change, applied int64) error {
	err := s.write(ctx, func(tx pgx.Tx, p store.Position) error {
		if applied < p.Applied || applied > p.Journal {
			return fmt.Errorf("%w: applied %d is not between %d and the journal's %d", store.ErrOutOfStep, applied, p.Applied, p.Journal)
		}
		return s.save(ctx, tx, c, applied)
	})
	if err != nil {
		return fmt.Errorf("save change: %w", err)
	}
	return nil
}

func (s *Store) save(ctx context.Context, tx pgx.Tx, c *sla.Change, applied int64) error {
	if err := s.saveOrders(ctx, tx, c.Orders); err != nil {
		return err
	}
	if err := remove(ctx, tx, c.Removed); err != nil {
		return fmt.Errorf("remove absorbed orders: %w", err)
	}
	if len(c.Audit) > 0 {
		var values []any
		err := copyRows(ctx, tx, "audit", row.AuditColumns, len(c.Audit), func(i int) ([]any, error) {
			values = row.Audit(values[:0], s.names, &c.Audit[i])
			return values, nil
		})
		if err != nil {
			return err
		}
	}
	if err := tables.incidents.exec(ctx, tx, row.Incidents(s.names, c.Incidents)); err != nil {
		return err
	}
	if err := tables.members.exec(ctx, tx, row.Members(s.names, c.IncidentOrders)); err != nil {
		return err
	}
	if err := s.saveLedger(ctx, tx, c.Ledger); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE progress SET applied = $1", applied)
	return err
}

// saveOrders writes orders, their visits and promises, and drops what they no longer have.
func (s *Store) saveOrders(ctx context.Context, tx pgx.Tx, list []sla.Order) error {
	if len(list) == 0 {
		return nil
	}
	c := row.NewChange(s.names, list)
	for _, write := range []struct {
		to     *inserter
		values []any
	}{{&tables.orders, c.Orders}, {&tables.visits, c.Visits}, {&tables.promises, c.Promises}} {
		if err := write.to.exec(ctx, tx, write.values); err != nil {
			return err
		}
	}
	const surplus = " t USING unnest($1::bigint[], $2::bigint[]) AS kept (order_id, n) WHERE t.order_id = kept.order_id AND t.pos >= kept.n"
	if _, err := tx.Exec(ctx, "DELETE FROM visits"+surplus, c.IDs, c.VisitCounts); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM promises"+surplus, c.IDs, c.PromiseCounts)
	return err
}

// remove drops absorbed orders from the read model. Append has redirected them already.
func remove(ctx context.Context, tx pgx.Tx, merges []sla.Merge) error {
	if len(merges) == 0 {
		return nil
	}
	ids := make([]int64, len(merges))
	for i, m := range merges {
		ids[i] = int64(m.From)
	}
	for _, statement := range []string{
		"DELETE FROM orders WHERE id = ANY($1)",
		"DELETE FROM visits WHERE order_id = ANY($1)",
		"DELETE FROM promises WHERE order_id = ANY($1)",
	} {
		if _, err := tx.Exec(ctx, statement, ids); err != nil {
			return err
		}
	}
	return nil
}
