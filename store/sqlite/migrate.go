package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/alexandrite/orderwatch/store/internal/migration"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, each step whole or not at all.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := migration.Read(files)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT"); err != nil {
		return err
	}
	var version int
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM schema_version").Scan(&version); err != nil {
		return err
	}
	if steps, err = migration.Pending(steps, version); err != nil {
		return err
	}
	for _, step := range steps {
		if err := apply(ctx, db, step); err != nil {
			return fmt.Errorf("migrate to %s: %w", step.Name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, step migration.Step) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, step.SQL); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO schema_version VALUES (?, ?)", step.Version, time.Now().UnixNano()); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
