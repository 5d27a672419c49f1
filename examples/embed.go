// Package examples owns the example files that the program carries with it. They are read-only text.
package examples

import _ "embed"

// FlowName is the name under which problems in Flow are reported.
const FlowName = "examples/alexandrite/flow.yaml"

// Flow returns the default flow file, that of Alexandrite.
func Flow() []byte { return []byte(flow) }

//go:embed alexandrite/flow.yaml
var flow string
