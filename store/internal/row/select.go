package row

import (
	"strconv"
	"strings"

	"github.com/alexandrite/orderwatch/sla"
)

// Select writes the query of a page of a list, or false where no order can match. Both databases
// read it, but for the mark before a parameter's number ("?" or "$"). With a stage the list comes
// from the index of open visits, else from one of orders: both in the list's order, so that a page
// costs its own rows and those the filter skips. CROSS JOIN keeps SQLite to that.
func Select(n *Names, f sla.OrderFilter, after Cursor, limit int, mark string) (query string, args []any, ok bool) {
	q := selection{names: n, mark: mark}
	from, v, id := "orders o", "o", "o.id"
	if f.Stage != "" {
		from, v, id = "visits v CROSS JOIN orders o", "v", "v.order_id"
		q.where = append(q.where, "o.id = v.order_id", "v.left_at IS NULL")
	}
	if !q.named("v.stage", f.Stage) || !q.named(v+".verdict", string(f.Verdict)) || !q.named("o.state", string(f.State)) {
		return "", nil, false
	}
	place := v + ".rank, " + v + ".due, " + id
	switch rank := visitRank(f.Verdict); {
	case f.Verdict == "":
		q.and("("+place+") > (#, #, #)", after.Rank, after.Due, after.ID)
	case after.Rank < rank:
		q.and(v+".rank = #", rank)
	case after.Rank == rank: // the verdict gives the rank, without which the last page would look at all that follow
		q.and(v+".rank = # AND ("+v+".due, "+id+") > (#, #)", rank, after.Due, after.ID)
	default:
		return "", nil, false
	}
	if f.Channel != "" {
		q.and("o.channel = # AND o.channel <> ''", f.Channel)
	}
	if f.Partner != "" {
		q.and("o.partner = # AND o.partner <> ''", f.Partner)
	}
	if end, ok := prefixEnd(f.Prefix); ok {
		q.and("o.id IN (SELECT order_id FROM order_keys WHERE value >= # AND value < #)", f.Prefix, end)
	} else if f.Prefix != "" {
		q.and("o.id IN (SELECT order_id FROM order_keys WHERE value >= #)", f.Prefix)
	}
	columns := strings.ReplaceAll("o.id, o.keys, o.channel, o.partner, o.state, o.created, o.updated, "+
		"@.stage, @.entered, @.deadline, @.verdict, @.cause, @.rank, @.due", "@", v)
	return "SELECT " + columns + " FROM " + from + " WHERE " + strings.Join(q.where, " AND ") +
		" ORDER BY " + place + " LIMIT " + strconv.Itoa(limit), q.args, true
}

type selection struct {
	names *Names
	mark  string
	where []string
	args  []any
}

// and adds a condition; each # stands for the next value.
func (q *selection) and(condition string, values ...any) {
	for _, value := range values {
		q.args = append(q.args, value)
		condition = strings.Replace(condition, "#", q.mark+strconv.Itoa(len(q.args)), 1)
	}
	q.where = append(q.where, condition)
}

// named adds that a column is a name, if one is asked for. It reports false of a name that nothing has.
func (q *selection) named(column, text string) bool {
	if text == "" {
		return true
	}
	id, ok := q.names.Find(text)
	if ok {
		q.and(column+" = #", id)
	}
	return ok
}
