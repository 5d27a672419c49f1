// Package config turns orderwatch.yaml and sidecar.yaml into validated values: defaults, then a
// strict decode, then validation; what is wrong comes all at once, each with its file, line and
// field path. A value that Load returned without error can be used as it is.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/order"
)

// decode reads one YAML document strictly over the defaults in into, and adds what validate finds.
// The errors of validate begin with a field path and a colon.
func decode(file string, data []byte, into any, validate func() []error) error {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return order.Problems{syntaxProblem(file, err)}
	}
	var problems order.Problems
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var typed *yaml.TypeError
	switch err := decoder.Decode(into); {
	case err == nil || errors.Is(err, io.EOF):
	case errors.As(err, &typed):
		for _, text := range typed.Errors {
			problems = append(problems, typeProblem(file, text))
		}
	default:
		problems = append(problems, syntaxProblem(file, err))
	}
	for _, err := range validate() {
		path, message, _ := strings.Cut(err.Error(), ": ")
		problems = append(problems, order.Problem{File: file, Line: lineOf(&root, path), Path: path, Message: message})
	}
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b order.Problem) int { return a.Line - b.Line })
	return problems
}

// syntaxProblem takes the line out of the YAML library's "yaml: line 3: …".
func syntaxProblem(file string, err error) order.Problem {
	return typeProblem(file, strings.TrimPrefix(err.Error(), "yaml: "))
}

// typeProblem takes the line out of "line 3: …" and says an unknown field in our words.
func typeProblem(file, text string) order.Problem {
	line := 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, text = n, message
			}
		}
	}
	if name, ok := strings.CutPrefix(text, "field "); ok {
		if name, _, ok := strings.Cut(name, " not found in type"); ok {
			text = fmt.Sprintf("unknown field %q", name)
		}
	}
	return order.Problem{File: file, Line: line, Message: text}
}

// lineOf returns the line of the field, or of the nearest field around it that the file has.
func lineOf(root *yaml.Node, path string) int {
	if len(root.Content) == 0 {
		return 1
	}
	node := root.Content[0]
	line := node.Line
	for _, step := range steps(path) {
		next, at := child(node, step)
		if next == nil {
			return line
		}
		node, line = next, at
	}
	return line
}

// steps splits taps[2].map into taps, 2, map.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

func child(node *yaml.Node, step string) (*yaml.Node, int) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
	}
	return nil, 0
}

// under puts a section's name before the field paths of its problems.
func under(section string, problems []error) []error {
	for i, err := range problems {
		problems[i] = fmt.Errorf("%s.%w", section, err)
	}
	return problems
}
