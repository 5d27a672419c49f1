package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
)

// table reads the rows of one CSV file; wide and long say which events a row holds.
type table struct {
	file    string
	mapping *Mapping
	clock   clock
	dues    map[string]bool // attributes that are instants
	scan    *scanner
	width   int
	used    []int // columns that are read
	key     int
	states  []int
	attrs   []int
	row     func() // queues the current row's events and rejections
	lastKey string
	words   map[string]string
	queue   []result
	at      int
}

// result is what Next returns.
type result struct {
	event Event
	err   *Rejection
}

// NewCSV returns the Reader of a table after the mapping. Values of the attributes in dues are
// instants: they are read as the file's other times and handed on in RFC 3339, UTC. The error lists
// every column that is missing or ambiguous. file serves the messages only.
func NewCSV(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	t := &table{
		file: file, mapping: m, scan: newScanner(r), words: map[string]string{},
		clock: clock{m.TimeLayouts, m.Timezone}, dues: map[string]bool{},
	}
	for _, name := range dues {
		t.dues[name] = true
	}
	header, err := t.header()
	if err != nil {
		return nil, fmt.Errorf("read header of %s: %w", file, err)
	}
	column := func(name string) int { return slices.Index(header, name) }
	t.width, t.key = len(header), column(m.Key.Column)
	for _, name := range m.columns() {
		t.used = append(t.used, column(name))
	}
	for _, s := range m.States {
		t.states = append(t.states, column(s.Column))
	}
	for _, a := range m.Attributes {
		t.attrs = append(t.attrs, column(a.Column))
	}
	if m.Layout == LayoutWide {
		t.row = t.wide(column)
	} else {
		t.row = t.long(column)
	}
	return t, nil
}

func (t *table) header() ([]string, error) {
	err := t.scan.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	var header, wrong []string
	for _, field := range t.scan.fields {
		header = append(header, string(field))
	}
	for _, name := range t.mapping.columns() {
		first := slices.Index(header, name)
		switch {
		case first < 0:
			wrong = append(wrong, fmt.Sprintf("no column %q", name))
		case slices.Contains(header[first+1:], name):
			wrong = append(wrong, fmt.Sprintf("column %q is there twice", name))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, ", "))
	}
	return header, nil
}

func (t *table) Next() (Event, error) {
	for t.at == len(t.queue) {
		t.queue, t.at = t.queue[:0], 0
		switch err := t.scan.next(); {
		case err == nil:
			t.read()
		case errors.Is(err, errQuotes):
			t.reject(ReasonQuotes, "")
		case errors.Is(err, errTooLong):
			t.reject(ReasonTooLong, fmt.Sprintf("over %d bytes", maxRowBytes))
		case errors.Is(err, io.EOF):
			return Event{}, io.EOF
		default:
			return Event{}, fmt.Errorf("read %s after line %d: %w", t.file, t.scan.line, err)
		}
	}
	next := t.queue[t.at]
	t.at++
	if next.err != nil {
		return Event{}, next.err
	}
	return next.event, nil
}

// read queues what the current row holds.
func (t *table) read() {
	fields := t.scan.fields
	if len(fields) != t.width {
		t.reject(ReasonFields, fmt.Sprintf("%d, the header has %d", len(fields), t.width))
		return
	}
	for _, i := range t.used {
		if !utf8.Valid(fields[i]) {
			t.reject(ReasonEncoding, "")
			return
		}
	}
	if len(fields[t.key]) == 0 {
		t.reject(ReasonKey, "")
		return
	}
	if string(fields[t.key]) != t.lastKey {
		t.lastKey = string(fields[t.key])
	}
	t.row()
}

func (t *table) reject(reason Reason, detail string) {
	t.queue = append(t.queue, result{err: &Rejection{File: t.file, Row: t.scan.row, Reason: reason, Detail: detail}})
}

// rejectTime rejects the event of one cell.
func (t *table) rejectTime(column, text string) {
	t.reject(ReasonTime, column+" "+quote(text))
}

// emit queues an event of the current row.
func (t *table) emit(e Event) {
	e.Key, e.Row = t.lastKey, t.scan.row
	t.queue = append(t.queue, result{event: e})
}

// emitStates queues the states that the current row is in.
func (t *table) emitStates() {
	for i, column := range t.states {
		if string(t.scan.fields[column]) == t.mapping.States[i].Value {
			t.emit(Event{Status: t.mapping.States[i].Status, Last: true})
		}
	}
}

// attributes returns what the current row says of its order.
func (t *table) attributes() []order.Attr {
	var out []order.Attr
	for i, column := range t.attrs {
		text, name := t.scan.fields[column], t.mapping.Attributes[i].Name
		if len(text) == 0 {
			continue
		}
		value := t.word(text)
		if t.dues[name] {
			due, ok := t.due(value)
			if !ok {
				t.reject(ReasonDue, t.mapping.Attributes[i].Column+" "+quote(value))
				continue
			}
			value = due
		}
		if out == nil {
			out = make([]order.Attr, 0, len(t.attrs))
		}
		out = append(out, order.Attr{Name: name, Value: value})
	}
	return out
}

func (t *table) due(text string) (string, bool) {
	at, ok := t.clock.parse(text)
	if !ok {
		return "", false
	}
	return stamp(at), true
}

// maxWords bounds the words that are kept once for all rows.
const maxWords = 10_000

// word returns the text as a string, the same one for the same text where there are few different ones.
func (t *table) word(text []byte) string {
	if word, ok := t.words[string(text)]; ok {
		return word
	}
	word := string(text)
	if len(t.words) < maxWords {
		t.words[word] = word
	}
	return word
}

// quote shows a cell in a message, cut to a bearable length.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
