package replay

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

const wideMapping = `layout: wide
system: shop
key: {name: shop, column: id}
timezone: Europe/Moscow
time_layouts: ["2006-01-02 15:04:05", "02.01.2006"]
events: [{column: bought, status: BOUGHT}, {column: sent, status: SENT}]
states: [{column: state, value: gone, status: CANCELLED, at: last}]
attributes: [{column: promised, name: due}, {column: way, name: channel}]
`

const longMapping = `layout: long
system: shop
key: {name: shop, column: id}
status_column: what
time_column: when
`

func TestParseMapping(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		text string
		want Mapping
	}{
		"a row an order": {wideMapping, Mapping{
			Layout: LayoutWide, System: "shop", Key: KeyColumn{"shop", "id"}, Timezone: moscow,
			TimeLayouts: []string{"2006-01-02 15:04:05", "02.01.2006"},
			Events:      []EventColumn{{"bought", "BOUGHT"}, {"sent", "SENT"}},
			States:      []StateColumn{{"state", "gone", "CANCELLED"}},
			Attributes:  []AttributeColumn{{Column: "promised", Name: "due"}, {Column: "way", Name: "channel"}},
		}},
		"a row an event, with the defaults": {longMapping, Mapping{
			Layout: LayoutLong, System: "shop", Key: KeyColumn{"shop", "id"}, Timezone: time.UTC,
			TimeLayouts: []string{time.RFC3339, time.DateTime}, StatusColumn: "what", TimeColumn: "when",
		}},
		"XES needs next to nothing": {"system: shop\nkey: {name: shop}\n", Mapping{
			Layout: LayoutXES, System: "shop", Key: KeyColumn{Name: "shop"}, Timezone: time.UTC, TimeLayouts: []string{time.RFC3339, time.DateTime},
		}},
		"XES with other keys": {
			"layout: xes\nsystem: shop\nkey: {name: shop, column: no}\nstatus_column: act\ntime_column: at\nlifecycle: [Start]\n" +
				"time_layouts: [unix_ms]\nattributes: [{attribute: a, scope: trace, name: due}, {attribute: b, name: way}]\n",
			Mapping{
				Layout: LayoutXES, System: "shop", Key: KeyColumn{"shop", "no"}, Timezone: time.UTC, TimeLayouts: []string{"unix_ms"},
				StatusColumn: "act", TimeColumn: "at", Lifecycle: []string{"start"},
				Attributes: []AttributeColumn{{"a", "due", ScopeTrace}, {"b", "way", ScopeEvent}},
			},
		},
		"OCEL": {ocelMapping, Mapping{
			Layout: LayoutOCEL, System: "shop", Key: KeyColumn{Name: "shop"}, Timezone: time.UTC, TimeLayouts: []string{time.RFC3339, time.DateTime},
			ObjectType: "order", Via: []string{"parcel"},
			Attributes: []AttributeColumn{{"way", "channel", ScopeObject}, {"promised", "due", ScopeObject}, {"who", "person", ScopeEvent}},
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, err := ParseMapping("m.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*m, c.want) {
				t.Errorf("got %+v, want %+v", *m, c.want)
			}
		})
	}
}

