package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/alexandrite/orderwatch/store"
)

// fileLock is an exclusive transaction, never committed, in a database of its own. SQLite thus
// brings the locking of every operating system it runs on, which ends with the process.
type fileLock struct {
	db   *sql.DB
	conn *sql.Conn
}

func acquire(ctx context.Context, path string) (*fileLock, error) {
	db, err := open(path, 1)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err == nil {
		return &fileLock{db: db, conn: conn}, nil
	}
	if conn != nil {
		err = errors.Join(err, conn.Close())
	}
	if busy := (*sqlite.Error)(nil); errors.As(err, &busy) && busy.Code()&0xff == lib.SQLITE_BUSY {
		err = store.ErrLocked
	}
	return nil, errors.Join(err, db.Close())
}

func (l *fileLock) release() error {
	return errors.Join(l.conn.Close(), l.db.Close())
}
