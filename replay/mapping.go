package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Layout says what a row of a table is.
type Layout string

// The layouts of a file. Tables are CSV or JSONL, an object a line.
const (
	LayoutWide Layout = "wide" // a table: a row an order, a column a milestone
	LayoutLong Layout = "long" // a table: a row an event
	LayoutXES  Layout = "xes"  // a trace an order; the layout where none is given
	LayoutOCEL Layout = "ocel" // OCEL 2.0 JSON: an object an order
)

// Scope says what an attribute belongs to.
type Scope string

// The scopes of an attribute in XES and OCEL.
const (
	ScopeEvent  Scope = "event"
	ScopeTrace  Scope = "trace"  // XES
	ScopeObject Scope = "object" // OCEL
)

// Mapping says which events a file holds. Only ParseMapping makes one.
type Mapping struct {
	Layout       Layout
	System       string // of every event's status
	Key          KeyColumn
	Timezone     *time.Location // of times that do not say theirs; UTC where not given
	TimeLayouts  []string       // Go's layouts, tried in turn; RFC 3339 and "2006-01-02 15:04:05" where not given
	Events       []EventColumn  // wide
	StatusColumn string         // long; xes, where it is not concept:name
	TimeColumn   string         // long; xes, where it is not time:timestamp
	Lifecycle    []string       // xes: the transitions to take, in lower case; all where empty
	ObjectType   string         // ocel: of the objects that are orders
	Via          []string       // ocel: types of objects whose events count for the orders they are related to
	States       []StateColumn
	Attributes   []AttributeColumn
}

// KeyColumn is the column that names the order, by one of the flow's keys. In XES it is an attribute of
// the trace, concept:name where it is empty; in OCEL the object's id, or one of its attributes.
type KeyColumn struct{ Name, Column string }

// EventColumn is a column of times at which a status was reached. An empty cell is no event.
type EventColumn struct{ Column, Status string }

// StateColumn says that an order whose Column has this Value has reached Status, nobody knows when:
// it is taken to follow the order's last event, at the same instant (`at: last`).
type StateColumn struct{ Column, Value, Status string }

// AttributeColumn is a column that says something about the order. In a wide table it is known from
// the row's first event on, in a long one from the row's own event. In XES and OCEL it is the attribute
// of an event, known from that event on, or of its trace or object, known from the first event on; an object's
// later values from the first event that is not before them. What is empty says nothing.
type AttributeColumn struct {
	Column, Name string
	Scope        Scope // xes and ocel
}

var defaultTimeLayouts = [...]string{time.RFC3339, time.DateTime}

// ParseTime reads a time as the mapping's files write them, or in RFC 3339.
func (m *Mapping) ParseTime(text string) (time.Time, bool) {
	c := clock{append([]string{time.RFC3339}, m.TimeLayouts...), m.Timezone}
	return c.parse(text)
}

// columns lists the columns that a table must have, each once.
func (m *Mapping) columns() []string {
	var all []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	add(m.Key.Column)
	add(m.StatusColumn)
	add(m.TimeColumn)
	for _, e := range m.Events {
		add(e.Column)
	}
	for _, s := range m.States {
		add(s.Column)
	}
	for _, a := range m.Attributes {
		add(a.Column)
	}
	return all
}

// names reports whether the flow has a status of the system.
func names(flow *order.Flow, system string) bool {
	of := func(list []order.Status) bool {
		return slices.ContainsFunc(list, func(s order.Status) bool { return s.System == system })
	}
	stage := func(s order.Stage) bool { return of(s.Enter) || of(s.Leave) }
	promise := func(p order.Promise) bool { return of(p.Start) || of(p.Stop) }
	return of(flow.Finish) || of(flow.Cancel) ||
		slices.ContainsFunc(flow.Stages, stage) || slices.ContainsFunc(flow.Promises, promise)
}

// StandardMapping returns the mapping of an XES log by the standard keys, its trace's name being the flow's
// first key, for a flow whose statuses are all of one system.
func StandardMapping(flow *order.Flow) (*Mapping, error) {
	system := flow.Finish[0].System
	list := slices.Concat(flow.Finish, flow.Cancel)
	for i := range flow.Stages {
		list = append(append(list, flow.Stages[i].Enter...), flow.Stages[i].Leave...)
	}
	for _, s := range list {
		if s.System != system {
			return nil, fmt.Errorf("the flow names statuses of %s and %s: a mapping must say which system's history this is", system, s.System)
		}
	}
	return standard(system, flow.Keys[0]), nil
}

func standard(system, key string) *Mapping {
	return &Mapping{
		Layout: LayoutXES, System: system, Key: KeyColumn{Name: key}, Timezone: time.UTC,
		TimeLayouts: slices.Clone(defaultTimeLayouts[:]),
	}
}

// check compares the mapping with the flow it is to feed.
func (m *Mapping) check(flow *order.Flow) error {
	var wrong []string
	if !slices.Contains(flow.Keys, m.Key.Name) {
		wrong = append(wrong, fmt.Sprintf("key.name: the flow has no key %q", m.Key.Name))
	}
	if !names(flow, m.System) {
		wrong = append(wrong, fmt.Sprintf("system: the flow has no status of %q", m.System))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("match mapping with flow %s: %s", flow.Name, strings.Join(wrong, "; "))
	}
	return nil
}
