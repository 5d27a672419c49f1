package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

// IncidentMemory is store.Model's.
func (s *Store) IncidentMemory(ctx context.Context) (sla.IncidentMemory, error) {
	var memory sla.IncidentMemory
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		var since sql.NullInt64
		err := tx.QueryRowContext(ctx, "SELECT since, (SELECT coalesce(max(id), 0) FROM incidents) FROM progress").Scan(&since, &memory.Last)
		if err != nil {
			return err
		}
		memory.Since = row.Time(since)
		open, err := s.scanIncidents(ctx, tx, "SELECT "+row.IncidentColumns+" FROM incidents WHERE closed IS NULL ORDER BY id")
		if err != nil {
			return err
		}
		members, err := s.members(ctx, tx, "SELECT m.incident, m.order_id, m.stage, m.n, m.deadline, m.cause, m.joined, m.left_at, m.retracted, NULL "+
			"FROM incidents i JOIN incident_orders m ON m.incident = i.id WHERE i.closed IS NULL AND m.left_at IS NULL ORDER BY m.incident, m.deadline, m.order_id, m.n")
		memory.Open = row.Recall(open, members)
		return err
	})
	if err != nil {
		return memory, fmt.Errorf("restore incidents: %w", err)
	}
	return memory, nil
}

// Incidents is store.Reader's.
func (s *Store) Incidents(ctx context.Context, f sla.IncidentFilter) (sla.IncidentPage, error) {
	limit := row.Limit(f.Limit)
	query, err := row.SelectIncidents(f, limit+1)
	if err != nil {
		return sla.IncidentPage{}, fmt.Errorf("list incidents: %w", err)
	}
	items, err := s.scanIncidents(ctx, s.reader, query)
	if err != nil {
		return sla.IncidentPage{}, fmt.Errorf("list incidents: %w", err)
	}
	return row.IncidentPage(items, limit), nil
}

// Incident is store.Reader's.
func (s *Store) Incident(ctx context.Context, id sla.IncidentID) (sla.Incident, error) {
	var incident sla.Incident
	err := s.snapshot(ctx, func(tx *sql.Tx) (err error) {
		incident, err = row.ScanIncident(tx.QueryRowContext(ctx, "SELECT "+row.IncidentColumns+" FROM incidents WHERE id = ?", id), s.names)
		if err != nil {
			return err
		}
		which := ""
		if incident.Orders > 0 {
			which = " AND m.left_at IS NULL"
		}
		incident.Members, err = s.members(ctx, tx, "SELECT "+row.SelectMember+" FROM "+row.FromMember+
			" WHERE m.incident = ?"+which+" ORDER BY m.deadline, m.order_id, m.n LIMIT "+strconv.Itoa(row.WorstMembers), id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return sla.Incident{}, fmt.Errorf("read incident %d: %w", id, err)
	}
	return incident, nil
}

func (s *Store) scanIncidents(ctx context.Context, q querier, query string) ([]sla.Incident, error) {
	var list []sla.Incident
	err := each(ctx, q, func(r row.Scanner) error {
		x, err := row.ScanIncident(r, s.names)
		list = append(list, x)
		return err
	}, query)
	return list, err
}

func (s *Store) members(ctx context.Context, q querier, query string, args ...any) ([]sla.IncidentOrder, error) {
	var list []sla.IncidentOrder
	err := each(ctx, q, func(r row.Scanner) error {
		m, err := row.ScanMember(r, s.names)
		list = append(list, m)
		return err
	}, query, args...)
	return list, err
}
