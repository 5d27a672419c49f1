package sla

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// takeIncidents folds a change and notes what comes of it.
func (l *timeline) takeIncidents(c *Change) {
	said := len(c.Audit)
	l.group.Fold(c, l.clock)
	for _, a := range c.Audit[said:] {
		l.grouped = append(l.grouped, fmt.Sprintf("%s %s %s", l.clock.Sub(day0), strings.TrimPrefix(string(a.Kind), "incident_"), a.Detail))
	}
	for _, i := range c.Incidents {
		l.grouped = append(l.grouped, l.clock.Sub(day0).String()+" "+tellIncident(&i))
	}
}

// tellIncident tells: #number group severity orders of peak of total.
func tellIncident(i *Incident) string {
	words := []string{"#" + i.ID.String()}
	for _, by := range []string{i.Stage, string(i.Cause), i.Channel, i.Partner} {
		if by != "" {
			words = append(words, by)
		}
	}
	if i.Preexisting {
		words = append(words, "preexisting")
	}
	words = append(words, string(i.Severity), fmt.Sprintf("%d of %d of %d", i.Orders, i.Peak, i.Total))
	if i.Retracted > 0 {
		words = append(words, fmt.Sprintf("retracted %d", i.Retracted))
	}
	if !i.Worst.IsZero() {
		words = append(words, "worst "+i.Worst.Sub(day0).String())
	}
	if !i.Closed.IsZero() {
		words = append(words, "closed")
	}
	return strings.Join(words, " ")
}

