package sla

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// State says whether an order is still on its way.
type State string

// The states of an order.
const (
	StateOpen      State = "open"
	StateFinished  State = "finished"
	StateCancelled State = "cancelled"
)

// Order is what the engine says about one order: the read model's unit. All times are corrected
// by the sources' clock offsets, in UTC.
type Order struct {
	ID       OrderID
	Keys     []order.Key  // in the flow's order
	Attrs    []order.Attr // by name; the last value in event order
	State    State
	Created  time.Time      // first event
	Updated  time.Time      // last event
	Ended    time.Time      // zero while open
	Visits   []Visit        // in order of entering
	Promises []Promise      // in the flow's order; only started ones
	Statuses []order.Status // the last status of each system, by system
	Counts   Counts
	FlowHash string
	Absorbed []OrderID // orders merged into this one
	Refused  []order.Key
}

// Counts are what did not fit, per order. Nothing is dropped silently.
type Counts struct {
	Events        int
	Repeats       int // an enter status while its visit was open
	Unexpected    int // a leave without an enter
	AfterTerminal int
	Rework        int
	Reopened      int // it had ended, and went on
	Conflicts     int // an event with a key that was refused
}

// Visit is one stay of one order in one stage. (Stage, N) names it within its order.
type Visit struct {
	Stage       string
	N           int // 1 for the first visit
	Entered     time.Time
	Left        time.Time // zero while open
	Deadline    time.Time // zero: none
	Verdict     Verdict
	Cause       Cause
	Evidence    []Evidence
	Rework      bool
	Inferred    bool      // opened or closed by an inferred event
	StuckAt     time.Time // when stuck was first said of it (our clock); zero: never, or retracted
	Approximate bool      // the proof rests on a polled source
}

// Open reports whether the order is still in the stage.
func (v *Visit) Open() bool { return v.Left.IsZero() }

// Promise is one promise of one order.
type Promise struct {
	Name    string
	Start   time.Time
	Due     time.Time // zero while paused, or while the promised instant is not known
	Stop    time.Time // zero while running
	Verdict PromiseVerdict
	Paused  bool
}

// Change is everything that one step of the engine changed.
type Change struct {
	Orders   []Order // whole, as they are now
	Removed  []Merge // orders that live on in another
	Audit    []AuditEntry
	Created  []CreatedOrder
	Closed   []ClosedVisit    // for histograms and traces; a corrected visit is not reported again
	Settled  []SettledPromise // likewise
	Stuck    []StuckVisit     // what became stuck and what no longer is, by order; feed it to Incidents
	Handoffs []OrderHandoffs  // of every order that changed, by order; feed them to Ledger

	// What was counted since the last Change, see tally; of shards, each has entries of its own.
	Transitions []Transition
	Repeats     []Repeat
	Conflicts   int // events with a key that was refused

	// What Incidents.Fold made of Stuck and Removed.
	Incidents      []Incident      // whole, as they are now, without Members
	IncidentOrders []IncidentOrder // that joined or left, without Keys

	// What Ledger.Fold made of Handoffs and Removed.
	Ledger []LedgerEntry // that changed, as they are now

	History []OrderID // orders whose history the engine needs: feed it with Engine.Restore
}

// AuditKind says what an audit entry records.
type AuditKind string

// The kinds of audit entry.
const (
	AuditStuck      AuditKind = "stuck"     // the verdict was issued
	AuditRetracted  AuditKind = "retracted" // it was wrong: a late fact shows that all was well, or (detail) a merge or an undone one does
	AuditMerged     AuditKind = "merged"    // detail: the absorbed order
	AuditLinked     AuditKind = "linked"    // by a person; detail: the keys, by whom and why
	AuditUnlinked   AuditKind = "unlinked"  // likewise
	AuditConflict   AuditKind = "identity_conflict"
	AuditQuarantine AuditKind = "quarantined"

	// Of an incident, whose number is the detail; they are about no order.
	AuditIncidentOpened   AuditKind = "incident_opened"
	AuditIncidentReopened AuditKind = "incident_reopened" // an order is stuck again before it closed
	AuditIncidentClosed   AuditKind = "incident_closed"
)

// AuditEntry is one line of what orderwatch said, and when. It is appended and never rewritten.
type AuditEntry struct {
	At       time.Time
	Kind     AuditKind
	Order    OrderID
	Stage    string
	N        int
	Deadline time.Time
	Cause    Cause
	Detail   string
}

// ClosedVisit is a visit that ended, for histograms.
type ClosedVisit struct {
	Order   OrderID
	Channel string
	Visit   Visit
}

// SettledPromise is a promise that became final, for counters.
type SettledPromise struct {
	Order   OrderID
	Channel string
	Partner string
	Promise Promise
}

// CreatedOrder is an order seen for the first time, for counters.
type CreatedOrder struct {
	Order   OrderID
	Channel string
	Partner string
}

// Empty reports whether nothing of a change needs to be kept.
func (c *Change) Empty() bool {
	return len(c.Orders) == 0 && len(c.Removed) == 0 && len(c.Audit) == 0 &&
		len(c.Incidents) == 0 && len(c.IncidentOrders) == 0 && len(c.Ledger) == 0
}
