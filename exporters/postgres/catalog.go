package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// table is what the catalogue says about one table that is watched or published.
type table struct {
	schema, name string
	identity     string   // pg_class.relreplident: d, n, f or i
	primary      []string // columns of the primary key, in its order
	columns      []string
	identifying  []string // columns of the replica identity
	readable     []string // columns our role may SELECT
	published    bool
	list         []string // published columns; nil: all
	rowFilter    string
}

func (t *table) fullName() string { return t.schema + "." + t.name }

// A table's oid is looked for by name, so that one which does not exist is simply not there. The
// publication's columns and filter are read through JSON because versions before 15 lack them.
const catalogQuery = `
WITH published AS (
	SELECT p.schemaname, p.tablename, to_jsonb(p) AS p FROM pg_publication_tables p WHERE p.pubname = $1
), wanted AS (
	SELECT n.nspname, c.relname, c.oid, c.relreplident
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p') AND (n.nspname || '.' || c.relname = ANY ($2)
		OR EXISTS (SELECT FROM published WHERE schemaname = n.nspname AND tablename = c.relname))
)
SELECT w.nspname, w.relname, w.relreplident::text,
	ARRAY(SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (num, place)
		JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum = k.num
		WHERE i.indrelid = w.oid AND i.indisprimary ORDER BY k.place),
	ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
	ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum = ANY (i.indkey::int2[])
		WHERE i.indrelid = w.oid AND (w.relreplident = 'd' AND i.indisprimary OR w.relreplident = 'i' AND i.indisreplident)),
	ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
		AND has_column_privilege(w.oid, a.attnum, 'SELECT')),
	p.p IS NOT NULL, p.p -> 'attnames', coalesce(p.p ->> 'rowfilter', '')
FROM wanted w LEFT JOIN published p ON p.schemaname = w.nspname AND p.tablename = w.relname`

// readCatalog returns the tables that are watched or published, by schema.table.
func readCatalog(ctx context.Context, tx pgx.Tx, c Config) (map[string]*table, error) {
	var wanted []string
	for _, t := range c.Tables {
		schema, name := t.split()
		wanted = append(wanted, schema+"."+name)
	}
	rows, err := tx.Query(ctx, catalogQuery, c.Publication, wanted)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	defer rows.Close()
	out := map[string]*table{}
	for rows.Next() {
		t := &table{}
		if err := rows.Scan(&t.schema, &t.name, &t.identity, &t.primary, &t.columns, &t.identifying, &t.readable,
			&t.published, &t.list, &t.rowFilter); err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		out[t.fullName()] = t
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return out, nil
}
