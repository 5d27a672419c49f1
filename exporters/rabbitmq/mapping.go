package rabbitmq

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

// Mapping says which fields of a message travel, and as what. Nothing else of a message leaves
// the sidecar. The right-hand sides are fields: body.PATH, header.NAME, routing_key, message_id
// or type.
type Mapping struct {
	System string            `yaml:"system"` // who publishes: mes
	Keys   map[string]string `yaml:"keys"`   // key name → field; a message needs at least one
	Status Status            `yaml:"status"` // what the message announces; optional

	// Statuses renames a status read from a field to the flow's; one renamed to "" is left out.
	Statuses   exporters.Statuses `yaml:"statuses"`
	Attributes map[string]string  `yaml:"attributes"` // attribute name → field: the allow-list
}

// Status is what a message announces: a constant (`status: SHIPPED`) or a field
// (`status: {from: body.status}`).
type Status struct {
	Constant string
	From     string
}

// UnmarshalYAML reads either form.
func (s *Status) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&s.Constant)
	}
	var m map[string]string
	if err := node.Decode(&m); err != nil {
		return err
	}
	s.From = m["from"]
	if s.From == "" || len(m) != 1 {
		return fmt.Errorf("line %d: a status is a constant or {from: FIELD}", node.Line)
	}
	return nil
}

const maxFields = 32 // keys and attributes each, so that an event stays far below order.MaxEventBytes

func (m *Mapping) validate(bad func(field, format string, args ...any)) {
	if m.System == "" || len(m.System) > maxValueBytes {
		bad("map.system", "must say which system publishes")
	}
	if len(m.Keys) == 0 || len(m.Keys) > maxFields {
		bad("map.keys", "must name 1 to %d keys: without one no message can be told to an order", maxFields)
	}
	if len(m.Attributes) > maxFields {
		bad("map.attributes", "at most %d", maxFields)
	}
	if len(m.Status.Constant) > maxValueBytes {
		bad("map.status", "is longer than %d bytes", maxValueBytes)
	}
	check := func(path, name, text string) {
		if name == "" || len(name) > maxValueBytes {
			bad(path, "must have a name")
		}
		if _, err := parseField(text); err != nil {
			bad(path, "%v", err)
		}
	}
	for _, name := range sortedNames(m.Keys) {
		check("map.keys."+name, name, m.Keys[name])
	}
	for _, name := range sortedNames(m.Attributes) {
		check("map.attributes."+name, name, m.Attributes[name])
	}
	if m.Status.From != "" {
		check("map.status.from", "status", m.Status.From)
	}
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Why a message of a tapped exchange did or did not become an event: the label result.
const (
	resultEvent     = "event"
	resultDuplicate = "duplicate" // delivered again after a reconnect
	resultNoKey     = "no_key"
	resultNotJSON   = "not_json"
	resultTooLarge  = "too_large"
	resultDropped   = "dropped" // by the broker, from the tap: full or too old
)

var (
	errNoKey    = errors.New(resultNoKey)
	errNotJSON  = errors.New(resultNotJSON)
	errTooLarge = errors.New(resultTooLarge)
)

type namedField struct {
	name string
	field
}

// mapper is a Mapping ready for use. It is safe for concurrent use.
type mapper struct {
	system, constant string
	keys, attributes []namedField
	status           *field
	statuses         exporters.Statuses
	bodied           bool // some field is of the body
}

func newMapper(m *Mapping) (*mapper, error) {
	out := &mapper{system: m.System, constant: m.Status.Constant, statuses: m.Statuses}
	var err error
	if out.keys, err = out.fields(m.Keys); err != nil {
		return nil, err
	}
	if out.attributes, err = out.fields(m.Attributes); err != nil {
		return nil, err
	}
	if m.Status.From != "" {
		list, err := out.fields(map[string]string{"status": m.Status.From})
		if err != nil {
			return nil, err
		}
		out.status = &list[0].field
	}
	return out, nil
}

func (m *mapper) fields(list map[string]string) ([]namedField, error) {
	var out []namedField
	for name, text := range list {
		f, err := parseField(text)
		if err != nil {
			return nil, err
		}
		m.bodied = m.bodied || f.kind == "body"
		out = append(out, namedField{name, f})
	}
	slices.SortFunc(out, func(a, b namedField) int { return cmp.Compare(a.name, b.name) })
	return out, nil
}

// event returns the event of a delivery, without its times' meaning decided: Time is at. The
// error is one of errNoKey, errNotJSON and errTooLarge.
func (m *mapper) event(d *amqp.Delivery, exchange string, at, observed time.Time) (order.Event, error) {
	msg := &message{Delivery: d}
	if m.bodied {
		if len(d.Body) > maxBodyBytes {
			return order.Event{}, errTooLarge
		}
		var err error
		if msg.body, err = decodeJSON(d.Body); err != nil {
			return order.Event{}, errNotJSON
		}
	}
	e := order.Event{
		Kind: order.KindMessage, Time: at, Observed: observed, System: m.system, Status: m.constant,
		Message: order.Message{Destination: exchange, RoutingKey: d.RoutingKey, Operation: "send", ID: d.MessageId},
	}
	for _, k := range m.keys {
		if text, ok := k.value(msg); ok {
			e.Keys = append(e.Keys, order.Key{Name: k.name, Value: text})
		}
	}
	if len(e.Keys) == 0 {
		return order.Event{}, errNoKey
	}
	for _, a := range m.attributes {
		if text, ok := a.value(msg); ok {
			e.Attrs = append(e.Attrs, order.Attr{Name: a.name, Value: text})
		}
	}
	if m.status != nil {
		raw, _ := m.status.value(msg)
		e.Status, _ = m.statuses.Name(raw)
	}
	return e, nil
}
