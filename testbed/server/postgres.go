package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions says what kind of PostgreSQL to start.
type PostgresOptions struct {
	Folder   string            // Defaults to DefaultFolder().
	Settings map[string]string // Server settings, over our own: logical WAL, fsync off.
}

// Postgres is a throwaway PostgreSQL cluster with the superuser postgres, who needs no password.
// Nothing is synced to disk unless the settings say fsync=on: a killed server loses nothing by
// that, only a power cut would.
type Postgres struct {
	*Process
	port int
}

var postgresSettings = map[string]string{
	"listen_addresses":        "127.0.0.1",
	"unix_socket_directories": "",
	"wal_level":               "logical",
	"max_wal_senders":         "20",
	"max_replication_slots":   "20",
	"shared_buffers":          "32MB",
	"fsync":                   "off",
	"timezone":                "UTC",
	"log_timezone":            "UTC",
}

// StartPostgres starts a PostgreSQL cluster and returns when it takes connections. ctx bounds the
// start only.
func StartPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	bin, err := find("apt-get install postgresql-15",
		"/usr/lib/postgresql/*/bin/postgres", "/opt/homebrew/opt/postgresql@*/bin/postgres", "postgres")
	if err != nil {
		return nil, err
	}
	user, err := unprivileged("postgres")
	if err != nil {
		return nil, err
	}
	folder := opts.Folder
	if folder == "" {
		folder = DefaultFolder()
	}
	dir, err := newDirectory(folder, "postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	port, err := FreePort()
	if err == nil {
		err = copyCluster(ctx, folder, bin, user, data)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start postgres: %w", err), removeAll(dir))
	}
	p := &Postgres{port: port}
	p.Process = &Process{
		name: "postgres",
		spec: childSpec{
			dir: dir, argv: postgresCommand(bin, data, port, opts.Settings), env: postgresEnv(dir),
			user: user, death: syscall.SIGQUIT, log: logFile,
		},
		graceful: syscall.SIGINT, final: syscall.SIGQUIT, ready: p.ping,
	}
	if err := p.startOrRemove(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func postgresCommand(bin, data string, port int, settings map[string]string) []string {
	all := maps.Clone(postgresSettings)
	maps.Copy(all, settings)
	names := slices.Sorted(maps.Keys(all))
	argv := make([]string, 0, 5+2*len(names))
	argv = append(argv, bin, "-D", data, "-p", strconv.Itoa(port))
	for _, name := range names {
		argv = append(argv, "-c", name+"="+all[name])
	}
	return argv
}

func postgresEnv(home string) []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + home}
}

func (p *Postgres) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.DSN("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// DSN returns the superuser's connection string to a database; "postgres" always exists.
func (p *Postgres) DSN(database string) string { return p.DSNFor("postgres", database) }

// DSNFor returns a role's connection string to a database. No role needs a password.
func (p *Postgres) DSNFor(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, p.port, database)
}

// CreateDatabase creates an empty database and returns the superuser's connection string to it.
func (p *Postgres) CreateDatabase(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, p.DSN("postgres"))
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return p.DSN(name), nil
}
