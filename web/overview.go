package web

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

const longestStuck = 10 // rows on the first page

// overviewBody is the first page.
type overviewBody struct {
	Empty   bool
	Late    string // "7 of 120 orders late"
	AnyLate bool
	Lost    string // "63 % of the lost time in stage"
	Open    []incidentLine
	Rest    bool // there are more open incidents than shown
	Worst   *stageCard
	Totals  []figure
	Causes  []causeBar
	Groups  []stageGroup
	Stuck   []orderLine
	More    bool // there are more stuck orders than shown
	Sources []sourceLine
	Blind   int

	Handoffs []handoffLine
}

// figure is one number with its word, linked to the orders it counts.
type figure struct{ Value, Word, Href string }

// causeBar is how many orders are stuck for one cause.
type causeBar struct {
	Code, Word, Count string
	Width             string // percent of the longest
}

// stageGroup is one cell of the map: a serial stage and what runs beside it before the next one.
type stageGroup struct {
	Serial *stageCard
	Beside []stageCard
}

// stageCard is one stage of the map.
type stageCard struct {
	Name, Owner            string
	Kind                   mark
	Href                   string
	Open                   int
	OpenText, OpenWord     string
	Oldest                 string
	Stuck, Unknown, AtRisk int
	Chips                  []chip
	Share                  []segment
	Summary                string // the share in words
	lost                   int64
}

// chip is a count of one verdict in a stage.
type chip struct {
	Mark        mark
	Count, Href string
}

// segment is one part of a horizontal bar, in percent of its width.
type segment struct{ Code, X, Width string }

func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request) error {
	p := s.newPage(w, r, "flow")
	o, err := s.reader.Overview(r.Context())
	if err != nil {
		return err
	}
	stuck, err := s.reader.Orders(r.Context(), sla.OrderFilter{Verdict: sla.VerdictStuck, Limit: longestStuck})
	if err != nil {
		return err
	}
	open, err := s.reader.Incidents(r.Context(), sla.IncidentFilter{State: sla.IncidentOpen, Limit: openIncidents})
	if err != nil {
		return err
	}
	ledger, err := s.reader.Handoffs(r.Context())
	if err != nil {
		return err
	}
	p.Title = p.T("nav.flow")
	p.AsOf = p.At(o.AsOf)
	body := s.overviewBody(p.clock, o, open, stuck)
	body.Handoffs = handoffLines(p.clock, ledger)
	p.Body = body
	return s.render(w, http.StatusOK, "overview", p)
}

func (s *Server) overviewBody(c clock, o sla.Overview, open sla.IncidentPage, stuck sla.OrderPage) overviewBody {
	cards := stageCards(c, s.flow, o)
	b := overviewBody{
		Empty:   o.Orders.Open+o.Orders.Finished+o.Orders.Cancelled == 0,
		AnyLate: o.Orders.Late > 0,
		Late:    c.T("overview.late", "late", o.Orders.Late, "n", o.Orders.Open),
		Groups:  group(s.flow, cards),
		Causes:  causeBars(c, o.Stages),
		More:    stuck.Next != "",
		Open:    incidentLines(c, open.Items),
		Rest:    open.Next != "",
		Totals: []figure{
			{c.Number(o.Orders.Open), c.T("overview.open"), "/orders?state=open"},
			{c.Number(o.Orders.Finished), c.T("overview.finished"), "/orders?state=finished"},
			{c.Number(o.Orders.Cancelled), c.T("overview.cancelled"), "/orders?state=cancelled"},
		},
		Sources: sourceLines(c, s.flow, o.Sources),
	}
	if worst, share := mostLost(cards); worst != nil && b.AnyLate {
		b.Worst, b.Lost = worst, c.T("overview.lost", "percent", share)
	}
	for _, row := range stuck.Items {
		b.Stuck = append(b.Stuck, orderLineOf(c, s.flow, row))
	}
	for _, line := range b.Sources {
		if line.Blind && line.Reports != "" { // no order depends on a source that reports no status
			b.Blind++
		}
	}
	return b
}

