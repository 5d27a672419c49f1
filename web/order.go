package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// maxEventRows bounds the events on a page; the API gives all.
const maxEventRows = 500

// orderBody is one order.
type orderBody struct {
	Name      string
	Keys      []order.Key
	Attrs     []order.Attr
	State     mark
	Lead      string // the sentence to read first
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

type eventLine struct {
	Time, Received  *instant
	Delay           string
	Corrected       *instant // where the source's clock is off
	Kind            string
	What            string
	Via             string
	Source          string
	Epoch           int64
	Seq             uint64
	ID              string
	Keys, Attrs     string
	Inferred        bool
	JournalSequence string
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
	b.Lead, b.LeadCode = lead(c, o)
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
		b.Audit = append(b.Audit, auditLine{c.At(a.At), c.T("audit." + string(a.Kind)), a.Stage,
			strings.Join(slices.DeleteFunc([]string{c.Cause(a.Cause), a.Detail}, func(x string) bool { return x == "" }), ", ")})
	}
	return b
}

// pressing ranks verdicts, the one to act on first.
func pressing(verdict string) int {
	if i := slices.Index(openVerdicts, verdict); i >= 0 {
		return i
	}
	return len(openVerdicts)
}

// lead says in one sentence how the order stands.
func lead(c clock, o *sla.Order) (sentence, code string) {
	v := mostPressing(o)
	switch {
	case o.State != sla.StateOpen:
		return c.T("lead."+string(o.State), "at", c.Stamp(o.Ended)), string(o.State)
	case v == nil:
		return c.T("lead.between"), ""
	}
	key := "lead." + string(v.Verdict)
	if v.Verdict == sla.VerdictOpen && v.Deadline.IsZero() {
		key = "lead.open_ended"
	}
	sentence = c.T(key, "stage", v.Stage, "span", c.Since(v.Entered), "overdue", c.overdue(v.Deadline, c.now), "left", c.Span(v.Deadline.Sub(c.now)))
	if v.Cause != "" {
		sentence += " " + c.T("cause_text."+string(v.Cause))
	}
	return sentence, string(v.Verdict)
}

// mostPressing returns the open visit that stands for the order, nil where none is open.
func mostPressing(o *sla.Order) *sla.Visit {
	var best *sla.Visit
	for i := range o.Visits {
		v := &o.Visits[i]
		if !v.Open() {
			continue
		}
		if best == nil || cmp.Or(pressing(string(v.Verdict))-pressing(string(best.Verdict)), deadlineOrder(v, best)) < 0 {
			best = v
		}
	}
	return best
}

// deadlineOrder puts the earlier deadline first and none last.
func deadlineOrder(a, b *sla.Visit) int {
	switch {
	case a.Deadline.IsZero() || b.Deadline.IsZero():
		return cmp.Compare(boolInt(a.Deadline.IsZero()), boolInt(b.Deadline.IsZero()))
	}
	return a.Deadline.Compare(b.Deadline)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func promiseLineOf(c clock, p *sla.Promise) promiseLine {
	line := promiseLine{Name: p.Name, Verdict: c.Verdict(string(p.Verdict)), Start: c.At(p.Start), Due: c.At(p.Due), Stop: c.At(p.Stop), Paused: p.Paused}
	end := p.Stop
	if end.IsZero() {
		end = c.now
	}
	switch {
	case p.Due.IsZero():
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
	}{{"note.repeats", n.Repeats}, {"note.unexpected", n.Unexpected}, {"note.after_terminal", n.AfterTerminal}, {"note.rework", n.Rework}} {
		if x.n > 0 {
			out = append(out, c.T(x.key, "n", x.n))
		}
	}
	return out
}

// eventLines lists events by the time they happened; of too many, the latest.
func eventLines(c clock, records []sla.Record) (lines []eventLine, hidden int) {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b sla.Record) int {
		return a.Event.Time.Add(-a.Offset).Compare(b.Event.Time.Add(-b.Offset))
	})
	hidden = max(0, len(sorted)-maxEventRows)
	for i := range sorted[hidden:] {
		lines = append(lines, eventLineOf(c, &sorted[hidden+i]))
	}
	return lines, hidden
}

func eventLineOf(c clock, r *sla.Record) eventLine {
	e := &r.Event
	line := eventLine{
		Time: c.Precise(e.Time), Received: c.Precise(r.Received), Delay: c.signed(r.Received.Sub(e.Time.Add(-r.Offset))),
		Kind: c.T("event." + kindName(e.Kind)), Source: e.Source, Epoch: e.Epoch, Seq: e.Seq, ID: e.ID,
		Inferred: e.Inferred, JournalSequence: strconv.FormatInt(r.Seq, 10),
	}
	if r.Offset != 0 {
		line.Corrected = c.Precise(e.Time.Add(-r.Offset))
	}
	if e.Status != "" {
		line.What = order.Status{System: e.System, Name: e.Status}.String()
	}
	if m := e.Message; m.Destination != "" {
		line.Via = m.Destination + " · " + m.RoutingKey
		line.ID = cmp.Or(m.ID, line.ID)
	}
	line.Keys, line.Attrs = joinKeys(e.Keys), joinAttrs(e.Attrs)
	return line
}

// kindName is the wire name without its family: status, message, job.
func kindName(k order.Kind) string {
	_, name, _ := strings.Cut(k.EventName(), ".")
	return name
}

func joinKeys(keys []order.Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.Name + ":" + k.Value
	}
	return strings.Join(parts, ", ")
}

func joinAttrs(attrs []order.Attr) string {
	parts := make([]string, len(attrs))
	for i, a := range attrs {
		parts[i] = a.Name + "=" + a.Value
	}
	return strings.Join(parts, ", ")
}
