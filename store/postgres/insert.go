package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/store/internal/row"
)

// manyRows bounds the rows of one statement, and so its memory here and there.
const manyRows = 5000

// inserter writes rows of one table.
type inserter struct {
	table     string
	width     int
	statement string
}

// newInserter makes INSERT INTO table (columns) SELECT … FROM unnest(…) and what follows: measured,
// twice as fast as one statement a row in a pipeline.
func newInserter(table, columns, types, then string) inserter {
	list := strings.Fields(types)
	arrays := make([]string, len(list))
	for i, t := range list {
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + t + "[]"
	}
	return inserter{table: table, width: len(list),
		statement: "INSERT INTO " + table + " (" + columns + ") SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") " + then}
}

// exec writes rows whose values stand one after the other. No two may have one key.
func (i *inserter) exec(ctx context.Context, tx pgx.Tx, values []any) error {
	for len(values) > 0 {
		part := values[:min(len(values), i.width*manyRows)]
		values = values[len(part):]
		columns := make([]any, i.width)
		for c := range columns {
			column := make([]any, 0, len(part)/i.width)
			for at := c; at < len(part); at += i.width {
				column = append(column, part[at])
			}
			columns[c] = column
		}
		if _, err := tx.Exec(ctx, i.statement, columns...); err != nil {
			return fmt.Errorf("write %s: %w", i.table, err)
		}
	}
	return nil
}

// copyRows appends rows in their order by COPY, the fastest way in.
func copyRows(ctx context.Context, tx pgx.Tx, table, columns string, n int, values func(i int) ([]any, error)) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, strings.Split(columns, ", "), pgx.CopyFromSlice(n, values))
	if err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	return nil
}

// tables are written by unnest. They are constant.
var tables = struct{ names, keys, sources, orders, visits, promises, incidents, members, ledger inserter }{
	names: newInserter("names", "id, text", "int text", ""),
	keys: newInserter("order_keys", row.KeyColumns, "int text bigint",
		"ON CONFLICT (name, value) DO UPDATE SET order_id = excluded.order_id WHERE order_keys.order_id <> excluded.order_id"),
	sources: newInserter("sources", row.SourceColumns, "int bigint bigint bigint bigint bigint bigint json", replace("name", row.SourceColumns)),
	orders: newInserter("orders", row.OrderColumns,
		"bigint json json int bigint bigint bigint text text int bigint bigint int int smallint bigint bool int json",
		replace("id", row.OrderColumns)),
	visits: newInserter("visits", row.VisitColumns,
		"bigint int int int bigint bigint bigint int int json bool bool bigint bool smallint bigint",
		replaceChanged("visits", "order_id, pos", row.VisitColumns)),
	promises: newInserter("promises", row.PromiseColumns, "bigint int int bigint bigint bigint int bool",
		replaceChanged("promises", "order_id, pos", row.PromiseColumns)),
	incidents: newInserter("incidents", row.IncidentColumns,
		"bigint int int text text bool int bigint bigint bigint bigint bigint bigint bigint bigint bigint json",
		replace("id", row.IncidentColumns)),
	ledger: newInserter("ledger", row.LedgerColumns, "bigint int bigint bigint int bigint bigint bigint bigint bigint bigint bool bool",
		replaceChanged("ledger", "order_id, handoff, n", row.LedgerColumns)),
	members: newInserter("incident_orders", row.MemberColumns, "bigint bigint int bigint bigint int bigint bigint bool",
		replace("incident, order_id, stage, n", row.MemberColumns)),
}

// replace is the clause by which a row takes the place of the one with its key.
func replace(key, columns string) string {
	var set []string
	for _, column := range rest(key, columns) {
		set = append(set, column+" = excluded."+column)
	}
	return "ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// replaceChanged is replace that leaves a row alone where nothing differs: most visits of an order
// are over, and rewriting them would leave a dead row each.
func replaceChanged(table, key, columns string) string {
	var differs []string
	for _, column := range rest(key, columns) {
		cast := ""
		if column == "evidence" {
			cast = "::text" // json has no equality
		}
		differs = append(differs, table+"."+column+cast+" IS DISTINCT FROM excluded."+column+cast)
	}
	return replace(key, columns) + " WHERE " + strings.Join(differs, " OR ")
}

func rest(key, columns string) []string {
	return strings.Split(strings.TrimPrefix(columns, key+", "), ", ")
}
