package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

// busyIncidents are one incident a stuck order, and one in every other state.
func busyIncidents(stuck []sla.Order) []sla.Incident {
	var list []sla.Incident
	for n := range stuck {
		o := &stuck[n]
		v := mostPressing(o)
		severity := sla.SeverityTicket
		if v.Stage == "price-to-crm" || strings.HasPrefix(v.Stage, "calculation") {
			severity = sla.SeverityPage
		}
		list = append(list, sla.Incident{ID: sla.IncidentID(n + 1), Stage: v.Stage, Cause: v.Cause, Severity: severity, Opened: v.Deadline, Orders: 1, Peak: 3, Total: 4,
			Retracted: 1, Reopened: 1, Worst: v.Deadline, Evidence: v.Evidence,
			Members: []sla.IncidentOrder{{Incident: 1, Order: o.ID, Stage: v.Stage, N: v.N, Deadline: v.Deadline, Cause: v.Cause, Joined: v.Deadline, Keys: o.Keys}}})
	}
	gone := sla.IncidentOrder{Incident: 10, Order: 900000, Stage: "claim", N: 1, Deadline: ago(3 * day), Cause: sla.CauseStarved, Joined: ago(2 * day), Left: ago(day), Retracted: true}
	return append(list,
		sla.Incident{ID: 9, Preexisting: true, Severity: sla.SeverityNone, Opened: ago(9 * day), Orders: 412, Peak: 500, Total: 500, Worst: ago(90 * day),
			Members: []sla.IncidentOrder{{Incident: 9, Order: 900001, Stage: "claim", N: 1, Deadline: ago(90 * day), Joined: ago(9 * day)}}},
		sla.Incident{ID: 10, Stage: "claim", Cause: sla.CauseStarved, Channel: "b2b", Partner: "acme", Severity: sla.SeverityTicket, Opened: ago(2 * day), Emptied: ago(10 * time.Minute), Peak: 2, Total: 2,
			Members: []sla.IncidentOrder{gone}},
		sla.Incident{ID: 11, Severity: sla.SeverityTicket, Opened: ago(3 * day), Emptied: ago(2 * day), Closed: ago(day), Peak: 2, Total: 2, Evidence: list[0].Evidence})
}

func TestIncidentsComeFirstAndThoseThatPageBeforeOthers(t *testing.T) {
	body := get(t, newServer(t, busy()), "/").Body.String()
	at := -1
	for _, want := range []string{`id="incidents-title"`, `href="/incidents/1"`, "s-page", `href="/incidents/5"`, "s-ticket", `href="/incidents/9"`, "s-none", `id="map-title"`} {
		next := strings.Index(body, want)
		if next < at {
			t.Errorf("%s comes at %d, after %d", want, next, at)
		}
		at = next
	}
	if strings.Contains(body, "/incidents/11") {
		t.Error("a closed incident is among the open ones")
	}
}

func TestIncidentPageTellsWhatAnIncidentIs(t *testing.T) {
	tests := map[string]struct {
		path string
		want []string
		not  []string
	}{
		"a hand-off that loses orders": {"/incidents/1",
			[]string{"price-to-crm · lost in a hand-off", ">page<", "1 order is stuck", "The message between the systems was lost.", `href="/orders/1042"`, "Check by hand", "Verdicts retracted"},
			[]string{"wake nobody"}},
		"orders that were overdue before": {"/incidents/9", []string{"overdue before the watch began", "wake nobody", "#900001", "411 more orders are in it"}, []string{"Why we say so"}},
		"one whose last order left":       {"/incidents/10", []string{"claim · overtaken by newer orders · b2b · acme", "The last order left at", "The orders that were in it", "retracted"}, []string{"order longest overdue,"}},
		"one that is over":                {"/incidents/11", []string{"Incident 11", "Over since", "Why we say so: the first order"}, nil},
	}
	s := newServer(t, busy())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := get(t, s, test.path)
			wantStatus(t, w, http.StatusOK)
			for _, want := range test.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(w.Body.String(), not) {
					t.Errorf("the page says %q", not)
				}
			}
		})
	}
	wantStatus(t, get(t, s, "/incidents/77"), http.StatusNotFound)
	wantStatus(t, get(t, s, "/incidents/first"), http.StatusNotFound)
	wantStatus(t, get(t, newServer(t, &fakeReader{err: errDown}), "/incidents/1"), http.StatusServiceUnavailable)
}
