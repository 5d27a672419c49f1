package order

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// reader collects what is wrong while a YAML tree is read, so that all of it is reported at once.
type reader struct {
	file     string
	problems Problems
	warnings []Problem
}

// field is one place of the file. Reading an absent field (no node) gives a zero value and no
// problem; reading a wrong one gives a zero value and one.
type field struct {
	r    *reader
	node *yaml.Node
	path string
	line int
}

// object is a mapping whose fields are known.
type object struct {
	field
	members map[string]field
}

func (f field) fail(format string, args ...any) {
	f.r.problems = append(f.r.problems, Problem{f.r.file, f.line, f.path, fmt.Sprintf(format, args...)})
}

func (f field) warn(format string, args ...any) {
	f.r.warnings = append(f.r.warnings, Problem{f.r.file, f.line, f.path, fmt.Sprintf(format, args...)})
}

func (f field) present() bool { return f.node != nil }

func (f field) isMapping() bool {
	return f.present() && f.node.Kind == yaml.MappingNode && f.node.ShortTag() == "!!map"
}

// at makes the field of a node below f.
func (f field) at(node *yaml.Node, path string) field {
	child := field{f.r, node, path, node.Line}
	if node.Kind == yaml.AliasNode {
		child.fail("anchors are not supported: write the value out")
		child.node = nil
	}
	return child
}

func (f field) join(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// pairs returns the members of a mapping in file order, without those given twice.
func (f field) pairs() (names []string, members map[string]field) {
	members = map[string]field{}
	if !f.present() {
		return nil, members
	}
	if !f.isMapping() {
		f.fail("must be a mapping of names to values")
		return nil, members
	}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		place := field{f.r, nil, f.join(key.Value), key.Line}
		first, twice := members[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			f.fail("line %d: a name must be plain text", key.Line)
		case twice:
			place.fail("given twice, first on line %d", first.line)
		default:
			names = append(names, key.Value)
			member := f.at(value, place.path)
			member.line = key.Line
			members[key.Value] = member
		}
	}
	return names, members
}

// object reads a mapping that may have these fields and no others.
func (f field) object(known ...string) object {
	names, members := f.pairs()
	for _, name := range names {
		if !slices.Contains(known, name) {
			members[name].fail("unknown field%s", suggest(name, known))
		}
	}
	return object{f, members}
}

// get returns a field of the object, absent or not.
func (o object) get(name string) field {
	if f, ok := o.members[name]; ok {
		return f
	}
	return field{o.r, nil, o.join(name), o.line}
}

// need is as get, for a field that must be there.
func (o object) need(name string) field {
	f, ok := o.members[name]
	if !ok {
		f = o.get(name)
		if o.isMapping() {
			f.fail("is missing")
		}
	}
	return f
}

func (f field) list() []field {
	if !f.present() {
		return nil
	}
	if f.node.Kind != yaml.SequenceNode || f.node.ShortTag() != "!!seq" {
		f.fail("must be a list, in brackets or with a dash before each entry")
		return nil
	}
	var out []field
	for i, node := range f.node.Content {
		if entry := f.at(node, fmt.Sprintf("%s[%d]", f.path, i)); entry.present() {
			out = append(out, entry)
		}
	}
	return out
}

// needList is as list, for one that must have an entry.
func (f field) needList() []field {
	entries := f.list()
	if f.present() && f.node.Kind == yaml.SequenceNode && len(f.node.Content) == 0 {
		f.fail("must not be empty")
	}
	return entries
}

// scalar returns a value as written, whatever YAML takes it for.
func (f field) scalar() (string, bool) {
	if !f.present() {
		return "", false
	}
	if f.node.Kind != yaml.ScalarNode {
		f.fail("must be a single value")
		return "", false
	}
	if f.node.ShortTag() == "!!null" {
		f.fail("has no value")
		return "", false
	}
	return f.node.Value, true
}

const maxTextBytes = 200

func (f field) text() string {
	text, ok := f.scalar()
	switch {
	case !ok:
		return ""
	case !slices.Contains([]string{"!!str", "!!timestamp"}, f.node.ShortTag()):
		f.fail("%s is not text: put it in quotes", text)
	case strings.TrimSpace(text) != text || text == "":
		f.fail("%q is empty or has blanks around it", text)
	case len(text) > maxTextBytes:
		f.fail("is longer than %d bytes", maxTextBytes)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		f.fail("%q has characters that cannot be printed", text)
	default:
		return text
	}
	return ""
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

// name reads text that can stand in a label, an attribute name and an address.
func (f field) name() string {
	text := f.text()
	if text != "" && !namePattern.MatchString(text) {
		f.fail("%q is not a name: use up to 63 letters, digits, - _ and ., with a letter or digit first", text)
		return ""
	}
	return text
}

func (f field) flag() bool {
	text, ok := f.scalar()
	if ok && f.node.ShortTag() != "!!bool" {
		f.fail("%q must be true or false", text)
		return false
	}
	return strings.EqualFold(text, "true")
}

func (f field) integer(low, high int) int {
	text, ok := f.scalar()
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || f.node.ShortTag() != "!!int" || n < low || n > high {
		f.fail("%q must be a whole number from %d to %d", text, low, high)
		return 0
	}
	return n
}

// share reads a number between 0 and 1, both excluded.
func (f field) share() float64 {
	text, ok := f.scalar()
	if !ok {
		return 0
	}
	v, err := strconv.ParseFloat(text, 64)
	if tag := f.node.ShortTag(); err != nil || tag != "!!float" && tag != "!!int" || !(v > 0 && v < 1) {
		f.fail("%q must be a number between 0 and 1, for example 0.95", text)
		return 0
	}
	return v
}

func (f field) span() Span {
	text, ok := f.scalar()
	if !ok {
		return Span{}
	}
	span, err := ParseSpan(text)
	if err != nil {
		f.fail("%v", err)
	}
	return span
}

// names reads the entries of a list, all different.
func names(entries []field, read func(field) string) []string {
	var out []string
	for _, entry := range entries {
		switch name := read(entry); {
		case name == "":
		case slices.Contains(out, name):
			entry.fail("%q is in the list twice", name)
		default:
			out = append(out, name)
		}
	}
	return out
}

// suggest ends an "unknown …" message: with the nearest known word, if one is near.
func suggest(word string, known []string) string {
	best, distance := "", 1+len(word)/3
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return ": known are " + strings.Join(known, ", ")
}

// editDistance is Levenshtein's, over bytes; long words are cut, a suggestion is all it serves.
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}
