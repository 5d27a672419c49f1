package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alexandrite/orderwatch/store"
)

// How to take the lock of the current schema: at once or not at all, or within lockPatience, for a
// server may take a moment to notice that our former connection is gone.
const (
	lockKey  = "hashtextextended('orderwatch ' || current_schema(), 0)"
	tryLock  = "SELECT pg_try_advisory_lock(" + lockKey + ")"
	unlock   = "SELECT pg_advisory_unlock(" + lockKey + ")"
	waitLock = "SELECT pg_advisory_lock(" + lockKey + ") IS NOT NULL"

	lockPatience = "10s"
)

var errFenced = fmt.Errorf("%w: it took over while this one was cut off", store.ErrLocked)

// connect gives the store a connection that holds the lock.
func (s *Store) connect(ctx context.Context, lock string) error {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return err
	}
	if err := take(ctx, conn, lock); err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	s.writer = conn
	return nil
}

func take(ctx context.Context, conn *pgx.Conn, lock string) error {
	// A commit that returned must be on disk, whatever the default of the role or database is. The
	// keepalives free the lock within half a minute after the machine of its holder is gone.
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
		SET lock_timeout = '`+lockPatience+`'; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`)
	if err != nil {
		return err
	}
	var locked bool
	err = conn.QueryRow(ctx, lock).Scan(&locked)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == "55P03" { // lock_not_available
		return store.ErrLocked
	}
	if err == nil && !locked {
		return store.ErrLocked
	}
	return err
}

// away reports whether an error says that the server is not there, starts, stops or is full. A wrong
// password or database name is none of these.
func away(err error) bool {
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "08") || strings.HasPrefix(refused.Code, "57P") || refused.Code == "53300"
	}
	var failed *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &failed) || errors.As(err, &network)
}

// write runs fn in the transaction that writes. Names that fn interned are written with it. The row
// of progress is locked first: whoever holds it alone decides what is next in the journal.
func (s *Store) write(ctx context.Context, fn func(pgx.Tx, store.Position) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	tx, err := s.writer.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			rollback := tx.Rollback(context.WithoutCancel(ctx))
			if !errors.Is(rollback, pgx.ErrTxClosed) && !s.writer.IsClosed() {
				err = errors.Join(err, rollback)
			}
		}
		s.names.Settle(err)
	}()
	var p store.Position
	var lease int64
	err = tx.QueryRow(ctx, "SELECT journal, applied, last_order, lease FROM progress FOR UPDATE").Scan(&p.Journal, &p.Applied, &p.Order, &lease)
	if err != nil {
		return err
	}
	if lease != s.lease {
		s.fenced = true // for good; the lock that the new connection may hold goes with it
		return errors.Join(errFenced, s.writer.Close(ctx))
	}
	if err := fn(tx, p); err != nil {
		return err
	}
	if err := tables.names.exec(ctx, tx, s.names.Fresh()); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// ready makes sure of a connection and of the names.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil { // before it costs the connection
		return err
	}
	if s.closed {
		return errors.New("the store is closed")
	}
	if s.fenced {
		return errFenced
	}
	if s.writer.IsClosed() {
		if err := s.connect(ctx, waitLock); err != nil {
			return fmt.Errorf("connect again: %w", err)
		}
	}
	if s.names.Stale() {
		return s.loadNames(ctx, s.writer)
	}
	return nil
}
