package replay_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// data is where the real data sets are on a developer's machine. They are no part of the repository.
const data = "../../shared/data"

func options(t testing.TB, example, file string) replay.Options {
	t.Helper()
	path := filepath.Join(data, file)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the data set is not here: %v", err)
	}
	return replay.Options{Flow: flow(t, example), Mapping: mapping(t, example), Files: []string{path}}
}

func flow(t testing.TB, example string) *order.Flow {
	t.Helper()
	file := filepath.Join("../examples", example, "flow.yaml")
	f, err := order.ParseFlow(file, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range f.Warnings {
		t.Errorf("warning: %s", w)
	}
	return f
}

func mapping(t testing.TB, example string) *replay.Mapping {
	t.Helper()
	file := filepath.Join("../examples", example, "mapping.yaml")
	m, err := replay.ParseMapping(file, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The counts were made from the file alone, by a script of thirty lines that compares a row's dates as
// text: kept if delivered by the promised date, else late; without a delivery late if cancelled after
// it, cancelled if before; else breached if the file's last event comes after it, else on track.
func TestOlistIsCountedAsByHand(t *testing.T) {
	r, err := replay.Run(t.Context(), options(t, "olist", "orders/olist_orders_2016_2017.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "2018-04-28T18:51:50Z"; r.AsOf != want { // 15:51:50 in São Paulo
		t.Errorf("as of %s, want %s", r.AsOf, want)
	}
	if want := (replay.OrderCounts{Total: 13965, Open: 982, Finished: 12233, Cancelled: 750}); r.Orders != want {
		t.Errorf("orders %+v, want %+v", r.Orders, want)
	}
	if want := (replay.EventCounts{Read: 53625, Accepted: 53625, OutOfOrder: 32}); r.Events != want {
		t.Errorf("events %+v, want %+v", r.Events, want)
	}
	want := replay.PromiseCounts{Name: "estimated-delivery", Kept: 11437, Late: 798, Breached: 982, Cancelled: 748}
	if len(r.Promises) != 1 || r.Promises[0] != want {
		t.Errorf("promises %+v, want %+v", r.Promises, want)
	}
	steps := []replay.Transition{
		{From: "olist/PURCHASED", To: "olist/APPROVED", Count: 13876, Expected: true},
		{From: "olist/APPROVED", To: "olist/CARRIER", Count: 12743, Expected: true},
		{From: "olist/CARRIER", To: "olist/DELIVERED", Count: 12210, Expected: true},
		{From: "olist/APPROVED", To: "olist/CANCELLED", Count: 689, Expected: true},
		{From: "olist/PURCHASED", To: "olist/CANCELLED", Count: 60, Expected: true},
		{From: "olist/PURCHASED", To: "olist/CARRIER", Count: 25},
		{From: "olist/APPROVED", To: "olist/DELIVERED", Count: 23},
		{From: "olist/CARRIER", To: "olist/APPROVED", Count: 18},
		{From: "olist/DELIVERED", To: "olist/CARRIER", Count: 6},
		{From: "olist/DELIVERED", To: "olist/CANCELLED", Count: 5},
		{From: "olist/DELIVERED", To: "olist/APPROVED", Count: 4},
		{From: "olist/CARRIER", To: "olist/CANCELLED", Count: 1, Expected: true},
	}
	if !slices.Equal(r.Transitions, steps) {
		t.Errorf("transitions %+v, want %+v", r.Transitions, steps)
	}
	sums(t, r)
}

// Counted by a script from the file alone: 4,953 rows, of which 66 repeat case, activity and start; the
// seconds from a case's Start to its End, sorted, the 113th of 225 and the point four fifths of the way from the
// 213th to the 214th (13.901 and 71.967 days); how many are 30 days or less; the pairs of neighbours within a case.
func TestProductionIsCountedAsByHand(t *testing.T) {
	r, err := replay.Run(t.Context(), options(t, "production", "logs/Production_simod.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (replay.OrderCounts{Total: 225, Finished: 225}); r.Orders != want {
		t.Errorf("orders %+v, want %+v", r.Orders, want)
	}
	if want := (replay.EventCounts{Read: 4953, Accepted: 4887, Duplicate: 66}); r.Events != want {
		t.Errorf("events %+v, want %+v", r.Events, want)
	}
	if want := (replay.PromiseCounts{Name: "thirty-days", Kept: 172, Late: 53}); r.Promises[0] != want {
		t.Errorf("promise %+v, want %+v", r.Promises[0], want)
	}
	want := replay.StageCounts{Name: "making", Visits: 225, Met: 172, Late: 53, EverStuck: 53, P50: 1201080, P95: 6217920}
	if r.Stages[0] != want {
		t.Errorf("stage %+v, want %+v", r.Stages[0], want)
	}
	steps := 0
	for _, x := range r.Transitions {
		steps += x.Count
	}
	if len(r.Transitions) != 192 || steps != 4662 {
		t.Errorf("%d steps of %d kinds, want 4662 of 192", steps, len(r.Transitions))
	}
	if top := r.Transitions[0]; top.From != "production/Turning & Milling" || top.To != top.From || top.Count != 863 {
		t.Errorf("the most frequent is %+v", top)
	}
	sums(t, r)
}

// sums holds a report to what must add up.
func sums(t *testing.T, r *replay.Report) {
	t.Helper()
	stuck := 0
	for _, s := range r.Stages {
		stuck += s.Stuck
		if n := s.Met + s.Late + s.Stuck + s.Unknown + s.AtRisk + s.Skipped + s.Open; n != s.Visits {
			t.Errorf("stage %s: verdicts sum to %d of %d visits", s.Name, n, s.Visits)
		}
		if s.Unknown > 0 {
			t.Errorf("stage %s: %d unknown, though all is proven", s.Name, s.Unknown)
		}
	}
	if len(r.Stuck) != stuck {
		t.Errorf("%d stuck visits listed, %d counted", len(r.Stuck), stuck)
	}
	if o := r.Orders; o.Open+o.Finished+o.Cancelled != o.Total {
		t.Errorf("orders do not add up: %+v", o)
	}
	if e := r.Events; e.Accepted+e.Duplicate+e.Rejected != e.Read {
		t.Errorf("events do not add up: %+v", e)
	}
}
