package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// stuckOrder is an order with stays in a stage, in minutes after noon: from its deadline until it left, 0 not at all.
func stuckOrder(stage string, breach int, stays ...[2]int) sla.Order {
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	o := sla.Order{Attrs: []order.Attr{{Name: "partner", Value: "tiny"}}}
	for _, s := range stays {
		v := sla.Visit{Stage: stage, Deadline: minute(s[0]), StuckAt: minute(s[0] + 1), Cause: sla.CauseStalled, Verdict: sla.VerdictStuck}
		if s[1] > 0 {
			v.Left = minute(s[1])
		}
		o.Visits = append(o.Visits, v, sla.Visit{Stage: stage, Deadline: minute(0), Left: minute(1), Verdict: sla.VerdictMet})
	}
	if breach > 0 {
		o.Promises = []sla.Promise{{Due: minute(breach), Verdict: sla.PromiseBreached}}
	}
	return o
}

func TestIncidents(t *testing.T) {
	cases := map[string]struct {
		rule   string
		orders []sla.Order
		want   []string
	}{
		"orders stuck together are one incident until the last has left and the wait is over": {
			"", []sla.Order{stuckOrder("pay", 0, [2]int{10, 30}), stuckOrder("pay", 0, [2]int{20, 50})},
			[]string{"pay stalled ticket 10-80 orders 2 peak 2"},
		},
		"a return within the wait is the same incident, one after it is another": {
			"", []sla.Order{stuckOrder("pay", 0, [2]int{10, 20}, [2]int{50, 60}), stuckOrder("pay", 0, [2]int{91, 95})},
			[]string{"pay stalled ticket 10-90 orders 1 peak 1", "pay stalled ticket 91-125 orders 1 peak 1"},
		},
		"who stays keeps it open": {
			"", []sla.Order{stuckOrder("pay", 0, [2]int{10, 0}), stuckOrder("pay", 0, [2]int{500, 510})},
			[]string{"pay stalled ticket 10- orders 2 peak 2"},
		},
		"the wait may outlast the history": {
			"", []sla.Order{stuckOrder("pay", 0, [2]int{10, 980})}, []string{"pay stalled ticket 10- orders 1 peak 1"},
		},
		"fewer than min_orders at once are none, and those before belong to it": {
			"{min_orders: 2, close_after: 5m}",
			[]sla.Order{stuckOrder("pay", 0, [2]int{10, 20}), stuckOrder("pay", 0, [2]int{30, 60}), stuckOrder("pay", 0, [2]int{40, 50}), stuckOrder("pay", 0, [2]int{70, 80})},
			[]string{"pay stalled ticket 40-65 orders 2 peak 2"},
		},
		"stages apart, machines page": {
			"", []sla.Order{stuckOrder("pay", 0, [2]int{10, 20}), stuckOrder("to-mes", 0, [2]int{5, 20})},
			[]string{"to-mes stalled page 5-50 orders 1 peak 1", "pay stalled ticket 10-50 orders 1 peak 1"},
		},
		"without stages the gravest of them counts, and small partners are other": {
			"{group_by: [partner]}", []sla.Order{stuckOrder("pay", 0, [2]int{10, 20}), stuckOrder("to-mes", 0, [2]int{15, 20})},
			[]string{"other page 10-50 orders 2 peak 2"},
		},
		"the first promise that breaks after an order got stuck counts": {
			"", []sla.Order{stuckOrder("pay", 5, [2]int{10, 20}), stuckOrder("pay", 100, [2]int{15, 20}), stuckOrder("pay", 70, [2]int{15, 0})},
			[]string{"pay stalled ticket 10- orders 3 peak 3 announced 2 first 70 60m before"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := shopFlow
			if c.rule != "" {
				text += "incidents: " + c.rule + "\n"
			}
			flow, err := order.ParseFlow("flow.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range incidents(flow, c.orders, noon.Add(1000*time.Minute)) {
				got = append(got, i.line())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func (i *Incident) line() string {
	minute := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return fmt.Sprint(at.Sub(noon).Minutes())
	}
	text := fmt.Sprintf("%s %s %s-%s orders %d peak %d", strings.ReplaceAll(i.what(), ",", ""), i.Severity, minute(i.opened), minute(i.closed), i.Orders, i.Peak)
	if i.Announced > 0 {
		text += fmt.Sprintf(" announced %d first %s %vm before", i.Announced, minute(i.firstBreach), *i.BeforeBreach/60)
	}
	return text
}

func TestABacktestSetsTwoFlowsSideBySide(t *testing.T) {
	against, err := order.ParseFlow("g.yaml", []byte(strings.NewReplacer("within: 1h", "within: 110m", "{name: make, kind: production, enter: [shop/PAID], leave: [shop/MADE], within: 1d}",
		"{name: make, kind: production, enter: [shop/PAID], leave: [shop/MADE], within: 30m}").Replace(shopFlow)))
	if err != nil {
		t.Fatal(err)
	}
	o := BacktestOptions{Flow: parseFlow(t), Against: against, Mapping: parse(t, longMapping), Files: []string{file(t, "f.csv", twoOrders+"3,BOUGHT,2024-05-20 12:00:00\n")}}
	b, err := RunBacktest(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	show := func(list []Incident) string {
		out := make([]string, 0, len(list))
		for i := range list {
			out = append(out, list[i].line())
		}
		return strings.Join(out, "; ")
	}
	// Order 1 is paid after two hours and made after three; nobody pays 2. The promise to both breaks after a week.
	const week = 7 * 24 * 60
	for what, got := range map[string][2]string{
		"by the flow": {show(b.Flow.Incidents), "pay waiting_for_person ticket 60- orders 2 peak 2 announced 2 first 10080 10020m before; " +
			"to-mes lost_in_handoff page 121- orders 1 peak 1 announced 1 first 10080 9959m before; send waiting_for_person ticket 1620- orders 1 peak 1 announced 1 first 10080 8460m before"},
		"only by it":        {show(b.Difference.OnlyFlow), ""},
		"only by the other": {show(b.Difference.OnlyAgainst), "make waiting_for_person ticket 150-210 orders 1 peak 1 announced 1 first 10080 9930m before"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got\n%s\nwant\n%s", what, got[0], got[1])
		}
	}
	if len(b.Difference.Both) != 3 || b.Difference.Both[0].Earlier != -50*60 {
		t.Errorf("both: %+v", b.Difference.Both)
	}
	if f := b.Flow; f.Pages != 1 || f.Tickets != 2 || f.Stuck != 2 || f.Broken != 2 || f.Announced != 2 || f.Warning != (week-60)*60 {
		t.Errorf("summary %+v", f)
	}
	var text, object bytes.Buffer
	if err := b.WriteText(&text); err != nil || !strings.Contains(text.String(), "Only --against opens") || !strings.Contains(text.String(), "50m0s later") {
		t.Errorf("%v\n%s", err, text.String())
	}
	var back Backtest
	if err := b.WriteJSON(&object); err != nil || json.Unmarshal(object.Bytes(), &back) != nil || len(back.Difference.Both) != 3 || back.AsOf != b.AsOf {
		t.Errorf("%v\n%s", err, object.String())
	}
}
