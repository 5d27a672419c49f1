package web

import (
	"net/http"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// handoffNames is how many orders of one count the first page names.
const handoffNames = 3

// handoffLine is the balance of one hand-off.
type handoffLine struct {
	Name, Href, Note string
	Counts           []handoffCount
	Depth            string
}

// handoffCount is one number of a balance, with some of the orders it counts where they are to be looked at.
type handoffCount struct {
	Word, Count string
	Alarm       bool
	Orders      []orderRef
}

func handoffLines(c clock, ledger sla.LedgerOverview) []handoffLine {
	var lines []handoffLine
	for i := range ledger.Handoffs {
		lines = append(lines, handoffLineOf(c, &ledger.Handoffs[i], ledger.Keys))
	}
	return lines
}

func handoffLineOf(c clock, h *sla.HandoffLedger, keys map[sla.OrderID][]order.Key) handoffLine {
	line := handoffLine{Name: h.Stage, Href: stageHref(h.Stage, ""), Note: handoffNote(c, h), Depth: "–"}
	if h.Depth != nil {
		line.Depth = c.Number(int(h.Depth.Messages))
	}
	for _, x := range []struct {
		word  string
		n     int
		state sla.LedgerState
	}{
		{c.T("handoff.published"), h.Published, ""}, {c.T("handoff.arrived"), h.Arrived, ""},
		{c.T("handoff.dead_lettered"), h.DeadLettered, sla.LedgerDeadLettered}, {c.T("handoff.pending"), h.Pending, ""},
		{c.T("handoff.lost"), h.Lost, sla.LedgerLost}, {c.T("handoff.unpublished"), h.Unpublished, sla.LedgerUnpublished},
		{c.T("handoff.unrecorded"), h.Unrecorded, sla.LedgerUnrecorded},
	} {
		count := handoffCount{Word: x.word, Count: c.Number(x.n), Alarm: x.n > 0 && x.state != ""}
		for n := range h.Named {
			if entry := &h.Named[n]; entry.State == x.state && len(count.Orders) < handoffNames {
				m := sla.IncidentOrder{Order: entry.Order, Keys: keys[entry.Order]}
				count.Orders = append(count.Orders, orderRef{Name: memberName(&m), Path: memberPath(&m)})
			}
		}
		line.Counts = append(line.Counts, count)
	}
	return line
}

// handoffNote says how far the balance can be trusted.
func handoffNote(c clock, h *sla.HandoffLedger) string {
	if h.Tap == "" {
		return c.T("handoff.no_tap", "exchange", h.Exchange)
	}
	incomplete := 0
	for _, m := range h.Minutes {
		if m.Incomplete {
			incomplete++
		}
	}
	if incomplete > 0 {
		return c.T("handoff.incomplete", "n", incomplete)
	}
	return c.T("handoff.complete", "source", h.Tap)
}

// handoffItem is the balance of one hand-off in the API.
type handoffItem struct {
	Handoff  string `json:"handoff"`
	Exchange string `json:"exchange"`
	Queue    string `json:"queue,omitempty"`
	Tap      string `json:"tap,omitempty"`
	balanceItem
	Depth   *int64        `json:"depth,omitempty"`
	DepthAt time.Time     `json:"depth_at,omitzero"`
	Minutes []minuteItem  `json:"minutes"`
	Orders  []unevenOrder `json:"orders"`
}

type balanceItem struct {
	Published    int `json:"published"`
	Arrived      int `json:"arrived"`
	DeadLettered int `json:"dead_lettered"`
	Pending      int `json:"pending"`
	Lost         int `json:"lost"`
	Unpublished  int `json:"unpublished"`
	Unrecorded   int `json:"unrecorded"`
	Ended        int `json:"ended"`
	Copies       int `json:"copies"`
}

type minuteItem struct {
	Minute time.Time `json:"minute"`
	balanceItem
	Incomplete bool `json:"incomplete"`
}

// unevenOrder is an order that keeps a hand-off from coming out even.
type unevenOrder struct {
	Keys      map[string]string `json:"keys"`
	State     sla.LedgerState   `json:"state"`
	Visit     int               `json:"visit"`
	Entered   time.Time         `json:"entered,omitzero"`
	Deadline  time.Time         `json:"deadline,omitzero"`
	Published time.Time         `json:"published,omitzero"`
	Dead      time.Time         `json:"dead_lettered,omitzero"`
	Arrived   time.Time         `json:"arrived,omitzero"`
	Copies    int               `json:"copies"`
}

func (s *Server) apiHandoffs(w http.ResponseWriter, r *http.Request) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	ledger, err := s.reader.Handoffs(r.Context())
	if err != nil {
		return err
	}
	doc := listDocument[handoffItem]{AsOf: ledger.AsOf.UTC(), Items: []handoffItem{}}
	for i := range ledger.Handoffs {
		doc.Items = append(doc.Items, handoffItemOf(&ledger.Handoffs[i], ledger.Keys))
	}
	return writeJSON(w, http.StatusOK, jsonType, doc)
}

func handoffItemOf(h *sla.HandoffLedger, keys map[sla.OrderID][]order.Key) handoffItem {
	item := handoffItem{Handoff: h.Stage, Exchange: h.Exchange, Queue: h.Queue, Tap: h.Tap, balanceItem: balanceItem(h.LedgerBalance),
		DepthAt: h.DepthAt.UTC(), Minutes: []minuteItem{}, Orders: []unevenOrder{}}
	if h.Depth != nil {
		item.Depth = &h.Depth.Messages
	}
	for _, m := range h.Minutes {
		item.Minutes = append(item.Minutes, minuteItem{m.Minute.UTC(), balanceItem(m.LedgerBalance), m.Incomplete})
	}
	for _, x := range h.Named {
		item.Orders = append(item.Orders, unevenOrder{Keys: keyMap(keys[x.Order]), State: x.State, Visit: x.N, Entered: x.Entered.UTC(), Deadline: x.Deadline.UTC(),
			Published: x.Published.UTC(), Dead: x.Dead.UTC(), Arrived: x.Left.UTC(), Copies: x.Copies})
	}
	return item
}
