package sla

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Incidents groups stuck visits by what the flow groups by. It stands beside the engine, so that any
// number of engines can feed it. It belongs to one goroutine; what it hands out is immutable.
type Incidents struct {
	flow    *order.Flow
	since   time.Time
	last    IncidentID
	groups  map[incidentGroup]*incident
	members map[OrderID][]*incidentMember
	open    []*incident // by ID; those that have one and are not closed
	touched []*incident // by the change at hand
}

// incidentGroup is what the visits of one incident have in common.
type incidentGroup struct {
	stage, channel, partner string
	cause                   Cause
	preexisting             bool
}

// incident is an Incident with what grouping needs to know of it. Without an ID it has too few orders yet.
type incident struct {
	Incident
	group   incidentGroup
	members map[*incidentMember]bool
	worst   worstHeap
	touched bool // by the change at hand, in which these joined, left and were amended
	joined  []*incidentMember
	left    []IncidentOrder
	amended []*incidentMember
}

type incidentMember struct {
	IncidentOrder
	in       *incident
	severity Severity
}

// NewIncidents returns the incidents of a flow as a store remembers them.
func NewIncidents(flow *order.Flow, memory IncidentMemory) *Incidents {
	s := &Incidents{flow: flow, since: memory.Since, last: memory.Last,
		groups: map[incidentGroup]*incident{}, members: map[OrderID][]*incidentMember{}}
	for _, x := range memory.Open {
		s.restore(x)
	}
	slices.SortFunc(s.open, func(a, b *incident) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

func (s *Incidents) restore(x Incident) {
	group := incidentGroup{stage: x.Stage, cause: x.Cause, channel: x.Channel, partner: x.Partner, preexisting: x.Preexisting}
	i := &incident{Incident: x, group: group, members: map[*incidentMember]bool{}}
	i.Members = nil
	for _, m := range x.Members {
		s.add(i, &incidentMember{IncidentOrder: m, in: i})
	}
	s.groups[group] = i
	s.open = append(s.open, i)
	s.last = max(s.last, x.ID)
}

// WatchedSince tells when the first batch was committed, unless it is known. A deadline before it
// passed unwatched.
func (s *Incidents) WatchedSince(t time.Time) {
	if s.since.IsZero() {
		s.since = t
	}
}

// Fold takes in what a change says of stuck visits and adds to it what that means for incidents. Time
// that passes closes incidents, so an empty change is to be folded now and then.
func (s *Incidents) Fold(c *Change, now time.Time) {
	s.closeEmpty(c, now)
	for i := range c.Stuck {
		if x := &c.Stuck[i]; x.Stuck {
			s.join(x, now)
		} else if m := s.member(x.Order, x.Stage, x.N); m != nil {
			s.leave(m, now, x.Retracted)
		}
	}
	for _, merge := range c.Removed {
		for _, m := range slices.Clone(s.members[merge.From]) {
			s.leave(m, now, false)
		}
	}
	for _, i := range s.touched {
		i.touched = false
		s.settle(i, c, now)
	}
	s.touched = s.touched[:0]
}

// join puts a visit into the incident of its group. One that is told again stays where it is, unless
// a late fact moved it to another group.
func (s *Incidents) join(x *StuckVisit, now time.Time) {
	group := s.groupOf(x)
	if m := s.member(x.Order, x.Stage, x.N); m != nil {
		if m.in.group == group {
			s.amend(m, x)
			return
		}
		s.leave(m, now, false)
	}
	i := s.groups[group]
	if i == nil {
		i = &incident{group: group, members: map[*incidentMember]bool{}}
		i.Stage, i.Cause, i.Channel, i.Partner, i.Preexisting = group.stage, group.cause, group.channel, group.partner, group.preexisting
		i.Severity, i.Evidence = SeverityNone, x.Evidence
		s.groups[group] = i
	}
	m := &incidentMember{in: i, severity: s.severity(x), IncidentOrder: IncidentOrder{
		Order: x.Order, Stage: x.Stage, N: x.N, Deadline: x.Deadline, Cause: x.Cause, Joined: x.At}}
	s.add(i, m)
	i.joined = append(i.joined, m)
	if i.ID != 0 {
		i.grade(m)
	}
	s.touch(i)
}

// amend takes over what a late fact changed. The verdict stands, and so does the incident.
func (s *Incidents) amend(m *incidentMember, x *StuckVisit) {
	if m.Deadline.Equal(x.Deadline) && m.Cause == x.Cause {
		return
	}
	m.Deadline, m.Cause = x.Deadline, x.Cause
	m.in.worst.push(m)
	m.in.amended = append(m.in.amended, m)
	s.touch(m.in)
}

// grade raises an incident's severity to a member's. It never falls: who was called stays called.
func (i *incident) grade(m *incidentMember) {
	if !i.Preexisting && m.severity.rank() > i.Severity.rank() {
		i.Severity = m.severity
	}
}

func (s *Incidents) severity(x *StuckVisit) Severity {
	stage, _ := s.flow.Stage(x.Stage)
	if stage == nil {
		return SeverityTicket
	}
	return severityOf(stage.Kind, x.Approximate)
}

func (s *Incidents) groupOf(x *StuckVisit) incidentGroup {
	if !s.since.IsZero() && x.Deadline.Before(s.since) {
		return incidentGroup{preexisting: true}
	}
	var g incidentGroup
	for _, by := range s.flow.Incidents.GroupBy {
		switch by {
		case "stage":
			g.stage = x.Stage
		case "cause":
			g.cause = x.Cause
		case "channel":
			g.channel = x.Channel
		case "partner":
			g.partner = x.Partner
		}
	}
	return g
}

func (s *Incidents) member(id OrderID, stage string, n int) *incidentMember {
	for _, m := range s.members[id] {
		if m.Stage == stage && m.N == n {
			return m
		}
	}
	return nil
}

func (s *Incidents) add(i *incident, m *incidentMember) {
	i.members[m] = true
	i.worst.push(m)
	s.members[m.Order] = append(s.members[m.Order], m)
}

func (s *Incidents) leave(m *incidentMember, now time.Time, retracted bool) {
	i := m.in
	delete(i.members, m)
	if rest := slices.DeleteFunc(s.members[m.Order], func(x *incidentMember) bool { return x == m }); len(rest) > 0 {
		s.members[m.Order] = rest
	} else {
		delete(s.members, m.Order)
	}
	m.Left, m.Retracted = now, retracted
	i.left = append(i.left, m.IncidentOrder)
	if retracted {
		i.Retracted++
	}
	s.touch(i)
}

func (s *Incidents) touch(i *incident) {
	if !i.touched {
		i.touched = true
		s.touched = append(s.touched, i)
	}
}

// settle brings an incident up to date whose orders changed.
func (s *Incidents) settle(i *incident, c *Change, now time.Time) {
	had := i.Orders
	i.Orders = len(i.members)
	i.worst.trim(i.Orders)
	i.Worst = i.worst.deadline()
	i.Total += len(i.joined)
	i.Peak = max(i.Peak, i.Orders)
	joined, left := slices.Concat(i.joined, i.amended), i.left
	i.joined, i.left, i.amended = nil, nil, nil
	switch {
	case i.ID == 0 && i.Orders == 0:
		delete(s.groups, i.group)
		return
	case i.ID == 0 && !i.Preexisting && i.Orders < s.flow.Incidents.MinOrders:
		return
	case i.ID == 0:
		s.begin(i, c, now)
		joined, left = slices.Collect(maps.Keys(i.members)), nil
	case i.Orders == 0:
		i.Emptied = now
	case had == 0:
		i.Emptied = time.Time{}
		i.Reopened++
		s.say(i, AuditIncidentReopened, c, now)
	}
	for _, x := range left {
		x.Incident = i.ID
		c.IncidentOrders = append(c.IncidentOrders, x)
	}
	slices.SortFunc(joined, compareMembers)
	for _, m := range slices.Compact(joined) {
		m.Incident = i.ID
		if m.Left.IsZero() {
			c.IncidentOrders = append(c.IncidentOrders, m.IncidentOrder)
		}
	}
	c.Incidents = append(c.Incidents, i.Incident)
}

func (s *Incidents) begin(i *incident, c *Change, now time.Time) {
	s.last++
	i.ID, i.Opened = s.last, i.filled(s.flow.Incidents.MinOrders)
	i.Total, i.Peak, i.Retracted = i.Orders, i.Orders, 0
	for m := range i.members {
		i.grade(m)
	}
	s.open = append(s.open, i)
	s.say(i, AuditIncidentOpened, c, now)
}

// filled returns when the nth of the orders that are stuck now was said to be: usually now, and earlier where
// the verdicts are older than what is remembered of incidents. Fewer than n count as the last of them.
func (i *incident) filled(n int) time.Time {
	var said []time.Time
	for m := range i.members {
		said = append(said, m.Joined)
	}
	slices.SortFunc(said, time.Time.Compare)
	return said[min(max(n, 1), len(said))-1]
}

// closeEmpty closes the incidents whose last order left long enough ago.
func (s *Incidents) closeEmpty(c *Change, now time.Time) {
	s.open = slices.DeleteFunc(s.open, func(i *incident) bool {
		if i.Orders > 0 || now.Sub(i.Emptied) < s.flow.Incidents.CloseAfter {
			return false
		}
		i.Closed = now
		if s.groups[i.group] == i {
			delete(s.groups, i.group)
		}
		s.say(i, AuditIncidentClosed, c, now)
		c.Incidents = append(c.Incidents, i.Incident)
		return true
	})
}

func (s *Incidents) say(i *incident, kind AuditKind, c *Change, now time.Time) {
	c.Audit = append(c.Audit, AuditEntry{At: now, Kind: kind, Stage: i.Stage, Cause: i.Cause, Detail: i.ID.String()})
}

// Open returns the open incidents, by number.
func (s *Incidents) Open() []Incident {
	list := make([]Incident, len(s.open))
	for n, i := range s.open {
		list[n] = i.Incident
	}
	return list
}

func (id IncidentID) String() string { return strconv.FormatInt(int64(id), 10) }

func compareMembers(a, b *incidentMember) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.N, b.N))
}
