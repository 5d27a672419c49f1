package replay

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/order"
)

// ParseMapping reads a mapping file. Its error is an order.Problems: everything wrong in the file,
// by line. The file's name serves the messages only.
func ParseMapping(file string, data []byte) (*Mapping, error) {
	doc := &document{file: file}
	root := field{doc: doc, line: 1}
	var node, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&node); {
	case errors.Is(err, io.EOF):
		root.fail("the file is empty")
	case err != nil:
		root.failYAML(err)
	case len(node.Content) != 1:
		root.fail("the file is empty")
	case !errors.Is(decoder.Decode(&more), io.EOF):
		root.fail("after its first document the file must end")
	default:
		root = root.child(node.Content[0], 1, "")
	}
	if root.node == nil {
		return nil, doc.problems
	}
	m := root.mapping()
	if len(doc.problems) > 0 {
		slices.SortStableFunc(doc.problems, func(a, b order.Problem) int { return cmp.Compare(a.Line, b.Line) })
		return nil, doc.problems
	}
	return m, nil
}

// failYAML reports an error of the YAML library, whose text begins with the line where it knows it.
func (f field) failYAML(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if n, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok {
		if line, err := strconv.Atoi(n); err == nil {
			f.line, text = line, rest
		}
	}
	f.fail("is not YAML: %s", text)
}

func (f field) mapping() *Mapping {
	o := f.object("layout", "system!", "key!", "timezone", "time_layouts", "events",
		"status_column", "time_column", "states", "attributes", "lifecycle", "object_type", "via")
	key := o["key"].object("name!", "column")
	m := &Mapping{
		Layout:       Layout(o["layout"].oneOf(string(LayoutWide), string(LayoutLong), string(LayoutXES), string(LayoutOCEL))),
		System:       o["system"].system(),
		Key:          KeyColumn{key["name"].text(), key["column"].text()},
		Timezone:     o["timezone"].zone(),
		TimeLayouts:  o["time_layouts"].layouts(),
		Events:       o["events"].events(),
		StatusColumn: o["status_column"].text(),
		TimeColumn:   o["time_column"].text(),
		States:       o["states"].states(),
		Lifecycle:    o["lifecycle"].lifecycle(),
		ObjectType:   o["object_type"].text(),
		Via:          o["via"].texts(),
	}
	switch {
	case o["layout"].node == nil && f.node != nil:
		m.Layout = LayoutXES
	case m.Layout == "":
		return m // what belongs to it is not known
	}
	m.Attributes = o["attributes"].attributes(m.Layout)
	o["key.column"] = key["column"]
	o.fit(m.Layout, o["key"].node != nil)
	return m
}

// members are the fields of an object by name.
type members map[string]field

// fit holds the fields to the layout.
func (o members) fit(layout Layout, keyed bool) {
	const table = "wide long"
	for _, rule := range []struct{ field, in, needed string }{
		{"events", "wide", "wide"},
		{"status_column", "long xes", "long"},
		{"time_column", "long xes", "long"},
		{"states", table, ""},
		{"lifecycle", "xes", ""},
		{"object_type", "ocel", "ocel"},
		{"via", "ocel", ""},
		{"key.column", "wide long xes ocel", table},
	} {
		f := o[rule.field]
		switch {
		case !slices.Contains(strings.Fields(rule.in), string(layout)):
			f.excluded(string(layout))
		case slices.Contains(strings.Fields(rule.needed), string(layout)) && (keyed || rule.field != "key.column"):
			f.required(string(layout))
		}
	}
}

func (f field) required(layout string) {
	switch {
	case f.node == nil:
		f.fail("is missing: layout %s needs it", layout)
	case f.node.Kind == yaml.SequenceNode && len(f.node.Content) == 0:
		f.fail("must not be empty")
	}
}

func (f field) excluded(layout string) {
	if f.node != nil {
		f.fail("does not belong to layout %s", layout)
	}
}

func (f field) system() string {
	name := f.text()
	if strings.Contains(name, "/") {
		f.fail("%q must not have a slash", name)
	}
	return name
}

func (f field) zone() *time.Location {
	name := f.text()
	if name == "" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		f.fail("%q is not a time zone such as Europe/Moscow", name)
		return time.UTC
	}
	return zone
}

func (f field) layouts() []string {
	if f.node == nil {
		return slices.Clone(defaultTimeLayouts[:])
	}
	f.required("") // an empty list
	var out []string
	for _, entry := range f.list() {
		layout := entry.text()
		switch {
		case layout == "":
		case strings.Contains(layout, "MST"):
			entry.fail("%q: abbreviations of time zones are ambiguous; give the offset as -0700, or set timezone", layout)
		case !dated(layout):
			entry.fail("%q does not tell year, month and day; write how 2006-01-02 15:04:05 would look", layout)
		default:
			out = append(out, layout)
		}
	}
	return out
}

func (f field) events() []EventColumn {
	var out []EventColumn
	for _, entry := range f.list() {
		o := entry.object("column!", "status!")
		e := EventColumn{o["column"].text(), o["status"].text()}
		if e.Column != "" && slices.Contains(out, e) {
			entry.fail("column %q gives %s already", e.Column, e.Status)
		}
		out = append(out, e)
	}
	return out
}

func (f field) states() []StateColumn {
	var out []StateColumn
	for _, entry := range f.list() {
		o := entry.object("column!", "value!", "status!", "at!")
		s := StateColumn{o["column"].text(), o["value"].text(), o["status"].text()}
		o["at"].oneOf("last")
		if s.Column != "" && slices.ContainsFunc(out, func(x StateColumn) bool { return x.Column == s.Column && x.Value == s.Value }) {
			entry.fail("the value %q of column %q has a status already", s.Value, s.Column)
		}
		out = append(out, s)
	}
	return out
}

// attributeName is what can stand in an attribute's name on the wire.
var attributeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

func (f field) attributes(layout Layout) []AttributeColumn {
	var out []AttributeColumn
	for _, entry := range f.list() {
		o := entry.object("column", "attribute", "name!", "scope")
		a := AttributeColumn{o["column"].text(), o["name"].text(), ""}
		if layout == LayoutXES || layout == LayoutOCEL {
			o["column"].excluded(string(layout))
			o["attribute"].required(string(layout))
			a.Column, a.Scope = o["attribute"].text(), o["scope"].scope(layout)
		} else {
			o["attribute"].excluded(string(layout))
			o["scope"].excluded(string(layout))
			if entry.node.Kind == yaml.MappingNode {
				o["column"].required(string(layout))
			}
		}
		switch {
		case a.Name == "":
		case !attributeName.MatchString(a.Name):
			o["name"].fail("%q is not a name: use letters, digits, - _ and .", a.Name)
		case slices.ContainsFunc(out, func(x AttributeColumn) bool { return x.Name == a.Name }):
			o["name"].fail("%q is given twice", a.Name)
		}
		out = append(out, a)
	}
	return out
}

func (f field) scope(layout Layout) Scope {
	whole := ScopeTrace
	if layout == LayoutOCEL {
		whole = ScopeObject
	}
	return cmp.Or(Scope(f.oneOf(string(ScopeEvent), string(whole))), ScopeEvent)
}

func (f field) texts() []string {
	var out []string
	for _, entry := range f.list() {
		out = append(out, entry.text())
	}
	return out
}

func (f field) lifecycle() []string {
	if f.node == nil {
		return nil
	}
	f.required("") // an empty list
	var out []string
	for _, text := range f.texts() {
		out = append(out, strings.ToLower(text))
	}
	return out
}
