// Package sqlite keeps a store in one SQLite file: the default, for one machine. Commits are synced
// to disk before they return. A Store is safe for concurrent use; writes happen one after the other
// on one connection while readers, on their own, see the last commit. A lock file beside the
// database keeps a second writer out; it is free again when its process ends, however it ends.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/internal/row"
)

var _ store.Store = (*Store)(nil)

// Options say where the store is.
type Options struct {
	Path    string // of the database file, made where there is none
	Readers int    // connections for reading; defaults to 4
}

// Store is a store.Store in a file.
type Store struct {
	lock   *fileLock
	writer *sql.DB // one connection
	reader *sql.DB
	names  *row.Names

	mu         sync.Mutex // held by the one transaction that writes
	statements statements
}

// Open opens the file, brings its schema up to date and becomes its writer, or fails with store.ErrLocked.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	if o.Path == "" {
		return nil, errors.New("open store: no path given")
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	s := &Store{names: row.NewNames()}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open store %s: %w", o.Path, errors.Join(err, s.Close()))
		}
	}()
	if s.lock, err = acquire(ctx, o.Path+".lock"); err != nil {
		return nil, err
	}
	if s.writer, err = open(o.Path, 1, "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "cache_size(-32768)"); err != nil {
		return nil, err
	}
	if err = migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	if s.reader, err = open(o.Path, o.Readers, "query_only(1)", "busy_timeout(10000)"); err != nil {
		return nil, err
	}
	if s.statements, err = prepare(ctx, s.writer); err != nil {
		return nil, err
	}
	return s, s.loadNames(ctx)
}

func open(path string, connections int, pragmas ...string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": pragmas}
	// A transaction that will write takes the write lock at once: it cannot find out half-way that it may not.
	if connections == 1 {
		query.Set("_txlock", "immediate")
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close ends the store, once; again it does nothing. The transaction in progress ends first.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.statements.close(), s.writer.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// write runs fn in the transaction that writes. Names that fn interned are written with it.
func (s *Store) write(ctx context.Context, fn func(*sql.Tx) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names.Stale() {
		if err := s.loadNames(ctx); err != nil {
			return err
		}
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(tx.Rollback()))
		}
		s.names.Settle(err)
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := s.statements.names.exec(ctx, tx, s.names.Fresh()); err != nil {
		return err
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (s *Store) loadNames(ctx context.Context) error {
	var texts []string
	err := each(ctx, s.writer, func(r row.Scanner) error {
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
