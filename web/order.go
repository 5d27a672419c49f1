package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// orderBody is one order.
type orderBody struct {
	Name      string
	Keys      []order.Key
	Attrs     []order.Attr
	State     mark
	Lead      string // the sentence to read first
	Because   string // its cause, in a sentence
	LeadCode  string // verdict that colours it
	Created   *instant
	Ended     *instant
	Lifetime  string
	Promises  []promiseLine
	Waterfall *waterfall
	Visits    []visitLine
	Cases     []caseLine // visits with evidence, the pressing ones first
	Systems   []systemLine
	Diverged  bool
	Events    []eventLine
	Hidden    int // events that are not shown
	Audit     []auditLine
	Refused   []order.Key
	Notes     []string // counts of what did not fit
	API       string
	Identity  identityBody
}

type promiseLine struct {
	Name       string
	Verdict    mark
	Start, Due *instant
	Stop       *instant
	Paused     bool
	Left       string // until due, or past it
}

type visitLine struct {
	Stage            string
	N                int
	Kind             *mark
	Entered, Left    *instant
	Deadline         *instant
	Spent            string
	Overdue          string
	Verdict          mark
	Cause            string
	Rework, Inferred bool
}

// caseLine is the evidence of one visit's verdict.
type caseLine struct {
	Stage       string
	Verdict     mark
	Cause       string
	CauseText   string
	Approximate bool
	Facts       []factLine
	Checks      []string
}

// systemLine is what one system says of the order.
type systemLine struct {
	System, Status string
	Since          *instant
}

type auditLine struct {
	At     *instant
	Kind   string
	Stage  string
	Detail string
}

func (s *Server) orderPage(w http.ResponseWriter, r *http.Request) error {
	o, err := s.resolve(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	records, err := s.reader.Records(r.Context(), o.ID)
	if err != nil {
		return err
	}
	audit, err := s.reader.Audit(r.Context(), o.ID)
	if err != nil {
		return err
	}
	p := s.newPage(w, r, "orders")
	body := s.orderBody(p.clock, &o, records, audit)
	body.Identity = s.identityBody(w, r, p.clock, &o, records)
	p.Title, p.Body = body.Name, body
	return s.render(w, http.StatusOK, "order", p)
}

func (s *Server) orderBody(c clock, o *sla.Order, records []sla.Record, audit []sla.AuditEntry) orderBody {
	b := orderBody{
		Keys: o.Keys, Attrs: o.Attrs, State: mark{string(o.State), c.State(o.State)}, Refused: o.Refused,
		Created: c.At(o.Created), Ended: c.At(o.Ended), Waterfall: drawOrder(c, s.flow, o),
		Systems: systemLines(c, o, records), Notes: notes(c, o.Counts),
	}
	end := o.Ended
	if end.IsZero() {
		end = c.now
	}
	b.Lifetime = c.Span(end.Sub(o.Created))
	if len(o.Keys) > 0 {
		b.Name, b.API = o.Keys[0].Value, keyPath(apiPrefix+"orders/", o.Keys[0])
	}
	b.Lead, b.LeadCode, b.Because = lead(c, o)
	for i := range o.Promises {
		b.Promises = append(b.Promises, promiseLineOf(c, &o.Promises[i]))
	}
	for i := range o.Visits {
		v := &o.Visits[i]
		b.Visits = append(b.Visits, visitLineOf(c, s.flow, o, v))
		b.Diverged = b.Diverged || v.Open() && v.Cause == sla.CauseDiverged
		if len(v.Evidence) > 0 {
			b.Cases = append(b.Cases, caseOf(c, v))
		}
	}
	slices.SortStableFunc(b.Cases, func(x, y caseLine) int { return pressing(x.Verdict.Code) - pressing(y.Verdict.Code) })
	b.Events, b.Hidden = eventLines(c, records)
	for _, a := range audit {
		if a.Kind == sla.AuditStuck {
			a.Detail = "" // its evidence stands with the verdict
		}
		b.Audit = append(b.Audit, auditLine{c.At(a.At), c.T("audit." + string(a.Kind)), a.Stage,
			strings.Join(slices.DeleteFunc([]string{c.Cause(a.Cause), a.Detail}, func(x string) bool { return x == "" }), ", ")})
	}
	return b
}

func promiseLineOf(c clock, p *sla.Promise) promiseLine {
	line := promiseLine{Name: p.Name, Verdict: c.Verdict(string(p.Verdict)), Start: c.At(p.Start), Due: c.At(p.Due), Stop: c.At(p.Stop), Paused: p.Paused}
	end := p.Stop
	if end.IsZero() {
		end = c.now
	}
	switch {
	case p.Due.IsZero() || p.Verdict == sla.PromiseCancelled: // nothing is left to keep
	case end.After(p.Due):
		line.Left = c.T("promise.over", "span", c.Span(end.Sub(p.Due)))
	default:
		line.Left = c.T("promise.left", "span", c.Span(p.Due.Sub(end)))
	}
	return line
}

func visitLineOf(c clock, flow *order.Flow, o *sla.Order, v *sla.Visit) visitLine {
	end := endOf(c, o, v)
	line := visitLine{
		Stage: v.Stage, N: v.N, Entered: c.At(v.Entered), Left: c.At(v.Left), Deadline: c.At(v.Deadline), Spent: c.Span(end.Sub(v.Entered)),
		Overdue: c.overdue(v.Deadline, end), Verdict: c.Verdict(string(v.Verdict)), Cause: c.Cause(v.Cause), Rework: v.Rework, Inferred: v.Inferred,
	}
	if st, _ := flow.Stage(v.Stage); st != nil {
		kind := c.Kind(st.Kind)
		line.Kind = &kind
	}
	return line
}

// systemLines says since when each system has said what it says last.
func systemLines(c clock, o *sla.Order, records []sla.Record) []systemLine {
	var lines []systemLine
	for _, st := range o.Statuses {
		var since time.Time
		for i := range records {
			e := &records[i].Event
			if e.Kind == order.KindStatus && e.System == st.System && e.Status == st.Name {
				since = latest(since, e.Time.Add(-records[i].Offset))
			}
		}
		lines = append(lines, systemLine{st.System, st.Name, c.At(since)})
	}
	return lines
}

// notes tells what did not fit the flow; zero counts say nothing.
func notes(c clock, n sla.Counts) []string {
	var out []string
	for _, x := range []struct {
		key string
		n   int
	}{{"note.repeats", n.Repeats}, {"note.unexpected", n.Unexpected}, {"note.after_terminal", n.AfterTerminal}, {"note.rework", n.Rework},
		{"note.reopened", n.Reopened}, {"note.conflicts", n.Conflicts}} {
		if x.n > 0 {
			out = append(out, c.T(x.key, "n", x.n))
		}
	}
	return out
}