func TestIncidentsTimeline(t *testing.T) {
	tests := map[string]struct {
		rule  string // in place of the test flow's
		since time.Duration
		story string
		want  string
	}{
		"an incident opens, grows, shrinks and closes half an hour after the last order left": {
			story: `
				0s shop/SUBMITTED
				30s shop/SUBMITTED @2
				1m watermark mes-db
				2m watermark mes-db
				3m mes/SUBMITTED
				4m mes/SUBMITTED @2
				5m mes/STARTED
				5m mes/STARTED @2
				33m now
				34m now`,
			want: `
				1m0s opened 1
				1m0s #1 handover lost_in_handoff page 1 of 1 of 1 worst 1m0s
				2m0s #1 handover lost_in_handoff page 2 of 2 of 2 worst 1m0s
				3m0s #1 handover lost_in_handoff page 1 of 2 of 2 worst 1m30s
				4m0s #1 handover lost_in_handoff page 0 of 2 of 2
				34m0s closed 1
				34m0s #1 handover lost_in_handoff page 0 of 2 of 2 closed`,
		},
		"an order that is stuck before the incident closed returns to it": {
			story: `
				0s shop/SUBMITTED
				2m watermark mes-db
				3m mes/SUBMITTED
				3m mes/STARTED
				20m shop/SUBMITTED @2
				32m watermark mes-db
				33m now`,
			want: `
				2m0s opened 1
				2m0s #1 handover lost_in_handoff page 1 of 1 of 1 worst 1m0s
				3m0s #1 handover lost_in_handoff page 0 of 1 of 1
				32m0s reopened 1
				32m0s #1 handover lost_in_handoff page 1 of 1 of 2 worst 21m0s`,
		},
		"one that is stuck later begins another incident": {
			story: `
				0s shop/SUBMITTED
				2m watermark mes-db
				3m mes/SUBMITTED
				3m mes/STARTED
				3m mes/PRICED
				3m crm/PRICED
				20m shop/SUBMITTED @2
				33m watermark mes-db`,
			want: `
				2m0s opened 1
				2m0s #1 handover lost_in_handoff page 1 of 1 of 1 worst 1m0s
				3m0s #1 handover lost_in_handoff page 0 of 1 of 1
				33m0s closed 1
				33m0s opened 2
				33m0s #1 handover lost_in_handoff page 0 of 1 of 1 closed
				33m0s #2 handover lost_in_handoff page 1 of 1 of 1 worst 21m0s`,
		},
		"a verdict that a late fact takes back leaves as retracted": {
			story: `
				0s shop/SUBMITTED
				2m watermark mes-db
				30s late mes/SUBMITTED`,
			want: `
				2m0s opened 1
				2m0s #1 handover lost_in_handoff page 1 of 1 of 1 worst 1m0s
				2m0s #1 handover lost_in_handoff page 0 of 1 of 1 retracted 1`,
		},
		"causes and stages are told apart": {
			story: `
				0s crm/PRICED
				1s shop/SUBMITTED @2
				9h watermark mes-db
				9h watermark shop-db`,
			want: `
				9h0m0s opened 1
				9h0m0s #1 handover lost_in_handoff page 1 of 1 of 1 worst 1m1s
				9h0m0s opened 2
				9h0m0s #2 approval waiting_for_person ticket 1 of 1 of 1 worst 8h0m0s`,
		},
		"nothing opens below min_orders, and then with all who wait": {
			rule: "{group_by: [stage], min_orders: 2, close_after: 30m}",
			story: `
				0s shop/SUBMITTED
				30s shop/SUBMITTED @2
				1m watermark mes-db
				2m watermark mes-db
				3m mes/SUBMITTED`,
			want: `
				2m0s opened 1
				2m0s #1 handover page 2 of 2 of 2 worst 1m0s
				3m0s #1 handover page 1 of 2 of 2 worst 1m30s`,
		},
		"an attribute that comes late moves the order to another group": {
			rule: "{group_by: [channel], min_orders: 1, close_after: 30m}",
			story: `
				0s shop/SUBMITTED
				2m watermark mes-db
				3m shop/OTHER channel=b2b`,
			want: `
				2m0s opened 1
				2m0s #1 page 1 of 1 of 1 worst 1m0s
				3m0s opened 2
				3m0s #1 page 0 of 1 of 1
				3m0s #2 b2b page 1 of 1 of 1 worst 1m0s`,
		},
		"severity grows with its orders and does not fall": {
			rule: "{group_by: [channel], min_orders: 1, close_after: 30m}",
			story: `
				0s crm/PRICED
				8h watermark shop-db
				8h shop/SUBMITTED @2
				9h watermark mes-db
				10h mes/SUBMITTED @2`,
			want: `
				8h0m0s opened 1
				8h0m0s #1 ticket 1 of 1 of 1 worst 8h0m0s
				9h0m0s #1 page 2 of 2 of 2 worst 8h0m0s
				10h0m0s #1 page 1 of 2 of 2 worst 8h0m0s`,
		},
		"what was overdue before the watch began is one incident that pages nobody": {
			since: 2 * time.Hour,
			story: `
				0s shop/SUBMITTED
				1h shop/SUBMITTED @2
				1h crm/PRICED @3
				2h shop/SUBMITTED @4
				3h watermark mes-db`,
			want: `
				3h0m0s opened 1
				3h0m0s opened 2
				3h0m0s #1 preexisting none 2 of 2 of 2 worst 1m0s
				3h0m0s #2 handover lost_in_handoff page 1 of 1 of 1 worst 2h1m0s`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			flow := testFlow
			if test.rule != "" {
				flow = strings.Replace(flow, "{group_by: [stage, cause], min_orders: 1, close_after: 30m}", test.rule, 1)
			}
			l := newTimelineOf(t, flow)
			if test.since > 0 {
				l.group.WatchedSince(day0.Add(test.since))
			}
			l.play(test.story)
			if got, want := strings.Join(l.grouped, "\n"), trimLines(test.want); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestProofFromAPollMakesATicket(t *testing.T) {
	s := NewIncidents(parseFlow(t, testFlow), IncidentMemory{})
	c := &Change{Stuck: []StuckVisit{{Order: 1, Stage: "handover", N: 1, Stuck: true, Deadline: day0, Approximate: true}}}
	s.Fold(c, day0)
	if got := c.Incidents[0].Severity; got != SeverityTicket {
		t.Errorf("severity %s", got)
	}
}

func TestMergedOrderLeavesItsPartToTheSurvivor(t *testing.T) {
	s := NewIncidents(parseFlow(t, testFlow), IncidentMemory{})
	stuck := func(id OrderID) StuckVisit {
		return StuckVisit{Order: id, Stage: "handover", N: 1, Stuck: true, At: day0, Deadline: day0, Cause: CauseLostInHandoff}
	}
	s.Fold(&Change{Stuck: []StuckVisit{stuck(2)}}, day0)
	c := &Change{Stuck: []StuckVisit{stuck(1)}, Removed: []Merge{{From: 2, Into: 1}}}
	s.Fold(c, day0.Add(time.Minute))
	if len(c.Audit) > 0 || len(c.Incidents) != 1 || c.Incidents[0].Orders != 1 || c.Incidents[0].Total != 2 {
		t.Errorf("said %+v, incidents %+v", c.Audit, c.Incidents)
	}
}

func TestNumbersAreNotGivenTwice(t *testing.T) {
	s := NewIncidents(parseFlow(t, testFlow), IncidentMemory{Last: 41})
	c := &Change{Stuck: []StuckVisit{{Order: 1, Stage: "handover", N: 1, Stuck: true, Deadline: day0}}}
	s.Fold(c, day0)
	if got := c.Incidents[0].ID; got != 42 {
		t.Errorf("number %d", got)
	}
}

func TestAnIncidentOlderThanItsMemoryBeginsWithItsVerdicts(t *testing.T) {
	flow := parseFlow(t, testFlow)
	s := NewIncidents(flow, IncidentMemory{})
	c := &Change{}
	for i, days := range []int{3, 1, 2} {
		at := day0.AddDate(0, 0, days)
		c.Stuck = append(c.Stuck, StuckVisit{Order: OrderID(i + 1), Stage: "claim", N: 1, Stuck: true, At: at, Deadline: at, Cause: CauseWaitingForPerson})
	}
	s.Fold(c, day0.AddDate(0, 0, 30))
	open := s.Open()
	if len(open) != 1 || !open[0].Opened.Equal(day0.AddDate(0, 0, 1)) {
		t.Errorf("open are %+v, want one since the first verdict", open)
	}
}
