package row

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// IncidentColumns are the columns of incidents, as Incidents writes them and ScanIncident reads them.
const IncidentColumns = "id, stage, cause, channel, partner, preexisting, severity, opened, emptied, closed, " +
	"orders, peak, total, retracted, reopened, worst, evidence"

// Incidents returns the columns of incidents, the last of those with one id only.
func Incidents(n *Names, list []sla.Incident) []any {
	last := make(map[sla.IncidentID]int, len(list))
	for i := range list {
		last[list[i].ID] = i
	}
	var values []any
	for i := range list {
		x := &list[i]
		if last[x.ID] != i {
			continue
		}
		var evidence any
		if len(x.Evidence) > 0 {
			evidence = asJSON(x.Evidence)
		}
		values = append(values, int64(x.ID), n.Intern(x.Stage), n.Intern(string(x.Cause)), x.Channel, x.Partner, x.Preexisting, n.Intern(string(x.Severity)),
			Nanos(x.Opened), Nanos(x.Emptied), Nanos(x.Closed),
			int64(x.Orders), int64(x.Peak), int64(x.Total), int64(x.Retracted), int64(x.Reopened), Nanos(x.Worst), evidence)
	}
	return values
}

// ScanIncident reads an incident without its members.
func ScanIncident(s Scanner, n *Names) (sla.Incident, error) {
	var (
		x                              sla.Incident
		stage, cause, severity         int64
		opened, emptied, closed, worst sql.NullInt64
		evidence                       sql.NullString
	)
	err := s.Scan(&x.ID, &stage, &cause, &x.Channel, &x.Partner, &x.Preexisting, &severity, &opened, &emptied, &closed,
		&x.Orders, &x.Peak, &x.Total, &x.Retracted, &x.Reopened, &worst, &evidence)
	if err != nil {
		return x, err
	}
	x.Opened, x.Emptied, x.Closed, x.Worst = Time(opened), Time(emptied), Time(closed), Time(worst)
	if err := fromJSON(evidence, &x.Evidence); err != nil {
		return x, fmt.Errorf("read evidence of incident %d: %w", x.ID, err)
	}
	return x, n.Resolve(NamePair{stage, &x.Stage}, NamePair{cause, (*string)(&x.Cause)}, NamePair{severity, (*string)(&x.Severity)})
}

// MemberColumns are the columns of incident_orders, as Members writes them.
const MemberColumns = "incident, order_id, stage, n, deadline, cause, joined, left_at, retracted"

type memberKey struct {
	incident sla.IncidentID
	order    sla.OrderID
	stage    string
	n        int
}

// Members returns the columns of orders' parts in incidents, the last of those of one visit only.
func Members(n *Names, list []sla.IncidentOrder) []any {
	key := func(m *sla.IncidentOrder) memberKey { return memberKey{m.Incident, m.Order, m.Stage, m.N} }
	last := make(map[memberKey]int, len(list))
	for i := range list {
		last[key(&list[i])] = i
	}
	var values []any
	for i := range list {
		if m := &list[i]; last[key(m)] == i {
			values = append(values, int64(m.Incident), int64(m.Order), n.Intern(m.Stage), int64(m.N), Nanos(m.Deadline),
				n.Intern(string(m.Cause)), Nanos(m.Joined), Nanos(m.Left), m.Retracted)
		}
	}
	return values
}

// SelectMember and FromMember read what ScanMember does: a part m, and the keys of the order or its survivor.
const (
	SelectMember = "m.incident, m.order_id, m.stage, m.n, m.deadline, m.cause, m.joined, m.left_at, m.retracted, o.keys"
	FromMember   = "incident_orders m LEFT JOIN merges g ON g.order_id = m.order_id LEFT JOIN orders o ON o.id = coalesce(g.into_id, m.order_id)"
)

// ScanMember reads an order's part in an incident.
func ScanMember(s Scanner, n *Names) (sla.IncidentOrder, error) {
	var (
		m                      sla.IncidentOrder
		stage, cause           int64
		deadline, joined, left sql.NullInt64
		keys                   sql.NullString
	)
	if err := s.Scan(&m.Incident, &m.Order, &stage, &m.N, &deadline, &cause, &joined, &left, &m.Retracted, &keys); err != nil {
		return m, err
	}
	m.Deadline, m.Joined, m.Left = Time(deadline), Time(joined), Time(left)
	var err error
	if m.Keys, err = ScanPairs[order.Key](keys); err != nil {
		return m, err
	}
	return m, n.Resolve(NamePair{stage, &m.Stage}, NamePair{cause, (*string)(&m.Cause)})
}

// SelectIncidents writes the query of a page of incidents, the last opened first. The next page's
// cursor is the number of the last row. A wrong cursor is store.ErrBadCursor.
func SelectIncidents(f sla.IncidentFilter, limit int) (string, error) {
	where := []string{"true"}
	if f.Cursor != "" {
		before, err := strconv.ParseUint(f.Cursor, 10, 63)
		if err != nil {
			return "", fmt.Errorf("%w: %q", store.ErrBadCursor, f.Cursor)
		}
		where = append(where, "id < "+strconv.FormatUint(before, 10))
	}
	switch f.State {
	case sla.IncidentOpen:
		where = append(where, "closed IS NULL")
	case sla.IncidentClosed:
		where = append(where, "closed IS NOT NULL")
	}
	return "SELECT " + IncidentColumns + " FROM incidents WHERE " + strings.Join(where, " AND ") +
		" ORDER BY id DESC LIMIT " + strconv.Itoa(limit), nil
}

// IncidentPage makes a page of up to limit incidents; one more tells that there is a next.
func IncidentPage(items []sla.Incident, limit int) sla.IncidentPage {
	p := sla.IncidentPage{Items: items}
	if len(items) > limit {
		p.Items = items[:limit]
		p.Next = items[limit-1].ID.String()
	}
	return p
}

// Recall puts members into their incidents, both as a store returns them.
func Recall(incidents []sla.Incident, members []sla.IncidentOrder) []sla.Incident {
	index := make(map[sla.IncidentID]int, len(incidents))
	for i := range incidents {
		index[incidents[i].ID] = i
	}
	for _, m := range members {
		x := &incidents[index[m.Incident]]
		x.Members = append(x.Members, m)
	}
	return incidents
}

// WorstMembers bounds how many members of one incident are read.
const WorstMembers = 100
