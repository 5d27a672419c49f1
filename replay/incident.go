package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// Incident is what one flow would have opened: orders stuck at one stage for one cause, or whatever its
// group_by says. Times are RFC 3339 in UTC.
type Incident struct {
	Stage    string   `json:"stage,omitempty"` // these four only where the flow groups by them
	Cause    string   `json:"cause,omitempty"`
	Channel  string   `json:"channel,omitempty"`
	Partner  string   `json:"partner,omitempty"`
	Severity Severity `json:"severity"`
	Opened   string   `json:"opened"`
	Closed   string   `json:"closed"` // "" while open as of the freeze
	Orders   int      `json:"orders"` // that were in it
	Peak     int      `json:"peak"`   // most at one time
	// Announced is the number of its orders that broke a promise after they came into it, FirstBreach the earliest
	// of these breaches and BeforeBreach how long before it the incident was opened; "" and absent where none did.
	Announced    int      `json:"announced"`
	FirstBreach  string   `json:"first_breach"`
	BeforeBreach *float64 `json:"before_breach_seconds,omitempty"`

	opened, closed, firstBreach time.Time // closed is zero while open
}

// Severity says what an incident does.
type Severity string

// The severities: machines page, people and partners get a ticket.
const (
	SeverityPage   Severity = "page"
	SeverityTicket Severity = "ticket"
)

func severity(kind order.StageKind) Severity {
	switch kind {
	case order.Handoff, order.Compute, order.Queue:
		return SeverityPage
	default:
		return SeverityTicket
	}
}

// group is what the orders of an incident have in common; fields the flow does not group by are empty.
type group struct{ stage, cause, channel, partner string }

// stay is the time one order is stuck: from its deadline until it left. A zero to is still stuck.
type stay struct {
	order    int
	from, to time.Time
	severity Severity
	breach   time.Time // the order's first broken promise; zero: none
}

// incidents groups the stuck visits of the orders by the flow's rule. A verdict is taken to be given at the
// deadline: in replay every absence is proven at once.
func incidents(flow *order.Flow, orders []sla.Order, until time.Time) []Incident {
	stays := map[group][]stay{}
	for i := range orders {
		o := &orders[i]
		broken := breach(o)
		for j := range o.Visits {
			v := &o.Visits[j]
			if v.StuckAt.IsZero() {
				continue
			}
			stage, _ := flow.Stage(v.Stage)
			g := groupOf(flow, o, v)
			stays[g] = append(stays[g], stay{i, v.Deadline, v.Left, severity(stage.Kind), broken})
		}
	}
	out := make([]Incident, 0, len(stays))
	for g, list := range stays {
		out = append(out, sweep(g, list, &flow.Incidents, until)...)
	}
	slices.SortFunc(out, func(a, b Incident) int {
		return cmp.Or(a.opened.Compare(b.opened), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Cause, b.Cause),
			cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Partner, b.Partner))
	})
	return out
}

func groupOf(flow *order.Flow, o *sla.Order, v *sla.Visit) (g group) {
	for _, by := range flow.Incidents.GroupBy {
		switch by {
		case "stage":
			g.stage = v.Stage
		case "cause":
			g.cause = string(v.Cause)
		case "channel":
			g.channel = attribute(o, sla.AttrChannel)
		case "partner":
			g.partner = attribute(o, sla.AttrPartner)
			if g.partner != "" && !slices.Contains(flow.Partners, g.partner) {
				g.partner = "other"
			}
		}
	}
	return g
}

func attribute(o *sla.Order, name string) string {
	for _, a := range o.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// breach returns when the order first broke a promise, zero if it did not.
func breach(o *sla.Order) (first time.Time) {
	for i := range o.Promises {
		p := &o.Promises[i]
		broken := p.Verdict == sla.PromiseLate || p.Verdict == sla.PromiseBreached
		if broken && !p.Due.IsZero() && (first.IsZero() || p.Due.Before(first)) {
			first = p.Due
		}
	}
	return first
}

// sweep walks through the stays of one group and cuts them into incidents: one opens when enough orders are
// stuck at once, and closes a while after the last one left; who comes back within that time is of the same.
func sweep(g group, stays []stay, rule *order.IncidentRule, until time.Time) []Incident {
	type turn struct {
		at    time.Time
		stay  *stay
		comes bool
	}
	turns := make([]turn, 0, 2*len(stays))
	for i := range stays {
		s := &stays[i]
		turns = append(turns, turn{s.from, s, true})
		if !s.to.IsZero() {
			turns = append(turns, turn{s.to, s, false})
		}
	}
	slices.SortFunc(turns, func(a, b turn) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.stay.order, b.stay.order))
	})
	w := watch{group: g, rule: rule, inside: map[*stay]bool{}}
	for _, t := range turns {
		if t.comes {
			w.come(t.at, t.stay)
		} else {
			w.leave(t.at, t.stay)
		}
	}
	if w.quiet(until) {
		w.close()
	} else if w.open != nil {
		w.done = append(w.done, w.open.finish(time.Time{}))
	}
	return w.done
}

// watch is one group on its way through time.
type watch struct {
	group  group
	rule   *order.IncidentRule
	inside map[*stay]bool
	empty  time.Time // since when nobody is inside
	open   *opened
	done   []Incident
}

type opened struct {
	Incident
	members map[int]bool
}

func (w *watch) come(at time.Time, s *stay) {
	if w.quiet(at) {
		w.close()
	}
	w.inside[s] = true
	switch {
	case w.open != nil:
		w.open.take(s)
	case len(w.inside) >= w.rule.MinOrders:
		w.open = &opened{members: map[int]bool{}}
		w.open.opened = at
		w.open.Stage, w.open.Cause, w.open.Channel, w.open.Partner = w.group.stage, w.group.cause, w.group.channel, w.group.partner
		w.open.Severity = SeverityTicket
		for member := range w.inside {
			w.open.take(member)
		}
	default:
		return
	}
	w.open.Peak = max(w.open.Peak, len(w.inside))
}

func (w *watch) leave(at time.Time, s *stay) {
	delete(w.inside, s)
	w.empty = at
}

// quiet reports whether the open incident has closed before t.
func (w *watch) quiet(t time.Time) bool {
	return w.open != nil && len(w.inside) == 0 && t.After(w.empty.Add(w.rule.CloseAfter))
}

func (w *watch) close() {
	w.done = append(w.done, w.open.finish(w.empty.Add(w.rule.CloseAfter)))
	w.open = nil
}

func (o *opened) take(s *stay) {
	if s.severity == SeverityPage {
		o.Severity = SeverityPage
	}
	if o.members[s.order] {
		return
	}
	o.members[s.order] = true
	if s.breach.IsZero() || s.breach.Before(s.from) {
		return
	}
	o.Announced++
	if o.firstBreach.IsZero() || s.breach.Before(o.firstBreach) {
		o.firstBreach = s.breach
	}
}

func (o *opened) finish(closed time.Time) Incident {
	i := o.Incident
	i.closed, i.Orders = closed, len(o.members)
	i.Opened, i.Closed, i.FirstBreach = stamp(i.opened), stamp(closed), stamp(i.firstBreach)
	if !i.firstBreach.IsZero() {
		seconds := i.firstBreach.Sub(i.opened).Seconds()
		i.BeforeBreach = &seconds
	}
	return i
}
