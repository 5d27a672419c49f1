package replay

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/order"
)

// document collects what is wrong while a YAML tree is read, so that all of it is reported at once.
type document struct {
	file     string
	problems order.Problems
}

// field is one place of a document. An absent one (no node) reads as zero, without a problem.
type field struct {
	doc  *document
	node *yaml.Node
	path string
	line int
}

func (f field) fail(format string, args ...any) {
	f.doc.problems = append(f.doc.problems, order.Problem{
		File: f.doc.file, Line: f.line, Path: f.path, Message: fmt.Sprintf(format, args...),
	})
}

func (f field) child(node *yaml.Node, line int, path string) field {
	c := field{f.doc, node, path, line}
	if node != nil && node.Kind == yaml.AliasNode {
		c.fail("anchors are not supported: write the value out")
		c.node = nil
	}
	return c
}

// object reads a mapping with these fields and no others; a name with a "!" must be there.
// The result has every name, absent ones without a node.
func (f field) object(names ...string) members {
	members := members{}
	if f.node != nil && f.node.Kind != yaml.MappingNode {
		f.fail("must be a mapping of names to values")
		f.node = nil
	}
	prefix := strings.TrimPrefix(f.path+".", ".")
	for i := 0; f.node != nil && i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		member := f.child(value, key.Line, prefix+key.Value)
		switch _, twice := members[key.Value]; {
		case !slices.Contains(names, key.Value) && !slices.Contains(names, key.Value+"!"):
			member.fail("unknown field")
		case twice:
			member.fail("given twice")
		default:
			members[key.Value] = member
		}
	}
	for _, name := range names {
		plain := strings.TrimSuffix(name, "!")
		if _, ok := members[plain]; ok {
			continue
		}
		members[plain] = f.child(nil, f.line, prefix+plain)
		if plain != name && f.node != nil {
			members[plain].fail("is missing")
		}
	}
	return members
}

func (f field) list() []field {
	if f.node == nil {
		return nil
	}
	if f.node.Kind != yaml.SequenceNode {
		f.fail("must be a list")
		return nil
	}
	out := make([]field, len(f.node.Content))
	for i, node := range f.node.Content {
		out[i] = f.child(node, node.Line, fmt.Sprintf("%s[%d]", f.path, i))
	}
	return out
}

// text reads a scalar as it is written; an empty one is a problem.
func (f field) text() string {
	switch {
	case f.node == nil:
		return ""
	case f.node.Kind != yaml.ScalarNode:
		f.fail("must be a single value")
		return ""
	case f.node.Value == "" || f.node.ShortTag() == "!!null":
		f.fail("has no value")
		return ""
	}
	return f.node.Value
}

func (f field) oneOf(values ...string) string {
	text := f.text()
	if text != "" && !slices.Contains(values, text) {
		f.fail("%q is not one of %s", text, strings.Join(values, ", "))
		return ""
	}
	return text
}
