package order

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Status is one thing a system can say about an order, written system/STATUS.
type Status struct{ System, Name string }

func (s Status) String() string { return s.System + "/" + s.Name }

// MarshalJSON writes the status as system/STATUS.
func (s Status) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// StageKind says what an order does in a stage, which decides causes and severity.
type StageKind string

// The kinds of stage.
const (
	Customer   StageKind = "customer"
	Human      StageKind = "human"
	Queue      StageKind = "queue"
	Compute    StageKind = "compute"
	Handoff    StageKind = "handoff"
	Production StageKind = "production"
	Carrier    StageKind = "carrier"
)

// Flow is a parsed and validated flow file: the stages an order goes through. It is immutable
// after ParseFlow and safe for concurrent use. Only ParseFlow makes one.
type Flow struct {
	Version   int
	Name      string
	Timezone  *time.Location
	Calendars map[string]*Calendar // by name, "always" included
	Keys      []string
	Sources   []FlowSource
	Stages    []Stage // in flow order
	Promises  []Promise
	Finish    []Status
	Cancel    []Status
	Reopen    []Status
	Incidents IncidentRule
	Partners  []string
	Capacity  []Capacity
	Hash      string    // hex SHA-256 of the canonical form; orders remember it
	Warnings  []Problem // what is allowed but will not work as one may expect; not in Hash
}

// FlowSource is a stream and what it can report; absence is proven by these.
type FlowSource struct {
	Name    string
	Reports []Status // Name may be "*"
}

// Stage is where an order is between two events.
type Stage struct {
	Name      string
	Kind      StageKind
	Owner     string
	Enter     []Status // any of
	Leave     []Status // any of
	Within    Span     // zero: no deadline
	Calendar  *Calendar
	ExpectBy  string // attribute to learn durations by
	Parallel  bool   // runs beside the serial stages; always true of a hand-off
	Via       Via
	Overrides []Override
	Reporters []string // names of the sources that can report a leave; empty: absence cannot be proven
}

// Via is the broker route of a hand-off.
type Via struct {
	Exchange    string
	RoutingKeys []string
	Queue       string
	DeadLetter  string `json:",omitempty"` // the exchange to which the broker moves what is not delivered; "" where none is watched
}

// Override replaces Within where every attribute of When has the given value; the first that matches wins.
type Override struct {
	When   map[string]string
	Within Span
}

// Promise is a lead time given to the customer, from Start to Stop.
type Promise struct {
	Name      string
	Start     []Status
	Stop      []Status
	Within    Span   // zero where Due is used
	Due       string // attribute that holds the promised instant
	EndOfDay  bool   // due_at: end_of_day
	Calendar  *Calendar
	PauseIn   []string // stages in which time does not count
	Objective float64  // share to keep, 0..1
	Overrides []Override
}

// IncidentRule says how stuck orders are grouped.
type IncidentRule struct {
	GroupBy    []string
	MinOrders  int
	CloseAfter time.Duration
}

// Capacity declares a stage that can saturate.
type Capacity struct {
	Stage   string
	Queue   string
	Servers int
}

// Matches reports whether the status is one of the list, where a list entry's Name may be "*".
func (s Status) Matches(list []Status) bool {
	return slices.ContainsFunc(list, func(x Status) bool {
		return x.System == s.System && (x.Name == s.Name || x.Name == "*")
	})
}

// ParseStatus splits system/STATUS. It reports false where either part is empty.
func ParseStatus(text string) (Status, bool) {
	system, name, ok := strings.Cut(text, "/")
	return Status{system, name}, ok && system != "" && name != ""
}

// WithinFor returns the stage's deadline span for an order with these attributes: the first override that matches, else Within.
func (s *Stage) WithinFor(attr func(name string) (string, bool)) Span {
	return pick(s.Overrides, s.Within, attr)
}

// WithinFor is as Stage.WithinFor.
func (p *Promise) WithinFor(attr func(name string) (string, bool)) Span {
	return pick(p.Overrides, p.Within, attr)
}

func pick(overrides []Override, within Span, attr func(string) (string, bool)) Span {
next:
	for _, o := range overrides {
		for name, want := range o.When {
			if got, ok := attr(name); !ok || got != want {
				continue next
			}
		}
		return o.Within
	}
	return within
}

// Stage returns the named stage and its index in flow order, or nil and -1.
func (f *Flow) Stage(name string) (*Stage, int) {
	for i := range f.Stages {
		if f.Stages[i].Name == name {
			return &f.Stages[i], i
		}
	}
	return nil, -1
}
