package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

const shopFlow = `version: 1
flow: shop
keys: [other, shop]
sources: [{name: all, reports: [shop/*, mes/*]}]
stages:
  - {name: pay, kind: customer, enter: [shop/BOUGHT], leave: [shop/PAID], within: 1h}
  - {name: to-mes, kind: handoff, enter: [shop/PAID], leave: [mes/SEEN], within: 1m}
  - {name: make, kind: production, enter: [shop/PAID], leave: [shop/MADE], within: 1d}
  - {name: send, kind: carrier, enter: [shop/MADE], leave: [shop/SENT], within: 1d}
promises:
  - {name: week, start: [shop/BOUGHT], stop: [shop/SENT], within: 7d}
finish: [shop/CLOSED]
cancel: [shop/CANCELLED]
reopen: [shop/RETURNED]
`

func parseFlow(t testing.TB) *order.Flow {
	t.Helper()
	f, err := order.ParseFlow("flow.yaml", []byte(shopFlow))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var noon = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// closed is a visit that lasted so many minutes.
func closed(stage string, minutes int, v sla.Verdict) sla.Visit {
	return sla.Visit{Stage: stage, N: 1, Entered: noon, Left: noon.Add(time.Duration(minutes) * time.Minute), Verdict: v}
}

func open(stage string, v sla.Verdict) sla.Visit {
	return sla.Visit{Stage: stage, N: 1, Entered: noon, Deadline: noon.Add(time.Hour), Verdict: v}
}

func TestTheReportCountsEveryVerdictOnce(t *testing.T) {
	stuck := open("pay", sla.VerdictStuck)
	stuck.Cause, stuck.StuckAt = sla.CauseWaitingForPerson, noon.Add(time.Hour)
	later := stuck
	later.Deadline = noon.Add(2 * time.Hour)
	was := closed("pay", 90, sla.VerdictLate)
	was.StuckAt, was.Rework = noon.Add(time.Hour), true
	keys := func(id string) []order.Key {
		return []order.Key{{Name: "other", Value: "x"}, {Name: "shop", Value: id}}
	}
	promise := func(v sla.PromiseVerdict) []sla.Promise { return []sla.Promise{{Name: "week", Verdict: v}} }
	orders := []sla.Order{
		{State: sla.StateOpen, Keys: keys("2"), Visits: []sla.Visit{later}, Promises: promise(sla.PromiseBreached)},
		{State: sla.StateOpen, Keys: keys("1"), Visits: []sla.Visit{stuck}, Promises: promise(sla.PromiseOnTrack)},
		{State: sla.StateOpen, Visits: []sla.Visit{open("pay", sla.VerdictUnknown)}, Promises: promise(sla.PromiseAtRisk)},
		{State: sla.StateOpen, Visits: []sla.Visit{open("pay", sla.VerdictOpen)}},
		{State: sla.StateOpen, Visits: []sla.Visit{open("pay", sla.VerdictAtRisk)}},
		{State: sla.StateFinished, Visits: []sla.Visit{was, closed("make", 1, sla.VerdictMet)}, Promises: promise(sla.PromiseLate)},
		{State: sla.StateFinished, Visits: []sla.Visit{closed("pay", 10, sla.VerdictMet)}, Promises: promise(sla.PromiseKept)},
		{State: sla.StateCancelled, Visits: []sla.Visit{closed("pay", 20, sla.VerdictSkipped)}, Promises: promise(sla.PromiseCancelled)},
	}
	want := &Report{
		Orders:   OrderCounts{Total: 8, Open: 5, Finished: 2, Cancelled: 1},
		Promises: []PromiseCounts{{Name: "week", Kept: 1, Late: 1, Breached: 1, OnTrack: 1, AtRisk: 1, Cancelled: 1}},
		Stages: []StageCounts{
			{
				Name: "pay", Visits: 8, Met: 1, Late: 1, Stuck: 2, Unknown: 1, AtRisk: 1, Skipped: 1, Open: 1,
				Rework: 1, EverStuck: 3, P50: 20 * 60, P95: 83 * 60,
			},
			{Name: "to-mes"},
			{Name: "make", Visits: 1, Met: 1, P50: 60, P95: 60},
			{Name: "send"},
		},
		Stuck: []StuckVisit{
			{"1", "pay", "waiting_for_person", "2024-05-01T12:00:00Z", "2024-05-01T13:00:00Z"},
			{"2", "pay", "waiting_for_person", "2024-05-01T12:00:00Z", "2024-05-01T14:00:00Z"},
		},
		Transitions: []Transition{},
	}
	if got := tally(parseFlow(t), "shop", orders); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestQuantile(t *testing.T) {
	of := func(n int) []time.Duration {
		out := make([]time.Duration, n)
		for i := range out {
			out[i] = time.Duration(i+1) * time.Second
		}
		return out
	}
	cases := []struct {
		n    int
		q    float64
		want time.Duration
	}{
		{1, .5, time.Second}, {1, .95, time.Second}, {2, .5, 1500 * time.Millisecond}, {3, .5, 2 * time.Second},
		{21, .95, 20 * time.Second}, {11, .95, 10500 * time.Millisecond}, {5, 0, time.Second}, {5, 1, 5 * time.Second},
	}
	for _, c := range cases {
		if got := quantile(of(c.n), c.q); got != c.want {
			t.Errorf("the %g quantile of %d: got %s, want %s", c.q, c.n, got, c.want)
		}
	}
}

func TestExpectedTransitions(t *testing.T) {
	f := parseFlow(t)
	cases := map[string]bool{
		"shop/BOUGHT → shop/PAID":       true,  // a stage leads there
		"shop/PAID → shop/MADE":         true,  //
		"shop/BOUGHT → shop/MADE":       false, // skips one
		"shop/MADE → shop/PAID":         false, // goes back
		"shop/PAID → shop/PAID":         false, // repeats
		"shop/PAID → mes/SEEN":          true,  // a hand-off
		"mes/SEEN → shop/MADE":          true,  // what runs beside a hand-off
		"shop/MADE → mes/SEEN":          true,  // in any order
		"shop/BOUGHT → mes/SEEN":        false, // but not before it
		"mes/SEEN → shop/BOUGHT":        false, //
		"shop/SENT → shop/CLOSED":       true,  // nothing stands between
		"shop/MADE → shop/CLOSED":       false, // a stage does
		"shop/CLOSED → shop/CLOSED":     false, //
		"shop/BOUGHT → shop/CANCELLED":  true,  // at any time
		"shop/CLOSED → shop/CANCELLED":  false, // but not after the end
		"shop/CLOSED → shop/RETURNED":   true,  // reopened
		"shop/PAID → shop/RETURNED":     false, // was never closed
		"shop/PAID → shop/UNHEARD":      false, // not in the flow
		"shop/UNHEARD → shop/PAID":      false, //
		"shop/UNHEARD → shop/CANCELLED": true,  //
	}
	for step, want := range cases {
		a, b, _ := strings.Cut(step, " → ")
		from, _ := order.ParseStatus(a)
		to, _ := order.ParseStatus(b)
		if got := sla.Expected(f, from, to); got != want {
			t.Errorf("%s: got %t", step, got)
		}
	}
}

// The JSON of an empty report is the contract, word by word.
func TestTheNamesOfTheJSONReport(t *testing.T) {
	r := &Report{
		Promises: []PromiseCounts{{}}, Stages: []StageCounts{{}}, Stuck: []StuckVisit{{}}, Transitions: []Transition{{Expected: true}},
		Rejected: Rejections{First: []Rejection{{File: "f"}}},
	}
	var got, want bytes.Buffer
	if err := r.WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	const contract = `{"as_of":"", "orders":{"total":0,"open":0,"finished":0,"cancelled":0},
     "events":{"read":0,"accepted":0,"duplicate":0,"rejected":0,"out_of_order":0},
     "promises":[{"name":"","kept":0,"late":0,"breached":0,"on_track":0,"at_risk":0,"cancelled":0}],
     "stages":[{"name":"","visits":0,"met":0,"late":0,"stuck":0,"unknown":0,"at_risk":0,"skipped":0,"open":0,"rework":0,"ever_stuck":0,"p50_seconds":0,"p95_seconds":0}],
     "stuck":[{"order":"","stage":"","cause":"","since":"","due":""}],
     "transitions":[{"from":"","to":"","count":0,"expected":true}]}`
	if err := json.Indent(&want, []byte(contract+"\n"), "", "  "); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want.String())
	}
}

// full takes n bytes and no more.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAReportThatCannotBeWrittenSaysSo(t *testing.T) {
	r := tally(parseFlow(t), "shop", nil)
	r.Rejected.add(Rejection{File: "f.csv", Row: 2, Reason: ReasonKey})
	var whole bytes.Buffer
	if err := r.WriteText(&whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if err := r.WriteText(&full{n}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if err := r.WriteJSON(&full{}); err == nil {
		t.Error("JSON: no error")
	}
}
