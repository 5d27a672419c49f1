package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/store/internal/migration"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, each step whole or not at all. The connection holds the writer's lock.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := migration.Read(files)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, applied bigint NOT NULL)"); err != nil {
		return err
	}
	var version int
	if err := conn.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM schema_version").Scan(&version); err != nil {
		return err
	}
	if steps, err = migration.Pending(steps, version); err != nil {
		return err
	}
	for _, step := range steps {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, step.SQL); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO schema_version VALUES ($1, $2)", step.Version, time.Now().UnixNano())
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate to %s: %w", step.Name, err)
		}
	}
	return nil
}
