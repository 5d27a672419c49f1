package replay

import (
	"slices"
	"strings"
	"testing"
)

func readJSONL(t testing.TB, mapping, text string) []string {
	t.Helper()
	r, err := NewJSONL("f.jsonl", strings.NewReader(text), parse(t, mapping), []string{"due"})
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, r)
}

const pathMapping = `layout: long
system: shop
key: {name: shop, column: order.id}
status_column: order.status
time_column: at
time_layouts: [unix_ms, "2006-01-02 15:04"]
attributes: [{column: $.order.items.0.sku, name: sku}, {column: due, name: due}]
`

func TestJSONL(t *testing.T) {
	cases := map[string]struct {
		text string
		want []string
	}{
		"columns are paths, numbers stay as they are written": {
			`{"order":{"id":12345678901234567890,"status":"PAID","items":[{"sku":"a"},{"sku":"b"}]},"at":1714554000000,"due":"2024-05-02 00:00"}` + "\n\n" +
				`{"order":{"id":"2","status":"SENT","items":[]},"at":"2024-05-01 12:00","due":null}`,
			[]string{
				"1: 12345678901234567890 PAID 2024-05-01T09:00:00Z sku=a due=2024-05-02T00:00:00Z",
				"3: 2 SENT 2024-05-01T12:00:00Z",
			},
		},
		"a member whose name has dots wins": {
			`{"order.id":"1","order":{"id":"2","status":"A"},"at":"2024-05-01 12:00"}`, []string{"1: 1 A 2024-05-01T12:00:00Z"},
		},
		"broken lines are counted and the others stay": {
			"{\"order\":\n[1]\nnull\n{} {}\n{\"order\":\"\xff\"}\n" + `{"order":{"id":"1","status":{}},"at":1}` + "\n" + `{"order":{"id":"1","status":"A"},"at":true}` + "\n" +
				`{"order":{"status":"A"},"at":1}` + "\n" + `{"order":{"id":"1","status":"A"},"at":0}`,
			[]string{
				"f.jsonl:1: broken JSON: unexpected EOF", "f.jsonl:2: broken JSON: it is: array",
				"f.jsonl:3: broken JSON: a line must be one object", "f.jsonl:4: broken JSON: a line must be one object", "f.jsonl:5: not UTF-8",
				"f.jsonl:6: empty status", `f.jsonl:7: unreadable time: at "true"`, "f.jsonl:8: empty key", "9: 1 A 1970-01-01T00:00:00Z",
			},
		},
		"a line over the bound breaks alone": {
			`{"x":"` + strings.Repeat("y", maxRowBytes) + "\"}\n" + `{"order":{"id":"1","status":"A"},"at":0}`,
			[]string{"f.jsonl:1: row too long: over 1048576 bytes", "2: 1 A 1970-01-01T00:00:00Z"},
		},
		"nothing": {"", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := readJSONL(t, pathMapping, c.text); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestALineMayBeAnOrder(t *testing.T) {
	got := readJSONL(t, wideMapping, `{"id":"1","bought":"2024-05-01 12:00:00","sent":"02.05.2024","state":"gone","way":"web"}`)
	want := []string{"1: 1 BOUGHT 2024-05-01T09:00:00Z channel=web", "1: 1 SENT 2024-05-01T21:00:00Z", "1: 1 CANCELLED last"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

const ocelMapping = `layout: ocel
system: shop
key: {name: shop}
object_type: order
via: [parcel]
attributes:
  - {attribute: way, scope: object, name: channel}
  - {attribute: promised, scope: object, name: due}
  - {attribute: who, name: person}
`

const ocelLog = `{"objectTypes":[{"name":"order","attributes":[]}],
"events":[
{"id":"e1","type":"BOUGHT","time":"2024-05-01T09:00:00Z","attributes":[{"name":"who","value":"Ann"}],"relationships":[{"objectId":"o1","qualifier":"order"},{"objectId":"c1","qualifier":"by"}]},
{"id":"e2","type":"BOUGHT","time":"2024-05-01T10:00:00+00:00","relationships":[{"objectId":"o2","qualifier":"order"}]},
{"id":"e3","type":"SENT","time":"2024-05-02T09:00:00Z","relationships":[{"objectId":"p1"},{"objectId":"p2"}]},
{"id":"e4","type":"CALLED","time":"2024-05-02T10:00:00Z","relationships":[{"objectId":"c1"}]},
{"id":"e5","type":"LOST","time":"soon","relationships":[{"objectId":"p2"}]},
{"id":"e6","type":7},
{"id":"e7","type":"","time":"2024-05-02T10:00:00Z","relationships":[{"objectId":"o1"}]}
],
"objects":[
{"id":"c1","type":"customer","relationships":[{"objectId":"o1"},{"objectId":"o2"}]},
{"id":"o1","type":"order","attributes":[{"name":"way","value":"phone","time":"2024-05-01T12:00:00Z"},{"name":"way","value":"web","time":"1970-01-01T00:00:00Z"},
  {"name":"promised","value":"2024-05-09T00:00:00Z"},{"name":"way","value":"none","time":"2025-01-01T00:00:00Z"}],"relationships":[{"objectId":"p1","qualifier":"in"}]},
{"id":"o2","type":"order","attributes":[{"name":"promised","value":"soon"}]},
{"id":"p1","type":"parcel"},{"id":"p2","type":"parcel","relationships":[{"objectId":"o2"},{"objectId":"o1"}]}
]}`

func readOCEL(t testing.TB, mapping, text string) []string {
	t.Helper()
	r, err := NewOCEL("f.json", strings.NewReader(text), parse(t, mapping), []string{"due"})
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, r)
}

func TestOCEL(t *testing.T) {
	want := []string{
		"f.json:8: broken JSON: type is: number",
		"3: o1 BOUGHT 2024-05-01T09:00:00Z due=2024-05-09T00:00:00Z channel=web person=Ann",
		"4: o2 BOUGHT 2024-05-01T10:00:00Z",
		"5: o1 SENT 2024-05-02T09:00:00Z channel=phone",
		"5: o2 SENT 2024-05-02T09:00:00Z",
		"f.json:6: about no order: CALLED", `f.json:7: unreadable time: "soon"`, "f.json:9: empty status",
		`f.json:15: unreadable due time: promised "soon"`,
	}
	if got := readOCEL(t, ocelMapping, ocelLog); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOCELThatBreaksOffKeepsWhatWasRead(t *testing.T) {
	text := `{"objects":[{"id":"o1","type":"order"}],"events":[
{"type":"BOUGHT","time":"2024-05-01T09:00:00Z","relationships":[{"objectId":"o1"}]},
{"type":"SE`
	want := []string{"2: o1 BOUGHT 2024-05-01T09:00:00Z", "f.json:3: the file breaks off: unexpected EOF"}
	if got := readOCEL(t, ocelMapping, text); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnOCELOrderMayGoByAnAttribute(t *testing.T) {
	text := `{"objects":[{"id":"o1","type":"order","attributes":[{"name":"no","value":17}]},{"id":"o2","type":"order"}],
"events":[{"type":"A","time":"2024-05-01T09:00:00Z","relationships":[{"objectId":"o1"},{"objectId":"o2"},{"objectId":"o9"}]}]}`
	mapping := strings.Replace(ocelMapping, "{name: shop}", "{name: shop, column: no}", 1)
	want := []string{"2: 17 A 2024-05-01T09:00:00Z", "f.json:2: empty key: object o2"}
	if got := readOCEL(t, mapping, text); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAReaderFitsTheFileAndTheMapping(t *testing.T) {
	xes := "\n<log><trace><string key=\"concept:name\" value=\"1\"/>" + event("A", "09") + "</trace></log>"
	cases := map[string]struct{ text, mapping, err string }{
		"a table":                   {"id,what,when\n", longMapping, ""},
		"XES":                       {xes, xesMapping, ""},
		"JSON lines":                {"{}\n", longMapping, ""},
		"OCEL":                      {ocelLog, ocelMapping, ""},
		"a table is no XES":         {"id,what,when\n", xesMapping, "f is a table: the mapping's layout must be wide or long"},
		"XES is no wide table":      {xes, wideMapping, "f is XES: the mapping's layout must be xes"},
		"JSON lines are no XES":     {"{}\n", xesMapping, "f is JSON, an object a line: the mapping's layout must be wide or long, or ocel for OCEL"},
		"a table is no OCEL either": {"id\n", ocelMapping, "f is a table: the mapping's layout must be wide or long"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newReader("f", strings.NewReader(c.text), parse(t, c.mapping), nil)
			if c.err == "" && err != nil || c.err != "" && (err == nil || err.Error() != c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

func FuzzJSONL(f *testing.F) {
	f.Add(`{"order":{"id":1,"status":"A","items":[{"sku":"x"}]},"at":"2024-05-01 12:00","due":"x"}` + "\n{}\n")
	f.Add("[1]\n{\"at\":1e400}\n{\"at\":99999999999999999}")
	m := parse(f, pathMapping)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewJSONL("f.jsonl", strings.NewReader(text), m, []string{"due"})
		if err != nil {
			t.Fatal(err)
		}
		whole(t, r)
	})
}

func FuzzOCEL(f *testing.F) {
	f.Add(ocelLog)
	f.Add(`{"events":[{"relationships":[{"objectId":""}],"type":"a","time":"2024-05-01T09:00:00Z"}],"objects":[{"type":"order"},{"type":"parcel","relationships":[{}]}]}`)
	m := parse(f, ocelMapping)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewOCEL("f.json", strings.NewReader(text), m, []string{"due"})
		if err != nil {
			t.Fatal(err)
		}
		whole(t, r)
	})
}

// whole reads to the end and holds every event to having what an event needs.
func whole(t *testing.T, r Reader) {
	t.Helper()
	h := newHistory("shop")
	err := h.read("f", r, func(int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	for _, o := range h.orders {
		if o.key == "" {
			t.Fatal("an event without a key")
		}
	}
	for _, s := range h.statuses {
		if s.Name == "" {
			t.Fatal("an event without a status")
		}
	}
}
