package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// Save is store.Model's.
func (s *Store) Save(ctx context.Context, c *sla.Change, applied int64) error {
	if err := s.write(ctx, func(tx *sql.Tx) error { return s.save(ctx, tx, c, applied) }); err != nil {
		return fmt.Errorf("save change: %w", err)
	}
	return nil
}

func (s *Store) save(ctx context.Context, tx *sql.Tx, c *sla.Change, applied int64) error {
	p, err := position(ctx, tx)
	if err != nil {
		return err
	}
	if applied < p.Applied || applied > p.Journal {
		return fmt.Errorf("%w: applied %d is not between %d and the journal's %d", store.ErrOutOfStep, applied, p.Applied, p.Journal)
	}
	if err := s.saveOrders(ctx, tx, c.Orders); err != nil {
		return err
	}
	for _, m := range c.Removed {
		if err := remove(ctx, tx, m); err != nil {
			return fmt.Errorf("remove order %d: %w", m.From, err)
		}
	}
	if err := s.statements.audit.exec(ctx, tx, row.Audits(s.names, c.Audit)); err != nil {
		return err
	}
	if err := s.statements.incidents.exec(ctx, tx, row.Incidents(s.names, c.Incidents)); err != nil {
		return err
	}
	if err := s.statements.members.exec(ctx, tx, row.Members(s.names, c.IncidentOrders)); err != nil {
		return err
	}
	if err := s.saveLedger(ctx, tx, c.Ledger); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE progress SET applied = ?", applied)
	return err
}

// saveOrders writes orders, their visits and promises, and drops what they no longer have.
func (s *Store) saveOrders(ctx context.Context, tx *sql.Tx, list []sla.Order) error {
	c := row.NewChange(s.names, list)
	dropVisits, dropPromises := tx.StmtContext(ctx, s.statements.dropVisits), tx.StmtContext(ctx, s.statements.dropPromises)
	for i, id := range c.IDs {
		if _, err := dropVisits.ExecContext(ctx, id, c.VisitCounts[i]); err != nil {
			return err
		}
		if _, err := dropPromises.ExecContext(ctx, id, c.PromiseCounts[i]); err != nil {
			return err
		}
	}
	if err := s.statements.orders.exec(ctx, tx, c.Orders); err != nil {
		return err
	}
	if err := s.statements.visits.exec(ctx, tx, c.Visits); err != nil {
		return err
	}
	return s.statements.promises.exec(ctx, tx, c.Promises)
}

// remove drops an absorbed order from the read model. Append has redirected it already.
func remove(ctx context.Context, tx *sql.Tx, m sla.Merge) error {
	for _, statement := range []string{
		"DELETE FROM orders WHERE id = ?",
		"DELETE FROM visits WHERE order_id = ?",
		"DELETE FROM promises WHERE order_id = ?",
	} {
		if _, err := tx.ExecContext(ctx, statement, m.From); err != nil {
			return err
		}
	}
	return nil
}
