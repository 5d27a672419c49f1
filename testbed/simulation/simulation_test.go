package simulation

import (
	"reflect"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

func TestEqualOptionsGiveEqualEventsWhateverTheSteps(t *testing.T) {
	from := historyStart.AddDate(0, 0, 40)
	live := Period{From: from, To: from.Add(20 * time.Minute)}
	end := from.Add(36 * time.Hour)
	whole := newSimulation(t, 7, live).Next(end)

	stepwise := newSimulation(t, 7, live)
	var parts []order.Event
	for at := historyStart; at.Before(end); {
		step := 7 * time.Hour
		if live.holds(at) {
			step = time.Second
		}
		if at = at.Add(step); at.After(from) && at.Add(-step).Before(from) {
			at = from
		}
		if at.After(end) {
			at = end
		}
		parts = append(parts, stepwise.Next(at)...)
	}
	if len(whole) != len(parts) {
		t.Fatalf("%d events in one step, %d in many", len(whole), len(parts))
	}
	for i := range whole {
		if !reflect.DeepEqual(whole[i], parts[i]) {
			t.Fatalf("event %d is %+v in one step and %+v in many", i, whole[i], parts[i])
		}
	}
	if other := newSimulation(t, 8, live).Next(end); reflect.DeepEqual(whole[:100], other[:100]) {
		t.Error("another seed gives the same events")
	}
}

// A demo that is started again knows only then when its last live period ended.
func TestAPeriodThatEndedIsWhatAnEndlessOneWasUntilThen(t *testing.T) {
	from := historyStart.AddDate(0, 0, 10)
	last := from.Add(10 * time.Minute)
	endless := newSimulation(t, 3, Period{From: from}).Next(last)
	ended := newSimulation(t, 3, Period{From: from, To: last.Add(1)}).Next(last)
	if !reflect.DeepEqual(endless, ended) {
		t.Error("the end of the period changes what was before it")
	}
}

func TestWatchersSeeMovement(t *testing.T) {
	from := historyStart.AddDate(0, 0, 30)
	s := newSimulation(t, 5, Period{From: from})
	s.Next(from)
	events := s.Next(from.Add(time.Hour))
	seen, marks := map[string]int{}, 0
	for i := range events {
		switch e := &events[i]; e.Kind {
		case order.KindStatus:
			seen[e.System+"/"+e.Status]++
		case order.KindWatermark:
			marks++
		default:
		}
	}
	if marks != 3*3600 {
		t.Errorf("%d watermarks in an hour of three sources", marks)
	}
	for _, stage := range s.Flow.Stages {
		for _, status := range stage.Enter {
			if seen[status.String()] < 200 {
				t.Errorf("%d orders came to %s in an hour", seen[status.String()], status)
			}
		}
	}
	live := 0
	for _, f := range s.Truth() {
		if f.Began.After(from) {
			live++
		}
	}
	if live < 5 || live > 60 {
		t.Errorf("%d faults in an hour", live)
	}
}

func TestOptionsThatCannotBeSimulatedAreRefused(t *testing.T) {
	other, err := order.ParseFlow("flow.yaml", []byte("version: 1\nflow: other\nkeys: [order]\nsources: [{name: db, reports: [a/*]}]\n"+
		"stages: [{name: one, kind: queue, enter: [a/X], leave: [a/Y]}]\nfinish: [a/Y]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"no flow":                   {Start: historyStart},
		"no start":                  {Flow: exampleFlow(t)},
		"the flow of another place": {Start: historyStart, Flow: other},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkYear(b *testing.B) {
	flow := exampleFlow(b)
	for b.Loop() {
		s, err := New(Options{Seed: 1, Start: historyStart, Flow: flow})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for m := range 12 {
			n += len(s.Next(historyStart.AddDate(0, m+1, 0)))
		}
		b.ReportMetric(float64(n), "events")
	}
}
