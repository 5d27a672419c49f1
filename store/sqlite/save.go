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
	var audit []any
	for i := range c.Audit {
		audit = row.Audit(audit, s.names, &c.Audit[i])
	}
	if err := s.statements.audit.exec(ctx, tx, audit); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE progress SET applied = ?", applied)
	return err
}

// saveOrders writes orders, their visits and promises, and drops what they no longer have.
func (s *Store) saveOrders(ctx context.Context, tx *sql.Tx, list []sla.Order) error {
	var orders, visits, promises []any
	dropVisits, dropPromises := tx.StmtContext(ctx, s.statements.dropVisits), tx.StmtContext(ctx, s.statements.dropPromises)
	for i := range list {
		o := &list[i]
		orders = row.Order(orders, s.names, o)
		for pos := range o.Visits {
			visits = row.Visit(visits, s.names, o.ID, pos, &o.Visits[pos])
		}
		for pos := range o.Promises {
			promises = row.Promise(promises, s.names, o.ID, pos, &o.Promises[pos])
		}
		if _, err := dropVisits.ExecContext(ctx, int64(o.ID), len(o.Visits)); err != nil {
			return err
		}
		if _, err := dropPromises.ExecContext(ctx, int64(o.ID), len(o.Promises)); err != nil {
			return err
		}
	}
	if err := s.statements.orders.exec(ctx, tx, orders); err != nil {
		return err
	}
	if err := s.statements.visits.exec(ctx, tx, visits); err != nil {
		return err
	}
	return s.statements.promises.exec(ctx, tx, promises)
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