func TestParseMappingListsEveryProblem(t *testing.T) {
	cases := map[string]struct {
		text string
		want []string
	}{
		"many at once, by line": {
			`layout: wide
system: a/b
key: {name: shop, colum: id}
timezone: Moscow
time_layouts: ["YYYY-MM-DD", "2006-01-02 15:04 MST"]
status_column: x
events:
  - {column: bought, status: BOUGHT}
  - {column: bought, status: BOUGHT}
  - bought
states: [{column: state, value: gone, status: CANCELLED, at: first}]
attributes: [{column: a, name: due}, {column: b, name: due}, {column: c, name: a b}]
attributes: []
`,
			[]string{
				`m.yaml:2: system: "a/b" must not have a slash`,
				`m.yaml:3: key.colum: unknown field`,
				`m.yaml:3: key.column: is missing: layout wide needs it`,
				`m.yaml:4: timezone: "Moscow" is not a time zone such as Europe/Moscow`,
				`m.yaml:5: time_layouts[0]: "YYYY-MM-DD" does not tell year, month and day; write how 2006-01-02 15:04:05 would look`,
				`m.yaml:5: time_layouts[1]: "2006-01-02 15:04 MST": abbreviations of time zones are ambiguous; give the offset as -0700, or set timezone`,
				`m.yaml:6: status_column: does not belong to layout wide`,
				`m.yaml:9: events[1]: column "bought" gives BOUGHT already`,
				`m.yaml:10: events[2]: must be a mapping of names to values`,
				`m.yaml:11: states[0].at: "first" is not one of last`,
				`m.yaml:12: attributes[1].name: "due" is given twice`,
				`m.yaml:12: attributes[2].name: "a b" is not a name: use letters, digits, - _ and .`,
				`m.yaml:13: attributes: given twice`,
			},
		},
		"a long one without its columns": {
			"layout: long\nsystem: s\nkey: {name: k, column: c}\nevents: []\n",
			[]string{
				`m.yaml:1: status_column: is missing: layout long needs it`,
				`m.yaml:1: time_column: is missing: layout long needs it`,
				`m.yaml:4: events: does not belong to layout long`,
			},
		},
		"empty lists": {
			"layout: wide\nsystem: s\nkey: {name: k, column: c}\nevents: []\ntime_layouts: []\n",
			[]string{`m.yaml:4: events: must not be empty`, `m.yaml:5: time_layouts: must not be empty`},
		},
		"what belongs to another layout": {
			"system: s\nkey: {name: k}\nevents: [{column: c, status: S}]\nobject_type: o\nlifecycle: []\nattributes: [{column: a, name: b}, {attribute: c, scope: object, name: d}]\n",
			[]string{
				`m.yaml:3: events: does not belong to layout xes`, `m.yaml:4: object_type: does not belong to layout xes`, `m.yaml:5: lifecycle: must not be empty`,
				`m.yaml:6: attributes[0].column: does not belong to layout xes`, `m.yaml:6: attributes[0].attribute: is missing: layout xes needs it`,
				`m.yaml:6: attributes[1].scope: "object" is not one of event, trace`,
			},
		},
		"an OCEL one without its objects": {"layout: ocel\nsystem: s\nkey: {name: k}\n", []string{`m.yaml:1: object_type: is missing: layout ocel needs it`}},
		"a table has no scopes": {
			longMapping + "attributes: [{column: a, name: b, scope: trace}, {attribute: a, name: c}]\n",
			[]string{
				`m.yaml:6: attributes[0].scope: does not belong to layout long`, `m.yaml:6: attributes[1].attribute: does not belong to layout long`,
				`m.yaml:6: attributes[1].column: is missing: layout long needs it`,
			},
		},
		"an unknown layout":  {"layout: deep\nsystem: s\nkey: {name: k, column: c}\n", []string{`m.yaml:1: layout: "deep" is not one of wide, long, xes, ocel`}},
		"no value":           {"layout:\nsystem: s\nkey: {name: k, column: c}\n", []string{`m.yaml:1: layout: has no value`}},
		"an anchor":          {"layout: wide\nsystem: s\nkey: {name: k, column: c}\nevents: &e\n  - {column: c, status: S}\nstates: *e\n", []string{`m.yaml:6: states: anchors are not supported: write the value out`}},
		"an empty file":      {"", []string{`m.yaml:1: the file is empty`}},
		"a comment only":     {"# nothing\n", []string{`m.yaml:1: the file is empty`}},
		"not a mapping":      {"[1]", []string{`m.yaml:1: must be a mapping of names to values`}},
		"two documents":      {longMapping + "---\na: b\n", []string{`m.yaml:1: after its first document the file must end`}},
		"not YAML":           {"layout: wide\n  system: s\n", []string{`m.yaml:2: is not YAML: mapping values are not allowed in this context`}},
		"nothing of content": {"{}", []string{`m.yaml:1: system: is missing`, `m.yaml:1: key: is missing`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseMapping("m.yaml", []byte(c.text))
			var problems order.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want problems", err)
			}
			if got, want := problems.Error(), strings.Join(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAMappingReadsTimesAsItsFilesWriteThem(t *testing.T) {
	m, err := ParseMapping("m.yaml", []byte(wideMapping))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{ // "" : none
		"2024-05-01 12:00:00":       "2024-05-01T09:00:00Z",
		"2024-05-01 12:00:00.25":    "2024-05-01T09:00:00.25Z",
		"01.05.2024":                "2024-04-30T21:00:00Z",
		"2024-05-01T12:00:00+01:00": "2024-05-01T11:00:00Z",
		"0001-01-01 00:00:00":       "",
		"9999-12-31 23:59:59":       "",
		"2024-05-01":                "",
		"soon":                      "",
	}
	for text, want := range cases {
		got := ""
		if at, ok := m.ParseTime(text); ok {
			got = stamp(at)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestALogOfOneSystemNeedsNoMapping(t *testing.T) {
	flow, err := order.ParseFlow("flow.yaml", []byte(strings.NewReplacer("mes/SEEN", "shop/SEEN", ", mes/*", "").Replace(shopFlow)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := StandardMapping(flow)
	if err != nil || m.System != "shop" || m.Key.Name != "other" || m.Layout != LayoutXES {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := StandardMapping(parseFlow(t)); err == nil || !strings.Contains(err.Error(), "shop and mes") {
		t.Errorf("two systems: %v", err)
	}
}

func FuzzParseMapping(f *testing.F) {
	f.Add([]byte(ocelMapping))
	f.Add([]byte("layout: xes\nlifecycle: [a]\nattributes: [{attribute: a, scope: trace, name: due}]\n"))
	f.Add([]byte(wideMapping))
	f.Add([]byte(longMapping))
	f.Add([]byte("key: [{a: *b}]\nevents: {x: 1}\n? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMapping("m.yaml", data)
		var problems order.Problems
		switch {
		case (m == nil) != (err != nil):
			t.Fatalf("mapping %v, error %v", m, err)
		case err == nil:
			if len(m.columns()) < 2 && (m.Layout == LayoutWide || m.Layout == LayoutLong) || len(m.TimeLayouts) == 0 {
				t.Fatalf("a valid mapping that reads nothing: %+v", m)
			}
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Fatalf("an error without problems: %v", err)
		}
	})
}
