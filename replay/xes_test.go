package replay

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const xesMapping = `system: shop
key: {name: shop}
attributes:
  - {attribute: deadline, scope: trace, name: due}
  - {attribute: way, name: channel}
`

func readXES(t testing.TB, mapping string, text io.Reader) []string {
	t.Helper()
	r, err := NewXES("f.xes", text, parse(t, mapping), []string{"due"})
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, r)
}

// event writes an event of a name and an hour of 2024-05-01.
func event(name, hour string) string {
	return `<event><string key="concept:name" value="` + name + `"/><date key="time:timestamp" value="2024-05-01T` + hour + `:00:00Z"/></event>` + "\n"
}

func TestXES(t *testing.T) {
	const bought = "3: 1 BOUGHT 2024-05-01T09:00:00Z"
	trace := func(inside string) string {
		return "<log>\n" + `<trace><string key="concept:name" value="1"/>` + "\n" + inside + "</trace></log>"
	}
	cases := map[string]struct {
		text string
		want []string
	}{
		"a trace is an order, its attributes come with its earliest event": {
			trace(`<date key="deadline" value="2024-05-09T00:00:00.000+02:00"/>` + event("SENT", "10") + event("BOUGHT", "09")),
			[]string{"3: 1 SENT 2024-05-01T10:00:00Z", "4: 1 BOUGHT 2024-05-01T09:00:00Z due=2024-05-08T22:00:00Z"},
		},
		"an event's attributes are its own, and only the mapping's": {
			trace(`<event><string key="way" value="web"/><string key="x" value="y"/>` + event("BOUGHT", "09")[len("<event>"):]),
			[]string{bought + " channel=web"},
		},
		"attributes inside others are not the event's": {
			trace(`<event><string key="x" value="y"><string key="concept:name" value="NO"/><list key="l"><values><date key="time:timestamp" value="1999-01-01T00:00:00Z"/></values></list></string>` + event("BOUGHT", "09")[len("<event>"):]),
			[]string{bought},
		},
		"a transition other than complete is part of the status, whatever its case": {
			trace(`<event><string key="lifecycle:transition" value="START"/>` + event("PACK", "08")[len("<event>"):] +
				`<event><string key="lifecycle:transition" value="COMPLETE"/>` + event("PACK", "09")[len("<event>"):]),
			[]string{"3: 1 PACK/start 2024-05-01T08:00:00Z", "4: 1 PACK 2024-05-01T09:00:00Z"},
		},
		"globals, classifiers and the log's own attributes are no events": {
			`<?xml version="1.0"?><log><extension name="Concept" prefix="concept" uri="u"/><global scope="event"><string key="concept:name" value="NO"/></global>` +
				`<float key="m" value="1"><float key="n" value="2"/></float>` + "\n\n" + `<trace><string key="concept:name" value="1"/>` + event("BOUGHT", "09") + `</trace></log>`,
			[]string{bought},
		},
		"comments, CDATA, a document type and instructions are passed over": {
			`<!DOCTYPE log [<!ENTITY a "<event>">]><log><!-- <event> -- > --><?x <event>?>` + "\n\n" +
				`<trace><![CDATA[<event>]]><string key="concept:name" value="1"/><!---->` + event("BOUGHT", "09") + `</trace></log>`,
			[]string{bought},
		},
		"references are read, unknown ones left": {
			trace(event("A &amp; B &lt;&#67;&#x44;&quot;&apos; &no; & &#0;", "09")), []string{`3: 1 A & B <CD"' &no; & &#0; 2024-05-01T09:00:00Z`},
		},
		"a namespace, single quotes, blanks and an end tag of its own": {
			"<x:log xmlns:x='u'>\n<x:trace>\n<x:event\n ><x:string  value = 'BOUGHT'  key\t=\n'concept:name' ></x:string ><x:date key='time:timestamp' value='2024-05-01T09:00:00Z' /></x:event>" +
				"<x:string key='concept:name' value='1'/></x:trace></x:log>",
			[]string{bought},
		},
		"times with and without fractions and offsets": {
			trace(`<event><string key="concept:name" value="A"/><date key="time:timestamp" value="2024-02-29T09:00:00.1234567891+0530"/></event>` +
				`<event><string key="concept:name" value="B"/><date key="time:timestamp" value="2024-05-01T09:00:00"/></event>` +
				`<event><string key="concept:name" value="C"/><date key="time:timestamp" value="2024-05-01 09:00:00"/></event>`),
			[]string{"3: 1 A 2024-02-29T03:30:00.123456789Z", "3: 1 B 2024-05-01T09:00:00Z", "3: 1 C 2024-05-01T09:00:00Z"},
		},
		"a broken event is counted and the others stay": {
			trace(`<event><date key="time:timestamp" value="2024-05-01T09:00:00Z"/></event>` + "\n" +
				`<event><string key="concept:name" value="A"/></event>` + "\n" +
				`<event><string key="concept:name" value="A"/><date key="time:timestamp" value="2023-02-29T09:00:00Z"/></event>` + "\n" +
				"<event><string key=\"concept:name\" value=\"\xff\"/><date key=\"time:timestamp\" value=\"2024-05-01T09:00:00Z\"/></event>\n" +
				`<event><string key="concept:name" value="A/><date key="time:timestamp" value="2024-05-01T09:00:00Z"/></event>` + "\n" +
				`<event><string key="concept:name" value="A"/>` + "\n" + event("BOUGHT", "09") + "<event/>"),
			[]string{
				"f.xes:3: empty status", "f.xes:4: unreadable time: it has none", `f.xes:5: unreadable time: "2023-02-29T09:00:00Z"`, "f.xes:6: not UTF-8",
				`f.xes:7: broken XML: near "<string key=\"concept:name\" value=\"A/><da"`, "f.xes:8: broken XML: the event has no end",
				"9: 1 BOUGHT 2024-05-01T09:00:00Z", "f.xes:10: empty status",
			},
		},
		"a trace without a name loses its events": {
			"<log><trace>" + event("BOUGHT", "09") + "</trace></log>", []string{"f.xes:1: empty key: the trace has no name"},
		},
		"an event outside a trace is no order's": {
			"<log>" + event("BOUGHT", "09") + "</log>", []string{"f.xes:1: empty key: an event outside a trace"},
		},
		"a trace without an end ends where the next begins": {
			"<log>\n\n" + `<trace><string key="concept:name" value="1"/>` + event("BOUGHT", "09") + `<trace><string key="concept:name" value="2"/>` + event("BOUGHT", "09") + "</trace></log>",
			[]string{bought, "4: 2 BOUGHT 2024-05-01T09:00:00Z"},
		},
		"a bad due time rejects nothing but itself": {
			trace(`<date key="deadline" value="soon"/>` + event("BOUGHT", "09")), []string{`f.xes:3: unreadable due time: deadline "soon"`, bought},
		},
		"a file that is cut off keeps its whole events": {
			strings.TrimSuffix(trace(event("BOUGHT", "09")+event("SENT", "10")), "</event>\n</trace></log>"),
			[]string{bought, "f.xes:4: the file breaks off: the log has no end"},
		},
		"a file that is cut off in a tag": {
			trace(event("BOUGHT", "09") + "<even")[:140], []string{"f.xes:3: the file breaks off: unexpected EOF"},
		},
		"another kind of XML": {"<html><p>x</p></html>", []string{"f.xes:1: broken XML: the file has no log in it"}},
		"an empty log":        {"<log/>", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := readXES(t, xesMapping, strings.NewReader(c.text)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestAMappingChoosesTransitionsAndKeys(t *testing.T) {
	const text = `<log><trace><string key="concept:name" value="1"/><string key="no" value="N1"/>
<event><string key="act" value="PACK"/><string key="lifecycle:transition" value="schedule"/><date key="when" value="2024-05-01T07:00:00Z"/></event>
<event><string key="act" value="PACK"/><string key="lifecycle:transition" value="Start"/><date key="when" value="2024-05-01T08:00:00Z"/></event>
<event><string key="act" value="PACK"/><date key="when" value="2024-05-01T09:00:00Z"/></event></trace></log>`
	want := []string{
		"f.xes:2: a lifecycle transition that the mapping does not name: schedule",
		"3: N1 PACK/start 2024-05-01T08:00:00Z", "4: N1 PACK 2024-05-01T09:00:00Z",
	}
	xesLayout := "layout: xes\nsystem: shop\nkey: {name: shop, column: no}\nstatus_column: act\ntime_column: when\nlifecycle: [START, complete]\n"
	if got := readXES(t, xesLayout, strings.NewReader(text)); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	long := "layout: long\nsystem: shop\nkey: {name: shop, column: \"case:no\"}\nstatus_column: act\ntime_column: when\n"
	if got := readXES(t, long, strings.NewReader(text)); !slices.Equal(got[1:], want[1:]) {
		t.Errorf("by a table's mapping, got\n%s", strings.Join(got, "\n"))
	}
}

func TestXESIsReadInItsEncoding(t *testing.T) {
	log := func(encoding, name string) string {
		return `<?xml version="1.0" encoding="` + encoding + `"?><log><trace><string key="concept:name" value="1"/>` + event(name, "09") + `</trace></log>`
	}
	cases := map[string]struct{ text, want string }{
		"UTF-8":            {log("UTF-8", "Größe"), "1: 1 Größe 2024-05-01T09:00:00Z"},
		"Latin 1":          {log("ISO-8859-1", "Gr\xf6\xdfe &amp;"), "1: 1 Größe & 2024-05-01T09:00:00Z"},
		"Cyrillic":         {log("windows-1251", "\xc7\xe0\xea\xe0\xe7"), "1: 1 Заказ 2024-05-01T09:00:00Z"},
		"not what it says": {log("UTF-8", "Gr\xf6\xdfe"), "f.xes:1: not UTF-8"},
		"not known here":   {log("EBCDIC", "Gr\xf6\xdfe"), "f.xes:1: not UTF-8"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := readXES(t, xesMapping, strings.NewReader(c.text)); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestALongTraceIsHandedOutInParts(t *testing.T) {
	text := `<log><trace><string key="concept:name" value="1"/>` + strings.Repeat(event("A", "09"), maxQueued+2) + `</trace></log>`
	r, err := NewXES("f.xes", strings.NewReader(text), parse(t, xesMapping), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; ; n++ {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e.Key != "1" || e.Row != n+1 {
			t.Fatalf("event %d: %+v, %v", n, e, err)
		}
	}
	if n != maxQueued+2 {
		t.Errorf("%d events", n)
	}
}

// FuzzXES reads any text: it comes to its end, and whatever is handed out is whole and does not depend on how
// the text arrives. Where the standard library reads the whole text as XML, nothing in it is broken markup.
func FuzzXES(f *testing.F) {
	f.Add(`<log><trace><string key="concept:name" value="1"/>` + event("A", "09") + `<event><string key="way" value="&#x41;"/></trace></log>`)
	f.Add(`<?xml version="1.0" encoding="windows-1251"?><!DOCTYPE a [<!-- ]> -->]><log><![CDATA[>]]><event/><trace/>`)
	f.Add(`<log><trace><string key='concept:name' value='1'/><event><list key="x"><string key="y" value="<"/></list></event>`)
	m := parse(f, xesMapping)
	f.Fuzz(func(t *testing.T, text string) {
		read := func(src io.Reader) []string {
			r, err := NewXES("f.xes", src, m, []string{"due"})
			if err != nil {
				t.Fatal(err)
			}
			return lines(t, r)
		}
		whole := read(strings.NewReader(text))
		if slow := read(iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(whole, slow) {
			t.Fatalf("whole %q, by single bytes %q", whole, slow)
		}
		oracle := xml.NewDecoder(strings.NewReader(text))
		var err error
		for err == nil {
			_, err = oracle.Token()
		}
		if errors.Is(err, io.EOF) && slices.ContainsFunc(whole, func(s string) bool { return strings.Contains(s, ": broken XML: near") }) {
			t.Fatalf("good XML, but got %q", whole)
		}
	})
}

func TestXESFromASourceThatFailsKeepsWhatWasRead(t *testing.T) {
	text := `<log><trace><string key="concept:name" value="1"/>` + event("A", "09") + event("B", "10")[:60]
	got := readXES(t, xesMapping, io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("disk on fire"))))
	want := []string{"1: 1 A 2024-05-01T09:00:00Z", "f.xes:2: the file breaks off: disk on fire"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
