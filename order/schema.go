package order

import _ "embed"

// FlowSchema returns the JSON Schema (2020-12) of the flow file, for editors. It knows the form;
// what refers to something else in the file only ParseFlow can check.
func FlowSchema() []byte { return []byte(flowSchema) }

//go:embed flow.schema.json
var flowSchema string
