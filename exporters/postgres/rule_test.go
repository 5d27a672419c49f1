package postgres

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pglogrepl"

	"github.com/alexandrite/orderwatch/exporters"
)

func testRule() *rule {
	r := newRule(Table{Table: "orders", System: "shop", Status: "status", Time: "updated_at",
		Keys: map[string]string{"shop": "id", "file": "model_file"}, Attributes: map[string]string{"channel": "channel"},
		Statuses: exporters.Statuses{"NEW": "SUBMITTED", "DRAFT": ""}})
	r.primary = []string{"id"}
	return r
}

func TestColumnsAreFoundByName(t *testing.T) {
	l := newLayout(testRule(), []*pglogrepl.RelationMessageColumn{{Name: "note"}, {Name: "status"}, {Name: "id"}, {Name: "model_file"}, {Name: "updated_at"}})
	row := l.pick(&pglogrepl.TupleData{Columns: []*pglogrepl.TupleDataColumn{
		{DataType: 't', Data: []byte("x")}, {DataType: 't', Data: []byte("NEW")}, {DataType: 't', Data: []byte("7")}, {DataType: 'n'}, {DataType: 'u'}}})
	e, ok := l.event(row, time.Unix(1, 0))
	if id, _ := e.Key("shop"); !ok || e.Status != "SUBMITTED" || id != "7" || len(e.Keys) != 1 || len(e.Attrs) != 0 {
		t.Errorf("event is %+v, %v", e, ok)
	}
	if missing, vital := l.missing(); missing != "channel" || vital {
		t.Errorf("missing %q, vital %v", missing, vital)
	}
}

func TestRowsOfDifferentTablesAndKeysDoNotShareAMemory(t *testing.T) {
	a, b := testRule(), testRule()
	b.id = "other"
	a.primary, b.primary = []string{"x", "y"}, []string{"x", "y"}
	key := func(r *rule, texts ...string) rowKey {
		var row []value
		for _, s := range texts {
			row = append(row, value{s, present})
		}
		k, ok := r.keyOf(row)
		if !ok {
			t.Fatal("no key")
		}
		return k
	}
	seen := map[rowKey]bool{}
	for _, k := range []rowKey{key(a, "1", "23"), key(a, "12", "3"), key(a, "123", ""), key(b, "1", "23")} {
		if seen[k] {
			t.Error("two rows share a key")
		}
		seen[k] = true
	}
	if _, ok := a.keyOf([]value{{"1", present}, {"", absent}}); ok {
		t.Error("a key that is not wholly known was taken")
	}
}

func TestConfigProblemsAreAllSaid(t *testing.T) {
	c := Config{DSN: "postgres://x:secret@host:port/db", Slot: "Bad-Slot", Tables: []Table{
		{Table: "a.b.c", Keys: map[string]string{"Shop": ""}}, {Table: "t", System: "s", Status: "x", Keys: map[string]string{"k": "id"}},
		{Table: "t", System: "s", Status: "x", Keys: map[string]string{"k": "id"}}}}
	var all strings.Builder
	for _, err := range c.Validate() {
		all.WriteString(err.Error() + "\n")
	}
	for _, want := range []string{"dsn", "slot", "publication", "watermark_interval", "remember_rows",
		"tables[0].table", "tables[0].system", "tables[0].status", "tables[0].keys", "tables[2]: repeats"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %q in\n%s", want, all.String())
		}
	}
	if strings.Contains(all.String(), "secret") {
		t.Errorf("the password is said:\n%s", all.String())
	}
}

// No row makes an event without a status, with one that the mapping drops, or with text that is
// not allow-listed.
func FuzzMapping(f *testing.F) {
	f.Add([]byte("tttttt"), "NEW", "7", "2026-01-02 03:04:05+00")
	f.Add([]byte("tnuutx"), "DRAFT", "", "")
	f.Fuzz(func(t *testing.T, kinds []byte, status, key, at string) {
		l := newLayout(testRule(), []*pglogrepl.RelationMessageColumn{{Name: "id"}, {Name: "status"}, {Name: "updated_at"}, {Name: "model_file"}, {Name: "channel"}, {Name: "secret"}})
		tuple := &pglogrepl.TupleData{}
		for i, text := range []string{key, status, at, key, key, "SECRET"} {
			if i < len(kinds) {
				tuple.Columns = append(tuple.Columns, &pglogrepl.TupleDataColumn{DataType: kinds[i], Data: []byte(text)})
			}
		}
		row := l.pick(tuple)
		e, ok := l.event(row, time.Unix(1, 0))
		if ok != (len(kinds) > 1 && kinds[1] == 't' && status != "" && status != "DRAFT") {
			t.Fatalf("event %v for status %q of kinds %q", ok, status, kinds)
		}
		if !ok {
			return
		}
		for _, a := range e.Attrs {
			if a.Name != "channel" && a.Name != AttrRowTime || len(a.Value) > exporters.MaxValue {
				t.Errorf("attribute %+v", a)
			}
		}
		for _, k := range e.Keys {
			if len(k.Value) > exporters.MaxValue || utf8.ValidString(key) && !utf8.ValidString(k.Value) {
				t.Errorf("key %+v", k)
			}
		}
	})
}
