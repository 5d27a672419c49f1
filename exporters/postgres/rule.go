package postgres

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

// value is one column of one row, as text.
type value struct {
	text  string
	state byte // present, null or absent
}

const (
	present = 't'
	null    = 'n'
	absent  = 'u' // unchanged TOAST, or not published
)

// named is a key or attribute and its column.
type named struct{ name, column string }

// rule is one entry of the mapping, made ready. It reads rows as a list of values in the order of
// columns: status, time, keys, attributes, primary key. A rule without a time has status twice.
type rule struct {
	Table
	schema, name string
	id           string
	keys, attrs  []named
	primary      []string // columns of the primary key, from the catalogue
}

func newRule(t Table) *rule {
	r := &rule{Table: t}
	r.schema, r.name = t.split()
	r.id = strings.Join([]string{r.schema, r.name, t.System, t.Status}, "\x00")
	for _, name := range sortedNames(t.Keys) {
		r.keys = append(r.keys, named{name, t.Keys[name]})
	}
	for _, name := range sortedNames(t.Attributes) {
		r.attrs = append(r.attrs, named{name, t.Attributes[name]})
	}
	return r
}

func (r *rule) columns() []string {
	out := []string{r.Status, r.Status}
	if r.Time != "" {
		out[1] = r.Time
	}
	for _, k := range r.keys {
		out = append(out, k.column)
	}
	for _, a := range r.attrs {
		out = append(out, a.column)
	}
	return append(out, r.primary...)
}

func (r *rule) primaryOf(row []value) []value { return row[len(row)-len(r.primary):] }

// rowKey names a row of a rule: a 128-bit hash, so that two rows never share one in practice.
type rowKey [16]byte

// keyOf reports false where the primary key is not wholly known.
func (r *rule) keyOf(primary []value) (key rowKey, ok bool) {
	if len(primary) == 0 {
		return key, false
	}
	h := fnv.New128a()
	h.Write([]byte(r.id))
	for _, v := range primary {
		if v.state != present {
			return key, false
		}
		h.Write([]byte{0, byte(len(v.text)), byte(len(v.text) >> 8), byte(len(v.text) >> 16)})
		h.Write([]byte(v.text))
	}
	h.Sum(key[:0])
	return key, true
}

// mark is a status value as statuses keeps it: a hash, never 0.
type mark uint64

func markOf(v value) mark {
	if v.state == null {
		return 1
	}
	h := fnv.New64a()
	h.Write([]byte(v.text))
	return max(2, mark(h.Sum64()))
}

// event makes the event of a row that reached a status, and reports false where the mapping drops it.
func (r *rule) event(row []value, at time.Time) (order.Event, bool) {
	if row[0].state != present {
		return order.Event{}, false
	}
	status, ok := r.Statuses.Name(row[0].text)
	if !ok {
		return order.Event{}, false
	}
	e := order.Event{Kind: order.KindStatus, Time: at, System: r.System, Status: exporters.Cut(status)}
	values := row[2:]
	for i, k := range r.keys {
		e.Keys = exporters.AddKey(e.Keys, k.name, values[i].text)
	}
	values = values[len(r.keys):]
	for i, a := range r.attrs {
		e.Attrs = exporters.AddAttr(e.Attrs, a.name, values[i].text)
	}
	if r.Time != "" && row[1].state == present {
		e.Attrs = exporters.AddAttr(e.Attrs, AttrRowTime, rfc3339(row[1].text))
	}
	return e, true
}

// rowTime parses a timestamp as PostgreSQL writes it in ISO style with TimeZone UTC.
func rowTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func rfc3339(text string) string {
	if t, ok := rowTime(text); ok {
		return t.Format(time.RFC3339Nano)
	}
	return text
}
