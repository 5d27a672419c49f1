// Package postgres keeps a store in PostgreSQL 14 or later, in the connection's current schema: for
// more than one machine. A Store is safe for concurrent use; writes happen one after the other on
// one connection, readers have a pool of their own and see the last commit.
//
// The writer's connection holds a session advisory lock, so that a second instance is refused until
// the first ends. Each that opens also raises a lease in the database, which every transaction that
// writes holds and checks: an instance that lost its connection, and with it the lock, resumes only
// if nobody opened the store meanwhile. Connections must be direct: behind a pooler that shares
// sessions, an advisory lock locks nothing.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

var _ store.Store = (*Store)(nil)

// Options say where the store is.
type Options struct {
	DSN     string // a connection string or URL as libpq takes it
	Readers int    // connections for reading; defaults to 4
}

// Store is a store.Store in PostgreSQL.
type Store struct {
	reader *pgxpool.Pool
	names  *row.Names
	config *pgx.ConnConfig
	lease  int64

	mu     sync.Mutex // held by the one transaction that writes
	writer *pgx.Conn
	closed bool
	fenced bool // another instance took over
}

// Open connects, becomes the store's writer and brings its schema up to date, or fails with store.ErrLocked
// or store.ErrUnreachable.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	s := &Store{names: row.NewNames()}
	defer func() {
		if err != nil {
			if away(err) {
				err = fmt.Errorf("%w: %w", store.ErrUnreachable, err)
			}
			err = fmt.Errorf("open store: %w", errors.Join(err, s.Close()))
		}
	}()
	pool, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return nil, err
	}
	s.config = pool.ConnConfig.Copy()
	if pool.MaxConns = int32(o.Readers); o.Readers == 0 {
		pool.MaxConns = 4
	}
	if s.reader, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return nil, err
	}
	if err = s.connect(ctx, tryLock); err != nil {
		return nil, err
	}
	if err = migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	if err = s.writer.QueryRow(ctx, "UPDATE progress SET lease = lease + 1 RETURNING lease").Scan(&s.lease); err != nil {
		return nil, err
	}
	return s, s.loadNames(ctx, s.writer)
}

// Close ends the store, once; again it does nothing. The transaction in progress ends first.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.reader != nil {
		s.reader.Close()
	}
	if s.writer == nil || s.writer.IsClosed() {
		return nil
	}
	// Without the explicit unlock a successor might come before the server noticed that we left.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := s.writer.Exec(ctx, unlock)
	return errors.Join(err, s.writer.Close(ctx))
}

func (s *Store) loadNames(ctx context.Context, q querier) error {
	var texts []string
	err := each(ctx, q, func(r row.Scanner) error {
		var text string
		err := r.Scan(&text)
		texts = append(texts, text)
		return err
	}, "SELECT text FROM names ORDER BY id")
	if err != nil {
		return fmt.Errorf("load names: %w", err)
	}
	s.names.Load(texts)
	return nil
}
