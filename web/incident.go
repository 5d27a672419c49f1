package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// errNoIncident says that no incident has the number asked for.
var errNoIncident = errors.New("web: no such incident")

// openIncidents is how many open incidents the first page looks at.
const openIncidents = 100

// incidentLine is one incident in a list.
type incidentLine struct {
	ID, Href, Name  string
	Severity        mark
	Orders          string
	Peak            string
	Overdue         string // of the worst
	Opened, Emptied *instant
}

// incidentBody is one incident.
type incidentBody struct {
	incidentLine
	Lead           string
	Code           string // verdict that colours it
	CauseText      string
	Preexisting    bool
	Closed         *instant
	Lasted         string
	Total          string
	Retracted      int
	Reopened       int
	Worst          *orderRef // whose evidence is in Case; nil: the first order's
	Case           *caseLine
	Members        []memberLine
	More           int // orders in it that are not listed
	Now            bool
	API, OrdersURL string
}

// memberLine is one order's part in an incident.
type memberLine struct {
	Name, Path, Stage, Cause string
	Deadline, Joined, Left   *instant
	Overdue                  string
	Retracted                bool
}

func (s *Server) incidentPage(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	worst, err := s.worstVisit(r.Context(), &i)
	if err != nil {
		return err
	}
	p := s.newPage(w, r, "flow")
	body := s.incidentBody(p.clock, &i, worst)
	p.Title, p.Body = p.T("incident.title", "id", i.ID.String()), body
	return s.render(w, http.StatusOK, "incident", p)
}

// incident reads the incident whose number the path holds.
func (s *Server) incident(r *http.Request) (sla.Incident, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return sla.Incident{}, errNoIncident
	}
	i, err := s.reader.Incident(r.Context(), sla.IncidentID(id))
	if errors.Is(err, ErrNotFound) {
		err = errNoIncident
	}
	return i, err
}

// worstVisit reads the visit of the order longest overdue, nil where the order no longer has it.
func (s *Server) worstVisit(ctx context.Context, i *sla.Incident) (*sla.Visit, error) {
	if len(i.Members) == 0 {
		return nil, nil
	}
	m := &i.Members[0]
	o, err := s.reader.Order(ctx, m.Order)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	n := slices.IndexFunc(o.Visits, func(v sla.Visit) bool { return v.Stage == m.Stage && v.N == m.N })
	if n < 0 || len(o.Visits[n].Evidence) == 0 {
		return nil, nil
	}
	return &o.Visits[n], nil
}

func (s *Server) incidentBody(c clock, i *sla.Incident, worst *sla.Visit) incidentBody {
	b := incidentBody{
		incidentLine: incidentLineOf(c, i), Preexisting: i.Preexisting, Closed: c.At(i.Closed), Total: c.Number(i.Total),
		Retracted: i.Retracted, Reopened: i.Reopened, Now: i.Orders > 0, API: apiPrefix + "incidents/" + i.ID.String(),
	}
	b.Lead, b.Code = incidentLead(c, i)
	if i.Cause != "" {
		b.CauseText = c.T("cause_text." + string(i.Cause))
	}
	end := c.now
	if !i.Closed.IsZero() {
		end = i.Closed
	}
	b.Lasted = c.Span(end.Sub(i.Opened))
	for n := range i.Members {
		b.Members = append(b.Members, memberLineOf(c, &i.Members[n]))
	}
	if b.Now {
		b.More = i.Orders - len(i.Members)
	}
	if i.Stage != "" {
		b.OrdersURL = stageHref(i.Stage, sla.VerdictStuck)
	}
	b.Case, b.Worst = s.incidentCase(c, i, worst)
	return b
}

// incidentCase is the evidence of the order longest overdue, or of the first one.
func (s *Server) incidentCase(c clock, i *sla.Incident, worst *sla.Visit) (*caseLine, *orderRef) {
	if worst != nil {
		line := caseOf(c, worst)
		return &line, &orderRef{Name: memberName(&i.Members[0]), Path: memberPath(&i.Members[0])}
	}
	if len(i.Evidence) == 0 {
		return nil, nil
	}
	line := caseOf(c, &sla.Visit{Stage: i.Stage, Verdict: sla.VerdictStuck, Cause: i.Cause, Evidence: i.Evidence})
	return &line, nil
}

func incidentLead(c clock, i *sla.Incident) (text, code string) {
	switch {
	case !i.Closed.IsZero():
		return c.T("incident.closed", "at", c.Stamp(i.Closed)), "met"
	case i.Orders == 0:
		return c.T("incident.emptied", "at", c.Stamp(i.Emptied)), "open"
	}
	return c.T("incident.open", "n", i.Orders, "span", c.Since(i.Opened)), string(sla.VerdictStuck)
}

func incidentLineOf(c clock, i *sla.Incident) incidentLine {
	line := incidentLine{
		ID: i.ID.String(), Href: "/incidents/" + i.ID.String(), Name: incidentName(c, i),
		Severity: mark{string(i.Severity), c.T("severity." + string(i.Severity))},
		Orders:   c.Number(i.Orders), Peak: c.Number(i.Peak), Opened: c.At(i.Opened), Emptied: c.At(i.Emptied),
	}
	if i.Orders > 0 {
		line.Overdue = c.overdue(i.Worst, c.now)
	}
	return line
}

// incidentName says what an incident's orders have in common.
func incidentName(c clock, i *sla.Incident) string {
	if i.Preexisting {
		return c.T("incident.preexisting")
	}
	var words []string
	for _, word := range []string{i.Stage, c.Cause(i.Cause), i.Channel, i.Partner} {
		if word != "" {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return c.T("incident.title", "id", i.ID.String())
	}
	return strings.Join(words, " · ")
}

func memberLineOf(c clock, m *sla.IncidentOrder) memberLine {
	line := memberLine{
		Name: memberName(m), Path: memberPath(m), Stage: m.Stage, Cause: c.Cause(m.Cause), Retracted: m.Retracted,
		Deadline: c.At(m.Deadline), Joined: c.At(m.Joined), Left: c.At(m.Left),
	}
	end := c.now
	if !m.Left.IsZero() {
		end = m.Left
	}
	line.Overdue = c.overdue(m.Deadline, end)
	return line
}

// firstKey is the name of a member's order; one that is not in the read model goes by its number.
func firstKey(m *sla.IncidentOrder) (order.Key, bool) {
	if len(m.Keys) == 0 {
		return order.Key{}, false
	}
	return m.Keys[0], true
}

func memberName(m *sla.IncidentOrder) string {
	if k, ok := firstKey(m); ok {
		return k.Value
	}
	return "#" + m.Order.String()
}

func memberPath(m *sla.IncidentOrder) string {
	if k, ok := firstKey(m); ok {
		return keyPath("/orders/", k)
	}
	return ""
}

// incidentLines lists the open incidents, those that concern somebody at once first, then the longest overdue.
func incidentLines(c clock, list []sla.Incident) []incidentLine {
	severities := sla.Severities()
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b sla.Incident) int {
		if d := slices.Index(severities, b.Severity) - slices.Index(severities, a.Severity); d != 0 {
			return d
		}
		return overdueFrom(a).Compare(overdueFrom(b))
	})
	lines := make([]incidentLine, len(list))
	for n := range list {
		lines[n] = incidentLineOf(c, &list[n])
	}
	return lines
}

// overdueFrom sorts an incident that is empty behind those that are not.
func overdueFrom(i sla.Incident) time.Time {
	if i.Orders == 0 {
		return i.Emptied
	}
	return i.Worst
}
