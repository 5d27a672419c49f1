package collector

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// Values of OTLP nest, and the decoders recurse: some megabytes of brackets overflow the stack,
// which no recover catches. What nests deeper than any sender's attributes is refused unread.
const maxDepth = 64

var (
	errTooDeep   = errors.New("values nest too deep")
	errMalformed = errors.New("malformed protobuf")
)

// jsonDepth checks the nesting of a JSON text, which need not be valid.
func jsonDepth(text []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return errTooDeep
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// node is a message type of OTLP logs, as far as it leads to values.
type node uint8

const (
	nodeNone node = iota
	nodeRequest
	nodeResourceLogs
	nodeResource
	nodeScopeLogs
	nodeScope
	nodeRecord
	nodeKeyValue
	nodeValue
	nodeArray
	nodeList
)

// child returns the type of a field, nodeNone where no values are below it.
func (n node) child(field protowire.Number) node {
	switch n {
	case nodeRequest:
		return pick(field == 1, nodeResourceLogs)
	case nodeResourceLogs:
		if field == 1 {
			return nodeResource
		}
		return pick(field == 2 || field == 1000, nodeScopeLogs) // 1000: its name of before
	case nodeResource:
		return pick(field == 1, nodeKeyValue)
	case nodeScopeLogs:
		if field == 1 {
			return nodeScope
		}
		return pick(field == 2, nodeRecord)
	case nodeScope:
		return pick(field == 3, nodeKeyValue)
	case nodeRecord:
		if field == 5 {
			return nodeValue
		}
		return pick(field == 6, nodeKeyValue)
	case nodeKeyValue:
		return pick(field == 2, nodeValue)
	case nodeValue:
		if field == 5 {
			return nodeArray
		}
		return pick(field == 6, nodeList)
	case nodeArray:
		return pick(field == 1, nodeValue)
	case nodeList:
		return pick(field == 1, nodeKeyValue)
	}
	return nodeNone
}

func pick(is bool, n node) node {
	if is {
		return n
	}
	return nodeNone
}

// protoDepth checks the nesting of an encoded ExportLogsServiceRequest.
func protoDepth(body []byte) error { return walk(body, nodeRequest, 1) }

func walk(body []byte, n node, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for len(body) > 0 {
		field, kind, size := protowire.ConsumeTag(body)
		if size < 0 {
			return errMalformed
		}
		body = body[size:]
		below := nodeNone
		if kind == protowire.BytesType {
			below = n.child(field)
		}
		if below == nodeNone {
			if size = protowire.ConsumeFieldValue(field, kind, body); size < 0 {
				return errMalformed
			}
			body = body[size:]
			continue
		}
		inner, size := protowire.ConsumeBytes(body)
		if size < 0 {
			return errMalformed
		}
		if err := walk(inner, below, depth+1); err != nil {
			return err
		}
		body = body[size:]
	}
	return nil
}
