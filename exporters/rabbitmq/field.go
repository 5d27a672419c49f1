package rabbitmq

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	maxValueBytes = 256     // longer values are no names of orders: they count as absent
	maxBodyBytes  = 1 << 20 // larger bodies are not read
	maxPathDepth  = 16
)

// field says where in a message a value stands:
//
//	body.order.id      a string, number or bool of the JSON body, by the names of objects and the
//	                   positions of arrays (body.items.0.id); a name with a dot cannot be reached
//	header.x-tenant    a header; everything after the first dot is its name
//	routing_key        the key it was published with
//	message_id, type   the properties of that name
//
// A value that is absent, empty, null, an object or an array, longer than 256 bytes or not UTF-8
// is not found.
type field struct {
	kind string
	path []string // of body: the way; of header: its name
}

func parseField(text string) (field, error) {
	kind, rest, dotted := strings.Cut(text, ".")
	switch kind {
	case "body":
		path := strings.Split(rest, ".")
		for _, name := range path {
			if name == "" {
				return field{}, fmt.Errorf("%q: write body.name or body.name.name", text)
			}
		}
		if len(path) > maxPathDepth {
			return field{}, fmt.Errorf("%q: is more than %d names deep", text, maxPathDepth)
		}
		return field{kind, path}, nil
	case "header":
		if rest == "" {
			return field{}, fmt.Errorf("%q: write header.name", text)
		}
		return field{kind, []string{rest}}, nil
	case "routing_key", "message_id", "type":
		if !dotted {
			return field{kind: kind}, nil
		}
	}
	return field{}, fmt.Errorf("%q: is none of body.PATH, header.NAME, routing_key, message_id, type", text)
}

// message is a delivery whose body is decoded once, and only where a field asks for it.
type message struct {
	*amqp.Delivery
	body any
}

func (f field) value(m *message) (string, bool) {
	var text string
	switch f.kind {
	case "body":
		text = jsonText(walk(m.body, f.path))
	case "header":
		text = headerText(m.Headers[f.path[0]])
	case "routing_key":
		text = m.RoutingKey
	case "message_id":
		text = m.MessageId
	case "type":
		text = m.Type
	}
	return text, text != "" && len(text) <= maxValueBytes && utf8.ValidString(text)
}

// decodeJSON returns the one JSON value that body is. Numbers keep their digits.
func decodeJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return v, nil
}

func walk(v any, path []string) any {
	for _, name := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

func jsonText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func headerText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case bool, int, int8, uint8, int16, uint16, int32, uint32, int64, float32, float64:
		return fmt.Sprint(v)
	}
	return ""
}
