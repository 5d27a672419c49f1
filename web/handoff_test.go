package web

import (
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// busyLedger is a hand-off that loses the order, and one that nobody watches.
func busyLedger(lost sla.Order) sla.LedgerOverview {
	balance := sla.LedgerBalance{Published: 120, Arrived: 112, DeadLettered: 2, Pending: 5, Lost: 1, Unpublished: 3, Unrecorded: 1, Ended: 4, Copies: 7}
	entry := func(id sla.OrderID, state sla.LedgerState) sla.LedgerEntry {
		return sla.LedgerEntry{State: state, Minute: ago(day), Handoff: sla.Handoff{Order: id, Stage: "price-to-crm", N: 1, Entered: ago(day), Deadline: ago(day - 5*time.Minute), Published: ago(day), Copies: 1}}
	}
	return sla.LedgerOverview{
		AsOf: now, Keys: map[sla.OrderID][]order.Key{lost.ID: lost.Keys},
		Handoffs: []sla.HandoffLedger{
			{Stage: "price-to-crm", Exchange: "mes.events", Queue: "crm.prices", Tap: "rabbitmq", LedgerBalance: balance, Depth: &order.QueueDepth{Queue: "crm.prices", Messages: 31}, DepthAt: now,
				Minutes: []sla.LedgerMinute{{Minute: ago(day).Truncate(time.Minute), LedgerBalance: balance}, {Minute: ago(time.Hour), Incomplete: true}},
				Named:   []sla.LedgerEntry{entry(lost.ID, sla.LedgerLost), entry(900002, sla.LedgerUnpublished), entry(900003, sla.LedgerDeadLettered)}},
			{Stage: "approval-to-mes", Exchange: "crm.events"},
		},
	}
}

func TestFirstPageBalancesTheHandoffs(t *testing.T) {
	body := get(t, newServer(t, busy()), "/").Body.String()
	_, body, _ = strings.Cut(body, `id="handoffs-title"`)
	body, _, _ = strings.Cut(body, "</section>")
	for _, want := range []string{"1 minute is incomplete", ">120<", ">112<", `<b class="overdue">3</b>`, `href="/orders/1042"`, "#900002", ">31<", "nobody watches crm.events"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if body := get(t, newServer(t, &fakeReader{}), "/").Body.String(); strings.Contains(body, "handoffs-title") {
		t.Error("hand-offs are shown where there is none")
	}
}
