package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// Restore is store.Model's.
func (s *Store) Restore(ctx context.Context, fn func(sla.History) error) error {
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		ids, err := s.unsettled(ctx, tx)
		if err != nil {
			return err
		}
		return row.Histories(&journal{ctx, tx, s.names}, ids, fn)
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// unsettled returns the surviving orders that are open or have records that were not applied.
func (s *Store) unsettled(ctx context.Context, tx pgx.Tx) ([]int64, error) {
	open, ok := s.names.Find(string(sla.StateOpen))
	if !ok {
		open = -1 // no order was ever saved as open
	}
	var ids []int64
	err := each(ctx, tx, func(r row.Scanner) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT coalesce(m.into_id, o.id) FROM orders o LEFT JOIN merges m ON m.order_id = o.id WHERE o.state = $1
	    UNION
	    SELECT coalesce(m.into_id, e.order_id) FROM events e LEFT JOIN merges m ON m.order_id = e.order_id
	    WHERE e.seq > (SELECT applied FROM progress) AND e.order_id <> 0
	    ORDER BY 1`, open)
	return ids, err
}

// History is store.Model's.
func (s *Store) History(ctx context.Context, id sla.OrderID) (sla.History, error) {
	var history sla.History
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		id, err := survivor(ctx, tx, id)
		if err != nil {
			return err
		}
		return row.Histories(&journal{ctx, tx, s.names}, []int64{int64(id)}, func(h sla.History) error {
			history = h
			return nil
		})
	})
	if err == nil && len(history.Records) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return sla.History{}, fmt.Errorf("read history of order %d: %w", id, err)
	}
	return history, nil
}

// Audit is store.Reader's.
func (s *Store) Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error) {
	var entries []sla.AuditEntry
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		id, err := survivor(ctx, tx, id)
		if err != nil {
			return err
		}
		j := &journal{ctx, tx, s.names}
		ids := []int64{int64(id)}
		if err := j.Absorbed(ids, func(from, _ int64) { ids = append(ids, from) }); err != nil {
			return err
		}
		return j.Audit(ids, func(a sla.AuditEntry) { entries = append(entries, a) })
	})
	if err != nil {
		return nil, fmt.Errorf("read audit of order %d: %w", id, err)
	}
	return entries, nil
}

// journal is row.Journal on a snapshot.
type journal struct {
	ctx   context.Context
	tx    pgx.Tx
	names *row.Names
}

func (j *journal) Absorbed(ids []int64, add func(from, into int64)) error {
	return each(j.ctx, j.tx, func(r row.Scanner) error {
		var from, into int64
		if err := r.Scan(&from, &into); err != nil {
			return err
		}
		add(from, into)
		return nil
	}, "SELECT order_id, into_id FROM merges WHERE into_id = ANY($1)", ids)
}

func (j *journal) Records(ids []int64, add func(sla.Record)) error {
	return each(j.ctx, j.tx, func(r row.Scanner) error {
		record, err := row.ScanEvent(r, j.names)
		if err != nil {
			return err
		}
		add(record)
		return nil
	}, "SELECT "+row.EventColumns+" FROM events WHERE order_id = ANY($1) ORDER BY order_id, seq", ids)
}

func (j *journal) Saved(ids []int64, add func(int64, sla.Saved)) error {
	return each(j.ctx, j.tx, func(r row.Scanner) error {
		id, of, err := row.ScanSaved(r, j.names)
		if err != nil {
			return err
		}
		add(id, of)
		return nil
	}, "SELECT id, flow_hash, (doc -> 'counts' ->> 'Events')::bigint FROM orders WHERE id = ANY($1)", ids)
}

func (j *journal) Audit(ids []int64, add func(sla.AuditEntry)) error {
	return each(j.ctx, j.tx, func(r row.Scanner) error {
		entry, err := row.ScanAudit(r, j.names)
		if err != nil {
			return err
		}
		add(entry)
		return nil
	}, "SELECT "+row.AuditColumns+" FROM audit WHERE order_id = ANY($1) ORDER BY id", ids)
}
