package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// ordersBody is the list of orders.
type ordersBody struct {
	Filter              sla.OrderFilter
	Stages              []option
	Verdicts            []option
	States              []option
	Channels            []string // suggestions
	Partners            []string
	Items               []orderLine
	Next, First, CSV    string // addresses, "" where there is none
	Filtered, Continued bool
}

type option struct {
	Value, Word string
	Selected    bool
}

// orderLine is one order in a list.
type orderLine struct {
	Name     string // the key it goes by
	Other    string // its other keys
	Path     string
	Stage    string
	Entered  *instant
	Since    string
	Deadline *instant
	Overdue  string // how long past the deadline
	Verdict  *mark
	Cause    string
	Channel  string
	Partner  string
	State    string
	Ended    bool
}

func (s *Server) ordersPage(w http.ResponseWriter, r *http.Request) error {
	filter, err := orderFilter(r.URL.Query(), s.flow)
	if err != nil {
		return err
	}
	f, err := formatOf(r, formatHTML)
	if err != nil {
		return err
	}
	if f == formatCSV {
		return s.ordersCSV(w, r, filter)
	}
	p := s.newPage(w, r, "orders")
	list, err := s.reader.Orders(r.Context(), filter)
	if err != nil {
		return err
	}
	if path := onlyMatch(s.flow, filter, list); path != "" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return nil
	}
	p.Title, p.Query = p.T("nav.orders"), filter.Prefix
	p.Body = s.ordersBody(p.clock, filter, list)
	return s.render(w, http.StatusOK, "orders", p)
}

// onlyMatch returns the address of the order that a search without filters names exactly and alone.
func onlyMatch(flow *order.Flow, f sla.OrderFilter, list sla.OrderPage) string {
	if f != (sla.OrderFilter{Prefix: f.Prefix, Limit: f.Limit}) || len(list.Items) != 1 || list.Next != "" {
		return ""
	}
	for _, k := range rowKeys(flow, list.Items[0]) {
		if k.Value == f.Prefix {
			return keyPath("/orders/", k)
		}
	}
	return ""
}

func (s *Server) ordersBody(c clock, f sla.OrderFilter, list sla.OrderPage) ordersBody {
	b := ordersBody{Filter: f, Continued: f.Cursor != "", Partners: s.flow.Partners, Channels: channelsOf(s.flow)}
	for i := range s.flow.Stages {
		name := s.flow.Stages[i].Name
		b.Stages = append(b.Stages, option{name, name, f.Stage == name})
	}
	for _, v := range openVerdicts {
		b.Verdicts = append(b.Verdicts, option{v, c.Verdict(v).Word, string(f.Verdict) == v})
	}
	for _, st := range orderStates {
		b.States = append(b.States, option{st, c.State(sla.State(st)), string(f.State) == st})
	}
	for _, row := range list.Items {
		b.Items = append(b.Items, orderLineOf(c, s.flow, row))
	}
	here := f
	here.Cursor = ""
	q := filterQuery(here)
	b.Filtered = len(q) > 0
	b.First = address("/orders", q)
	q.Set("format", string(formatCSV))
	b.CSV = address("/orders", q)
	if list.Next != "" {
		here.Cursor = list.Next
		b.Next = address("/orders", filterQuery(here))
	}
	return b
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// channelsOf suggests the channels that the flow's overrides name.
func channelsOf(flow *order.Flow) []string {
	var found []string
	seen := map[string]bool{}
	add := func(list []order.Override) {
		for _, o := range list {
			if ch := o.When["channel"]; ch != "" && !seen[ch] {
				seen[ch] = true
				found = append(found, ch)
			}
		}
	}
	for i := range flow.Stages {
		add(flow.Stages[i].Overrides)
	}
	for i := range flow.Promises {
		add(flow.Promises[i].Overrides)
	}
	return found
}

func orderLineOf(c clock, flow *order.Flow, row sla.OrderRow) orderLine {
	keys := rowKeys(flow, row)
	line := orderLine{
		Name: keys[0].Value, Path: keyPath("/orders/", keys[0]), Stage: row.Stage,
		Cause: c.Cause(row.Cause), Channel: row.Channel, Partner: row.Partner,
		State: c.State(row.State), Ended: row.State != sla.StateOpen,
	}
	var other []string
	for _, k := range keys[1:] {
		other = append(other, k.Value)
	}
	line.Other = strings.Join(other, " · ")
	if row.Stage == "" {
		return line
	}
	line.Entered, line.Since, line.Deadline = c.At(row.Entered), c.Since(row.Entered), c.At(row.Deadline)
	line.Overdue = c.overdue(row.Deadline, c.now)
	if row.Verdict != "" {
		m := c.Verdict(string(row.Verdict))
		line.Verdict = &m
	}
	return line
}

// overdue writes how far end is past the deadline, "" where it is not.
func (c clock) overdue(deadline, end time.Time) string {
	if deadline.IsZero() || !end.After(deadline) {
		return ""
	}
	return c.Span(end.Sub(deadline))
}
