package order_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(order.FlowSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("flow.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("flow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON reads a file as an editor does: by YAML's core schema, where a date is text.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return jsonValue(document.Content[0])
}

func jsonValue(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = jsonValue(n.Content[i+1])
		}
		return out
	case n.Kind == yaml.SequenceNode:
		out := []any{}
		for _, entry := range n.Content {
			out = append(out, jsonValue(entry))
		}
		return out
	case n.ShortTag() == "!!null":
		return nil
	case n.ShortTag() == "!!bool":
		return n.Value == "true"
	case n.ShortTag() == "!!int", n.ShortTag() == "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return v
		}
	}
	return n.Value
}

func TestTheSchemaAcceptsWhatTheParserAccepts(t *testing.T) {
	schema := compileSchema(t)
	for name, text := range map[string]string{
		"the example flow":     string(examples.Flow()),
		"one of everything":    base,
		"no optional section":  "version: 1\nflow: a\nkeys: [k]\nstages: [{name: s, kind: human, enter: [a/A], leave: [a/B c]}]\nfinish: [a/B c]\n",
		"a week over its end":  strings.Replace(base, "mon-fri", "sun-thu", 1),
		"days in a list":       strings.Replace(base, "mon-fri:", `"mon,wed-fri":`, 1),
		"a duration of three":  strings.Replace(base, "within: 5m", "within: 1h30m5s", 1),
		"a default broker way": strings.Replace(base, "exchange: mes.events, ", "", 1),
	} {
		t.Run(name, func(t *testing.T) {
			parse(t, text)
			if err := schema.Validate(asJSON(t, text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheSchemaRejectsWhatTheParserRejectsUnlessItRefers(t *testing.T) {
	schema := compileSchema(t)
	for name, bad := range badFiles {
		if bad.refers {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if err := schema.Validate(asJSON(t, bad.text(t))); err == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

// A field that one of the two knows and the other does not would be the first to drift.
func TestTheSchemaAndTheParserKnowTheSameFields(t *testing.T) {
	schema := compileSchema(t)
	stage := "stages: [{name: s, kind: handoff, enter: [a/A], leave: [a/B], %s}]"
	for name, section := range map[string]string{
		"top":      "zzz: 1",
		"calendar": "calendars: {c: {hours: {mon: [\"09:00-18:00\"]}, zzz: 1}}",
		"source":   "sources: [{name: s, reports: [], zzz: 1}]",
		"stage":    strings.Replace(stage, "%s", "zzz: 1", 1),
		"via":      strings.Replace(stage, "%s", "via: {queue: q, zzz: 1}", 1),
		"override": strings.Replace(stage, "%s", "overrides: [{when: {a: b}, within: 1h, zzz: 1}]", 1),
		"promise":  "promises: [{name: p, start: [a/A], stop: [a/B], within: 1h, zzz: 1}]",
		"incident": "incidents: {zzz: 1}",
		"capacity": "capacity: [{stage: s, servers: 1, zzz: 1}]",
	} {
		t.Run(name, func(t *testing.T) {
			text := "version: 1\nflow: a\nkeys: [k]\nfinish: [a/B]\n" + section + "\n"
			if !strings.HasPrefix(section, "stages") {
				text += strings.Replace(stage, ", %s", "", 1) + "\n"
			}
			_, err := order.ParseFlow("f", []byte(text))
			if err == nil || !strings.Contains(err.Error(), "unknown field") || strings.Contains(err.Error(), "\n") {
				t.Errorf("parser: %v", err)
			}
			if schema.Validate(asJSON(t, text)) == nil {
				t.Error("the schema accepts it")
			}
			if err := schema.Validate(asJSON(t, strings.NewReplacer(", zzz: 1", "", "zzz: 1", "").Replace(text))); err != nil {
				t.Errorf("the schema rejects what is left: %v", err)
			}
		})
	}
}
