package sla

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// IncidentID is an incident's number, from 1 in order of opening, never given twice.
type IncidentID int64

// Severity says whom an incident concerns at once.
type Severity string

// The severities. An incident's only grows.
const (
	SeverityNone   Severity = "none"   // nobody: overdue before orderwatch began to watch
	SeverityTicket Severity = "ticket" // somebody, in working hours
	SeverityPage   Severity = "page"   // on-call, now
)

// Severities returns every severity.
func Severities() []Severity { return []Severity{SeverityNone, SeverityTicket, SeverityPage} }

// Incident is all orders stuck for one cause at one stage, or whatever else the flow groups by. An
// order stuck in two stages of one incident counts twice.
type Incident struct {
	ID          IncidentID
	Stage       string // these four: "" where the flow does not group by it
	Cause       Cause
	Channel     string
	Partner     string
	Preexisting bool // orders that were overdue before orderwatch began to watch
	Severity    Severity
	Opened      time.Time
	Emptied     time.Time // when the last order left; zero while there is any
	Closed      time.Time // zero while open
	Orders      int       // stuck in it now
	Peak        int       // the most at once
	Total       int       // ever
	Retracted   int       // left it because the verdict was wrong
	Reopened    int       // returns of orders after the last one had left
	Worst       time.Time // deadline of the order longest overdue; zero where there is none
	Evidence    []Evidence
	Members     []IncidentOrder // nil, except where a store was asked for them
}

// IncidentOrder is one order's part in an incident.
type IncidentOrder struct {
	Incident  IncidentID
	Order     OrderID
	Stage     string
	N         int
	Deadline  time.Time
	Cause     Cause
	Joined    time.Time // when it was said to be stuck
	Left      time.Time // zero while it is stuck
	Retracted bool      // it left because the verdict was wrong
	Keys      []order.Key
}

// IncidentFilter selects incidents. Zero fields do not filter.
type IncidentFilter struct {
	State  IncidentState
	Cursor string // from IncidentPage.Next
	Limit  int    // 1..500, 50 where zero
}

// IncidentState says whether an incident is over.
type IncidentState string

// The states of an incident.
const (
	IncidentOpen   IncidentState = "open"
	IncidentClosed IncidentState = "closed"
)

// State returns whether the incident is over.
func (i *Incident) State() IncidentState {
	if i.Closed.IsZero() {
		return IncidentOpen
	}
	return IncidentClosed
}

// IncidentPage is one page of a list of incidents, the last opened first.
type IncidentPage struct {
	Items []Incident
	Next  string // "" at the end
}

// IncidentMemory is what Incidents go on from after a restart.
type IncidentMemory struct {
	Since time.Time  // when the first batch was committed; zero: none was
	Last  IncidentID // the highest number given
	Open  []Incident // with all Members that have not left
}

// severityOf returns whom a stuck visit of that kind of stage concerns. A proof from a poll is not exact
// enough to wake anybody.
func severityOf(kind order.StageKind, approximate bool) Severity {
	switch {
	case approximate:
		return SeverityTicket
	case kind == order.Handoff, kind == order.Compute, kind == order.Queue:
		return SeverityPage
	}
	return SeverityTicket
}

func (s Severity) rank() int {
	switch s {
	case SeverityPage:
		return 2
	case SeverityTicket:
		return 1
	}
	return 0
}