// mostLost returns the stage with the largest share of the lost time, and that share in percent.
func mostLost(cards []stageCard) (*stageCard, int) {
	var total int64
	for i := range cards {
		total += cards[i].lost
	}
	if total == 0 {
		return nil, 0
	}
	i := 0
	for j := range cards {
		if cards[j].lost > cards[i].lost {
			i = j
		}
	}
	return &cards[i], int(math.Round(100 * float64(cards[i].lost) / float64(total)))
}

// stageCards returns a card for every stage of the flow, also for those nothing is known of.
func stageCards(c clock, flow *order.Flow, o sla.Overview) []stageCard {
	known := make(map[string]sla.StageOverview, len(o.Stages))
	for _, st := range o.Stages {
		known[st.Stage] = st
	}
	cards := make([]stageCard, 0, len(flow.Stages))
	for i := range flow.Stages {
		st := &flow.Stages[i]
		cards = append(cards, stageCardOf(c, st, known[st.Name], o.AsOf))
	}
	return cards
}

func stageCardOf(c clock, st *order.Stage, n sla.StageOverview, asOf time.Time) stageCard {
	card := stageCard{
		Name: st.Name, Owner: st.Owner, Kind: c.Kind(st.Kind), Href: stageHref(st.Name, ""),
		Open: n.Open, OpenText: c.Number(n.Open), OpenWord: c.T("stage.orders", "n", n.Open),
		Stuck: n.Stuck, Unknown: n.Unknown, AtRisk: n.AtRisk, lost: n.LostSeconds,
	}
	if n.Open > 0 && !n.Oldest.IsZero() {
		card.Oldest = c.T("stage.oldest", "span", c.Span(asOf.Sub(n.Oldest)))
	}
	x := 0.0
	for _, part := range []struct {
		verdict sla.Verdict
		count   int
	}{{sla.VerdictStuck, n.Stuck}, {sla.VerdictUnknown, n.Unknown}, {sla.VerdictAtRisk, n.AtRisk}, {sla.VerdictOpen, n.Open - n.Stuck - n.Unknown - n.AtRisk}} {
		if part.count <= 0 {
			continue
		}
		m := c.Verdict(string(part.verdict))
		if part.verdict != sla.VerdictOpen {
			word := c.T("chip."+m.Code, "n", part.count)
			card.Chips = append(card.Chips, chip{mark{m.Code, word}, c.Number(part.count), stageHref(st.Name, part.verdict)})
		}
		width := 100 * float64(part.count) / float64(n.Open)
		card.Share = append(card.Share, segment{m.Code, percent(x), percent(width)})
		x += width
	}
	return card
}

func stageHref(stage string, v sla.Verdict) string {
	q := url.Values{"stage": {stage}}
	if v != "" {
		q.Set("verdict", string(v))
	}
	return "/orders?" + q.Encode()
}

// group lays the stages out: serial stages follow each other, what runs beside them belongs to the
// serial stage before it.
func group(flow *order.Flow, cards []stageCard) []stageGroup {
	var groups []stageGroup
	for i := range cards {
		beside := flow.Stages[i].Parallel || flow.Stages[i].Kind == order.Handoff
		switch {
		case !beside:
			groups = append(groups, stageGroup{Serial: &cards[i]})
		case len(groups) == 0:
			groups = append(groups, stageGroup{Beside: cards[i : i+1]})
		default:
			last := &groups[len(groups)-1]
			last.Beside = append(last.Beside, cards[i])
		}
	}
	return groups
}

// causeBars counts stuck orders by cause, the most frequent first.
func causeBars(c clock, stages []sla.StageOverview) []causeBar {
	counts := map[sla.Cause]int{}
	for _, st := range stages {
		for cause, n := range st.ByCause {
			counts[cause] += n
		}
	}
	type entry struct {
		cause sla.Cause
		n     int
	}
	var entries []entry
	for cause, n := range counts {
		if n > 0 && cause != "" {
			entries = append(entries, entry{cause, n})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(b.n-a.n, cmp.Compare(a.cause, b.cause)) })
	bars := make([]causeBar, len(entries))
	for i, e := range entries {
		bars[i] = causeBar{string(e.cause), c.Cause(e.cause), c.Number(e.n), percent(100 * float64(e.n) / float64(entries[0].n))}
	}
	return bars
}
