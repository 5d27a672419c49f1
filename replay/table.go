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

// rowSource hands out the rows of one file.
type rowSource interface {
	// next reads a row. After a *Rejection, whose file and row are not set, reading goes on; io.EOF and other
	// errors are final.
	next() error
	cells() [][]byte // of the current row, valid until the next call of next
	place() int      // line on which the current row starts, from 1
}

// table reads the events of one file's rows; wide and long say which events a row holds.
type table struct {
	file    string
	mapping *Mapping
	clock   clock
	values  *values
	words   *words
	rows    rowSource
	width   int
	used    []int // columns that are read
	key     int
	states  []int
	attrs   []int
	row     func() // queues the current row's events and rejections
	lastKey string
	queue   []result
	at      int
	done    bool
}

// result is what Next returns.
type result struct {
	event Event
	err   *Rejection
}

// NewCSV returns the Reader of a table after the mapping, of layout wide or long. Values of the attributes in
// dues are instants: they are read as the file's other times and handed on in RFC 3339, UTC. The error lists
// every column that is missing or ambiguous. file serves the messages only.
func NewCSV(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	if m.Layout != LayoutWide && m.Layout != LayoutLong {
		return nil, fmt.Errorf("%s is a table: the mapping's layout must be %s or %s", file, LayoutWide, LayoutLong)
	}
	lines := &csvRows{newScanner(r)}
	header, err := lines.header(m)
	if err != nil {
		return nil, fmt.Errorf("read header of %s: %w", file, err)
	}
	return newTable(file, lines, header, m, dues), nil
}

func newTable(file string, lines rowSource, columns []string, m *Mapping, dues []string) *table {
	t := &table{file: file, mapping: m, rows: lines, words: newWords(), clock: clock{m.TimeLayouts, m.Timezone}}
	t.values = newValues(&t.clock, dues)
	column := func(name string) int { return slices.Index(columns, name) }
	t.width, t.key = len(columns), column(m.Key.Column)
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
	return t
}

// csvRows are the rows of a CSV file.
type csvRows struct{ scan *scanner }

func (c *csvRows) cells() [][]byte { return c.scan.fields }
func (c *csvRows) place() int      { return c.scan.row }

func (c *csvRows) next() error {
	switch err := c.scan.next(); {
	case errors.Is(err, errQuotes):
		return &Rejection{Reason: ReasonQuotes}
	case errors.Is(err, errTooLong):
		return &Rejection{Reason: ReasonTooLong, Detail: fmt.Sprintf("over %d bytes", maxRowBytes)}
	default:
		return err
	}
}

func (c *csvRows) header(m *Mapping) ([]string, error) {
	err := c.scan.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	var header, wrong []string
	for _, field := range c.scan.fields {
		header = append(header, string(field))
	}
	for _, name := range m.columns() {
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
		if t.done {
			return Event{}, io.EOF
		}
		t.queue, t.at = t.queue[:0], 0
		var rejection *Rejection
		switch err := t.rows.next(); {
		case err == nil:
			t.read()
		case errors.As(err, &rejection):
			t.reject(rejection.Reason, rejection.Detail)
		case errors.Is(err, io.EOF):
			t.done = true
		default:
			t.done = true
			t.reject(ReasonCut, err.Error())
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
	fields := t.rows.cells()
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
	t.queue = append(t.queue, result{err: &Rejection{File: t.file, Row: t.rows.place(), Reason: reason, Detail: detail}})
}

// rejectTime rejects the event of one cell.
func (t *table) rejectTime(column, text string) {
	t.reject(ReasonTime, column+" "+quote(text))
}

// emit queues an event of the current row.
func (t *table) emit(e Event) {
	e.Key, e.Row = t.lastKey, t.rows.place()
	t.queue = append(t.queue, result{event: e})
}

// emitStates queues the states that the current row is in.
func (t *table) emitStates() {
	for i, column := range t.states {
		if string(t.rows.cells()[column]) == t.mapping.States[i].Value {
			t.emit(Event{Status: t.mapping.States[i].Status, Last: true})
		}
	}
}

// attributes returns what the current row says of its order.
func (t *table) attributes() []order.Attr {
	var out []order.Attr
	for i, column := range t.attrs {
		text, name := t.rows.cells()[column], t.mapping.Attributes[i].Name
		if len(text) == 0 {
			continue
		}
		value, ok := t.values.value(name, t.words.word(text))
		if !ok {
			t.reject(ReasonDue, t.mapping.Attributes[i].Column+" "+quote(string(text)))
			continue
		}
		if out == nil {
			out = make([]order.Attr, 0, len(t.attrs))
		}
		out = append(out, order.Attr{Name: name, Value: value})
	}
	return out
}

// quote shows a cell in a message, cut to a bearable length.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
