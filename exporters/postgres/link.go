package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connectTimeout bounds what a server that hangs can take of our time.
const connectTimeout = 15 * time.Second

// link is the two connections of a session: one that streams, one for queries. Each is for the
// goroutine that holds it.
type link struct {
	plain       *pgx.Conn
	replication *pgconn.PgConn
	rules       []*rule
	system      string        // the cluster's identifier
	flushed     pglogrepl.LSN // the server's position when we connected
	database    string
	segment     pglogrepl.LSN // bytes of a WAL segment
}

// fixed makes the snapshot and the stream write values alike, whatever the role's settings.
func fixed(params map[string]string, name string) {
	params["application_name"] = name
	params["TimeZone"] = "UTC"
	params["DateStyle"] = "ISO"
	params["IntervalStyle"] = "postgres"
	params["extra_float_digits"] = "1"
	params["bytea_output"] = "hex"
}

func connect(ctx context.Context, c Config) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	plain, err := connectPlain(ctx, c)
	if err != nil {
		return nil, err
	}
	l := &link{plain: plain, database: plain.Config().Database}
	for _, t := range c.Tables {
		l.rules = append(l.rules, newRule(t))
	}
	if err := l.connectReplication(ctx, c); err != nil {
		l.close()
		return nil, err
	}
	var segment int64
	err = plain.QueryRow(ctx, `SELECT current_database(), pg_size_bytes(current_setting('wal_segment_size'))`).Scan(&l.database, &segment)
	if err != nil {
		l.close()
		return nil, fmt.Errorf("read settings: %w", err)
	}
	l.segment = pglogrepl.LSN(segment)
	return l, nil
}

func connectPlain(ctx context.Context, c Config) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return nil, err
	}
	fixed(config.RuntimeParams, "orderwatch sidecar")
	// No prepared statements: they do not survive a pooler in between.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

func (l *link) connectReplication(ctx context.Context, c Config) error {
	config, err := pgconn.ParseConfig(c.DSN)
	if err != nil {
		return err
	}
	fixed(config.RuntimeParams, "orderwatch sidecar stream")
	config.RuntimeParams["replication"] = "database"
	if l.replication, err = pgconn.ConnectConfig(ctx, config); err != nil {
		return fmt.Errorf("connect for replication: %w", err)
	}
	system, err := pglogrepl.IdentifySystem(ctx, l.replication)
	if err != nil {
		return fmt.Errorf("identify system: %w", err)
	}
	l.system, l.flushed = system.SystemID, system.XLogPos
	return nil
}

func (l *link) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.plain.Close(ctx) // nothing of ours is open in there
	if l.replication != nil {
		_ = l.replication.Close(ctx)
	}
}

func (l *link) startReplication(ctx context.Context, c Config, at pglogrepl.LSN) error {
	publication := strings.ReplaceAll(pgx.Identifier{c.Publication}.Sanitize(), "'", "''")
	err := pglogrepl.StartReplication(ctx, l.replication, c.Slot, at, pglogrepl.StartReplicationOptions{
		Mode: pglogrepl.LogicalReplication, PluginArgs: []string{"proto_version '1'", "publication_names '" + publication + "'"}})
	if err != nil {
		return streamEnd{fmt.Errorf("start replication: %w", err)}
	}
	return nil
}

// slot is what the server says about our replication slot.
type slot struct {
	exists    bool
	plugin    string
	database  string
	walStatus string
	confirmed pglogrepl.LSN
}

func (l *link) slot(ctx context.Context, name string) (slot, error) {
	var s slot
	var plugin, database, status, confirmed *string
	err := l.plain.QueryRow(ctx, `SELECT plugin, database, wal_status, confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, name).
		Scan(&plugin, &database, &status, &confirmed)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read slot: %w", err)
	}
	s = slot{exists: true, plugin: text(plugin), database: text(database), walStatus: text(status)}
	if confirmed != nil {
		if s.confirmed, err = pglogrepl.ParseLSN(*confirmed); err != nil {
			return s, fmt.Errorf("read slot: %w", err)
		}
	}
	return s, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// foreign refuses a slot that something else must have made.
func (s slot) foreign(database string) error {
	if s.exists && (s.plugin != "pgoutput" || s.database != database) {
		return fmt.Errorf("check slot: it exists with plug-in %q in database %q; choose another slot name", s.plugin, s.database)
	}
	return nil
}

// lossOf says why the slot does not continue the position, "" where it does.
func (s slot) lossOf(at *position, l *link) string {
	switch {
	case at.System == "":
		return "" // never had one
	case at.System != l.system:
		return "database is another cluster"
	case !s.exists:
		return "replication slot was dropped"
	case s.walStatus == "lost":
		return "replication slot was invalidated: it held more than max_slot_wal_keep_size"
	case s.confirmed > at.Seen && !at.Snapshot:
		return "replication slot was moved on by someone else"
	case l.flushed < at.LSN:
		return "database went back in time"
	}
	return ""
}
