package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// snapshot makes the slot anew and sends every row whose status is not the one remembered: all
// rows the first time, the differences after a loss. The slot's exported snapshot shows exactly
// what the stream will not: what commits after it comes by the stream.
func (s *Source) snapshot(ctx context.Context, l *link, w *writer, exists bool, reason string) error {
	// Whatever commits after the snapshot has a later time than this: a row of the snapshot must
	// not seem newer than a change that follows it.
	var before time.Time
	if err := l.plain.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&before); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	if exists {
		if err := pglogrepl.DropReplicationSlot(ctx, l.replication, s.Config.Slot, pglogrepl.DropReplicationSlotOptions{}); err != nil {
			return fmt.Errorf("drop slot: %w", err)
		}
	}
	made, err := pglogrepl.CreateReplicationSlot(ctx, l.replication, s.Config.Slot, "pgoutput",
		pglogrepl.CreateReplicationSlotOptions{SnapshotAction: "EXPORT_SNAPSHOT", Mode: pglogrepl.LogicalReplication})
	if err != nil {
		return fmt.Errorf("create slot: %w", err)
	}
	point, err := pglogrepl.ParseLSN(made.ConsistentPoint)
	if err != nil {
		return fmt.Errorf("create slot: %w", err)
	}
	tx, err := l.plain.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // read-only: nothing to commit
	if _, err := tx.Exec(ctx, `SET TRANSACTION SNAPSHOT '`+strings.ReplaceAll(made.SnapshotName, "'", "''")+`'`); err != nil {
		return fmt.Errorf("import snapshot: %w", err)
	}
	var after time.Time
	if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&after); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	w.beginSnapshot(l.system, reason, after)
	for _, r := range w.rules {
		if err := w.snapshotRule(ctx, tx, r, before); err != nil {
			return err
		}
	}
	w.endSnapshot(point, after)
	return w.flush(ctx)
}

// beginSnapshot says what the snapshot will stand in for. Its position asks for another snapshot
// after a crash; what that one finds unchanged is not sent again.
func (w *writer) beginSnapshot(system, reason string, now time.Time) {
	if reason != "" && w.at.System != "" {
		g := gapRange{From: w.at.Proven, To: now.UnixNano(), Reason: reason}
		w.at.Gaps = append(w.at.Gaps, g)
		w.gap(g, false)
	}
	w.at.System, w.at.Snapshot = system, true
	w.at.Seen, w.at.LSN, w.at.Tx, w.at.Done = 0, 0, 0, 0
}

// endSnapshot repairs what was said. The beginning of a stream is such a gap too: what an earlier
// epoch may have missed, this snapshot stands in for.
func (w *writer) endSnapshot(point pglogrepl.LSN, now time.Time) {
	if len(w.at.Gaps) == 0 {
		w.at.Gaps = []gapRange{{To: now.UnixNano(), Reason: "stream begins with a snapshot"}}
	}
	last := len(w.at.Gaps) - 1
	w.at.Gaps[last].To = max(w.at.Gaps[last].To, now.UnixNano())
	for _, g := range w.at.Gaps {
		w.gap(g, true)
	}
	// A commit record may begin exactly at the consistent point, and the snapshot does not show it.
	w.at.Seen, w.at.LSN = point, point-1
	w.at.Snapshot, w.at.Gaps = false, nil
}

func (w *writer) snapshotRule(ctx context.Context, tx pgx.Tx, r *rule, at time.Time) error {
	columns := r.columns()
	selected := make([]string, len(columns))
	for i, c := range columns {
		selected[i] = pgx.Identifier{c}.Sanitize() + "::text"
	}
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + pgx.Identifier{r.schema, r.name}.Sanitize()
	if r.SnapshotWhere != "" {
		query += " WHERE " + r.SnapshotWhere
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", r.Table.Table, err)
	}
	defer rows.Close()
	row := make([]value, len(columns))
	for rows.Next() {
		for i, raw := range rows.RawValues() {
			row[i] = value{text: string(raw), state: present}
			if raw == nil {
				row[i].state = null
			}
		}
		w.snapshotRow(r, row, at)
		if w.full() {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("snapshot %s: %w", r.Table.Table, err)
	}
	return nil
}

func (w *writer) snapshotRow(r *rule, row []value, at time.Time) {
	key, ok := r.keyOf(r.primaryOf(row))
	status := markOf(row[0])
	if ok {
		if last, known := w.known.get(key); known && last == status {
			return
		}
		w.known.set(key, status)
	}
	if own, ok := rowTime(row[1].text); ok && r.Time != "" && own.Before(at) {
		at = own
	}
	if e, ok := r.event(row, at.UTC()); ok {
		e.Inferred = true
		w.add(e)
	}
}
