package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonRows are the lines of a JSONL file, as a table with the mapping's columns.
type jsonRows struct {
	scan    *scanner
	columns []path
	fields  [][]byte
	text    []byte
}

// path is a column's way into an object: the name of a member, or names and places in lists between dots.
type path struct {
	whole string
	steps []string
}

// NewJSONL returns the Reader of a text with one JSON object a line after a mapping of layout wide or long.
// A column is the name of a member or the path to one inside others: order.items.0.id. What is not there,
// null, a list or an object reads as an empty cell. dues is as for NewCSV, file serves the messages only.
func NewJSONL(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	if m.Layout != LayoutWide && m.Layout != LayoutLong {
		return nil, fmt.Errorf("%s is JSON, an object a line: the mapping's layout must be %s or %s, or %s for OCEL", file, LayoutWide, LayoutLong, LayoutOCEL)
	}
	j := &jsonRows{scan: newScanner(r)}
	columns := m.columns()
	for _, name := range columns {
		j.columns = append(j.columns, path{name, strings.Split(strings.TrimPrefix(name, "$."), ".")})
	}
	j.fields = make([][]byte, len(columns))
	return newTable(file, j, columns, m, dues), nil
}

func (j *jsonRows) cells() [][]byte { return j.fields }
func (j *jsonRows) place() int      { return j.scan.row }

func (j *jsonRows) next() error {
	for {
		line, err := j.scan.nextLine()
		switch {
		case errors.Is(err, errTooLong):
			return &Rejection{Reason: ReasonTooLong, Detail: fmt.Sprintf("over %d bytes", maxRowBytes)}
		case err != nil:
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return j.read(line)
		}
	}
}

func (j *jsonRows) read(line []byte) error {
	if !utf8.Valid(line) {
		return &Rejection{Reason: ReasonEncoding}
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber() // a long order number is no float
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return &Rejection{Reason: ReasonJSON, Detail: wrong(err)}
	}
	if object == nil || d.More() {
		return &Rejection{Reason: ReasonJSON, Detail: "a line must be one object"}
	}
	j.text = j.text[:0]
	for i := range j.columns {
		start := len(j.text)
		j.text = append(j.text, textOf(j.columns[i].in(object))...)
		j.fields[i] = j.text[start:len(j.text):len(j.text)]
	}
	return nil
}

// in returns what the path leads to, nil where it leads nowhere. A member whose name has the dots wins.
func (p *path) in(object map[string]any) any {
	if value, ok := object[p.whole]; ok {
		return value
	}
	var at any = object
	for _, step := range p.steps {
		switch x := at.(type) {
		case map[string]any:
			at = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			at = x[i]
		default:
			return nil
		}
	}
	return at
}

// textOf writes a single JSON value as a cell.
func textOf(value any) string {
	switch x := value.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
