package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/testbed/crm"
	"github.com/alexandrite/orderwatch/testbed/mes"
	"github.com/alexandrite/orderwatch/testbed/server"
	"github.com/alexandrite/orderwatch/testbed/shop"
)

//go:embed prepare_shop.sql
var prepareShop string

//go:embed prepare_mes.sql
var prepareMES string

// database says what a database of the company holds. It and the role that owns it have its name.
type database struct {
	name    string
	schemas []string // run by the owner
	prepare string   // run by the administrator
}

func shopDatabase() database {
	return database{"shop", []string{shop.Schema, crm.Schema}, prepareShop}
}

func mesDatabase() database {
	return database{"mes", []string{mes.Schema}, prepareMES}
}

// startDatabase starts a server with the database on it.
func startDatabase(ctx context.Context, folder string, db database) (*server.Postgres, error) {
	pg, err := server.StartPostgres(ctx, server.PostgresOptions{Folder: folder})
	if err != nil {
		return nil, err
	}
	if err := db.create(ctx, pg); err != nil {
		return nil, errors.Join(fmt.Errorf("create %s db: %w", db.name, err), pg.Stop())
	}
	return pg, nil
}

func (db database) create(ctx context.Context, pg *server.Postgres) error {
	owner := pgx.Identifier{db.name}.Sanitize()
	admin, err := pg.CreateDatabase(ctx, db.name)
	if err != nil {
		return err
	}
	err = execute(ctx, admin, "CREATE ROLE "+owner+" LOGIN; ALTER DATABASE "+owner+" OWNER TO "+owner+"; ALTER SCHEMA public OWNER TO "+owner)
	if err != nil {
		return err
	}
	if err := execute(ctx, pg.DSNFor(db.name, db.name), db.schemas...); err != nil {
		return err
	}
	return execute(ctx, admin, db.prepare)
}

func execute(ctx context.Context, dsn string, scripts ...string) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, script := range scripts {
		if _, err := conn.Exec(ctx, script); err != nil {
			return err
		}
	}
	return nil
}
