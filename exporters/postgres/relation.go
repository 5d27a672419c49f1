package postgres

import (
	"slices"
	"strings"

	"github.com/jackc/pglogrepl"
)

// relation is a published table as the stream describes it now. DDL sends a new description, so
// columns are found by name in each.
type relation struct {
	name  string
	rules []layout
}

// layout says where a rule's columns are in a relation's rows.
type layout struct {
	*rule
	index []int // by rule.columns; -1: not published
}

func (c *consumer) relate(m *pglogrepl.RelationMessage) {
	rel := &relation{name: m.Namespace + "." + m.RelationName}
	for _, r := range c.rules {
		if r.schema != m.Namespace || r.name != m.RelationName {
			continue
		}
		l := newLayout(r, m.Columns)
		if missing, vital := l.missing(); missing != "" {
			c.lacks(rel.name, missing, vital)
		}
		rel.rules = append(rel.rules, l)
	}
	c.relations[m.RelationID] = rel
}

// lacks says that a mapped column went away under us. Without a status or a key there are no events
// of any use any more, so it is a gap that stays; without an attribute there still are.
func (c *consumer) lacks(table, column string, vital bool) {
	c.log.Error("a mapped column is not published any more", "table", table, "column", column)
	if c.tx == nil || c.tx.skip == skipAll || !vital {
		return
	}
	at := c.tx.time.UnixNano()
	c.gap(gapRange{From: at, To: at, Reason: "column " + column + " of table " + table + " is not published"}, false)
}

func newLayout(r *rule, columns []*pglogrepl.RelationMessageColumn) layout {
	l := layout{rule: r}
	for _, name := range r.columns() {
		l.index = append(l.index, slices.IndexFunc(columns, func(c *pglogrepl.RelationMessageColumn) bool { return c.Name == name }))
	}
	return l
}

// missing returns the columns that are not published and whether a status or key is among them.
func (l *layout) missing() (columns string, vital bool) {
	var out []string
	for i, name := range l.columns() {
		if l.index[i] >= 0 || slices.Contains(out, name) {
			continue
		}
		out = append(out, name)
		vital = vital || i == 0 || i >= 2 && i < 2+len(l.keys)
	}
	return strings.Join(out, ", "), vital
}

// pick returns the rule's columns of a row. What a shorter row lacks is absent.
func (l *layout) pick(t *pglogrepl.TupleData) []value {
	out := make([]value, len(l.index))
	for i, at := range l.index {
		out[i].state = absent
		if t == nil || at < 0 || at >= len(t.Columns) {
			continue
		}
		column := t.Columns[at]
		switch column.DataType {
		case pglogrepl.TupleDataTypeText:
			out[i] = value{text: string(column.Data), state: present}
		case pglogrepl.TupleDataTypeNull:
			out[i].state = null
		}
	}
	return out
}

// inserted rows are always news.
func (c *consumer) inserted(rel *relation, tuple *pglogrepl.TupleData) {
	for _, l := range rel.rules {
		row := l.pick(tuple)
		if key, ok := l.keyOf(l.primaryOf(row)); ok {
			c.known.set(key, markOf(row[0]))
		}
		c.emit(l.rule, row)
	}
}

// updated rows are news where the status differs from the last one, or where that is not known.
func (c *consumer) updated(rel *relation, m *pglogrepl.UpdateMessage) {
	for _, l := range rel.rules {
		row := l.pick(m.NewTuple)
		before, known := c.before(l, row, m)
		if row[0].state == absent {
			continue // not changed: a large value that the server did not send again
		}
		status := markOf(row[0])
		if known && before == status {
			continue
		}
		if key, ok := l.keyOf(l.primaryOf(row)); ok {
			c.known.set(key, status)
		}
		fill(row, l.pick(m.OldTuple), m.OldTupleType)
		c.emit(l.rule, row)
	}
}

// before returns the status a row had and whether it is known. The whole old row tells, where the
// table has REPLICA IDENTITY FULL. A row that changes its key takes its status along.
func (c *consumer) before(l layout, row []value, m *pglogrepl.UpdateMessage) (mark, bool) {
	key, ok := l.keyOf(l.primaryOf(row))
	old := l.pick(m.OldTuple)
	if m.OldTupleType != 0 {
		if oldKey, hasOld := l.keyOf(l.primaryOf(old)); ok && hasOld && oldKey != key {
			if last, known := c.known.get(oldKey); known {
				c.known.set(key, last)
			}
			c.known.set(oldKey, 0)
		}
	}
	if m.OldTupleType == pglogrepl.UpdateMessageTupleTypeOld && old[0].state != absent {
		return markOf(old[0]), true
	}
	if !ok {
		return 0, false
	}
	return c.known.get(key)
}

// fill completes a row by what the whole old one holds of large values that did not change.
func fill(row, old []value, kind uint8) {
	if kind != pglogrepl.UpdateMessageTupleTypeOld {
		return
	}
	for i := range row {
		if row[i].state == absent {
			row[i] = old[i]
		}
	}
}

// deleted rows are no event; their key may come again.
func (c *consumer) deleted(rel *relation, old *pglogrepl.TupleData) {
	for _, l := range rel.rules {
		if key, ok := l.keyOf(l.primaryOf(l.pick(old))); ok {
			c.known.set(key, 0)
		}
	}
}
