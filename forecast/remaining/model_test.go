package remaining

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// workshop makes orders whose pace depends on a size known at the start, on a machine known later, and chance.
func workshop(n int, seed uint64) []Case {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]Case, 0, n)
	for i := range n {
		size := random.IntN(10)
		machine := random.IntN(3)
		at := monday.Add(time.Duration(i) * 3 * time.Hour)
		c := Case{Key: strconv.Itoa(i), Attrs: []order.Attr{{Name: "size", Value: strconv.Itoa(size)}}}
		step := func(status string, days float64, attrs ...order.Attr) {
			at = at.Add(time.Duration(days * float64(day)))
			c.Events = append(c.Events, Event{at, status, attrs})
		}
		step("SUBMITTED", 0)
		step("APPROVED", random.ExpFloat64())
		step("STARTED", 1, order.Attr{Name: "machine", Value: "m" + strconv.Itoa(machine)})
		step("MADE", float64(1+size)*(1+float64(machine))*(0.8+0.4*random.Float64()))
		if random.IntN(4) == 0 {
			step("REPAIRED", 5)
		}
		step("SHIPPED", 2+random.ExpFloat64())
		out = append(out, c)
	}
	return out
}

func trained(t testing.TB, cases []Case, o Options) *Model {
	t.Helper()
	m, err := Train(context.Background(), cases, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// prefixes calls do with every prefix of the cases, its load and the days that were left.
func prefixes(m *Model, history, cases []Case, do func(prefix Case, load Load, left float64)) {
	all := byStart(append(append([]Case(nil), history...), cases...))
	wanted := map[string]bool{}
	for _, c := range cases {
		wanted[c.Key] = true
	}
	loads := observeAll(m.NewTracker(), all)
	for i, c := range all {
		if !wanted[c.Key] {
			continue
		}
		end := c.Events[len(c.Events)-1].Time
		for k := 1; k < len(c.Events); k++ {
			prefix := c
			prefix.Events = c.Events[:k]
			do(prefix, loads[i][k-1], days(c.Events[k-1].Time, end))
		}
	}
}

func TestWhatWasLearnedHolds(t *testing.T) {
	cases := workshop(900, 1)
	history, unseen := cases[:600], cases[600:]
	m := trained(t, history, Options{Seed: 1, Trees: 150})
	if len(m.fit.Settings) == 0 || m.fit.Trees == 0 || m.fit.ValidationError <= 0 {
		t.Fatalf("fit is %+v", m.fit)
	}
	var mean, errors, naive, n float64
	for _, c := range history {
		mean += days(c.Events[0].Time, c.Events[len(c.Events)-1].Time) / 2 / float64(len(history))
	}
	var judged []Judged
	prefixes(m, history, unseen, func(prefix Case, load Load, left float64) {
		d := m.Predict(prefix, load)
		errors += math.Abs(d.Median().Hours()/24 - left)
		naive += math.Abs(mean - left)
		n++
		for _, due := range []float64{3, 8, 16} {
			judged = append(judged, Judged{d.ProbabilityOver(time.Duration(due * float64(day))), left > due})
		}
	})
	if errors > 0.5*naive {
		t.Errorf("mean error is %.2f days, naively %.2f", errors/n, naive/n)
	}
	if r := NewReliability(judged, 10); r.Error > 0.05 {
		t.Errorf("of orders given p, not about p broke: error %.3f, %+v", r.Error, r.Rows)
	}
}

func TestAModelDependsOnItsInputAlone(t *testing.T) {
	cases := workshop(120, 2)
	one := trained(t, cases, Options{Seed: 3, Workers: 1, Trees: 12})
	shuffled := append([]Case(nil), cases...)
	rand.New(rand.NewPCG(9, 9)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	other := trained(t, shuffled, Options{Seed: 3, Workers: 4, Trees: 12})
	a := bytesOf(t, one)
	if !bytes.Equal(a, bytesOf(t, other)) {
		t.Error("workers or the order of cases change the model")
	}
	if bytes.Equal(a, bytesOf(t, trained(t, cases, Options{Seed: 4, Trees: 12}))) {
		t.Error("the seed changes nothing")
	}
}

func bytesOf(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAModelReadBackForecastsTheSame(t *testing.T) {
	cases := workshop(120, 4)
	m := trained(t, cases, Options{Trees: 12})
	text := bytesOf(t, m)
	again, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Fit(), m.Fit()) || !bytes.Equal(bytesOf(t, again), text) {
		t.Error("the model changed in the file")
	}
	prefixes(again, nil, cases[:20], func(prefix Case, load Load, _ float64) {
		if a, b := m.Predict(prefix, load), again.Predict(prefix, load); !reflect.DeepEqual(a, b) {
			t.Fatalf("forecast %v became %v", a, b)
		}
	})
}

func TestADamagedModelIsRefused(t *testing.T) {
	m := trained(t, workshop(MinCases, 5), Options{Trees: 12})
	text := bytesOf(t, m)
	if _, err := Read(bytes.NewReader(text[:len(text)/2])); err == nil {
		t.Error("half a file was read")
	}
	m.cuts = m.cuts[1:]
	if _, err := Read(bytes.NewReader(bytesOf(t, m))); !errors.Is(err, errCorrupt) {
		t.Errorf("a model that lacks a cut gave %v", err)
	}
}

func TestTooFewCasesSayHowManyAreNeeded(t *testing.T) {
	cases := workshop(MinCases-1, 6)
	cases = append(cases, Case{Key: "alone", Events: cases[0].Events[:1]}, Case{Key: "empty"})
	_, err := Train(context.Background(), cases, Options{Trees: 12})
	if !errors.Is(err, ErrTooFewCases) || !strings.Contains(err.Error(), "99 with at least two events, 100 are needed") {
		t.Errorf("got %v", err)
	}
	if _, err := Train(context.Background(), workshop(MinCases, 6), Options{Trees: 12}); err != nil {
		t.Errorf("enough cases gave %v", err)
	}
}

func TestTrainingStopsWhenToldTo(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Train(ctx, workshop(150, 7), Options{Trees: 12}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDegenerateHistoryGivesFiniteForecasts(t *testing.T) {
	events := func(i int, gap time.Duration, status ...string) []Event {
		at := monday.Add(time.Duration(i) * time.Hour)
		out := make([]Event, 0, len(status))
		for _, s := range status {
			out = append(out, Event{Time: at, Status: s})
			at = at.Add(gap)
		}
		return out
	}
	for name, history := range map[string]func(i int) []Event{
		"all take the same time":   func(i int) []Event { return events(i, day, "A", "B", "C") },
		"all end at once":          func(i int) []Event { return events(i, 0, "A", "B") },
		"one status":               func(i int) []Event { return events(i, time.Hour, "A", "A", "A") },
		"all start together":       func(i int) []Event { return events(0, time.Duration(i)*time.Hour, "A", "B", "C") },
		"a status for every event": func(i int) []Event { return events(i, day, fmt.Sprint(i), fmt.Sprint(-i), "x") },
		"an age between events":    func(i int) []Event { return events(i*1e6, 290*365*day, "A", "B", "C") },
		"times missing":            func(i int) []Event { return append(events(i, day, "A", "B"), Event{Status: "C"}) },
		"empty names":              func(i int) []Event { return events(i, day, "", "") },
	} {
		t.Run(name, func(t *testing.T) {
			cases := make([]Case, 0, MinCases)
			for i := range MinCases {
				cases = append(cases, Case{Key: strconv.Itoa(i), Events: history(i)})
			}
			m := trained(t, cases, Options{Trees: 12})
			prefixes(m, nil, cases, func(prefix Case, load Load, _ float64) { checkFinite(t, m.Predict(prefix, load)) })
			checkFinite(t, m.Predict(Case{}, Load{}))
			checkFinite(t, m.Predict(Case{Events: []Event{{monday, "NEVER SEEN", nil}}}, Load{}))
		})
	}
}

func checkFinite(t testing.TB, d Distribution) {
	t.Helper()
	for _, p := range []float64{math.NaN(), -1, 0, 0.1, 0.5, 0.9, 1, 2} {
		if q := d.quantile(p); !(q >= 0) || math.IsInf(q, 0) {
			t.Fatalf("quantile %v is %v of %+v", p, q, d)
		}
	}
	if !(d.middle >= 0) || math.IsInf(d.middle, 0) {
		t.Fatalf("median is %v", d.middle)
	}
	last := 1.0
	for _, left := range []time.Duration{-1, 0, time.Second, time.Hour, day, 1000 * day, math.MaxInt64} {
		p := d.ProbabilityOver(left)
		if !(p >= 0 && p <= last) {
			t.Fatalf("P(over %v) is %v after %v", left, p, last)
		}
		last = p
	}
}

func TestAForecastKnowsNothingOfTheFuture(t *testing.T) {
	cases := workshop(200, 8)
	m := trained(t, cases[:150], Options{Trees: 12})
	cut := cases[175].Events[2].Time
	var past []Case
	for _, c := range cases {
		c.Events = append([]Event(nil), c.Events...)
		for len(c.Events) > 0 && c.Events[len(c.Events)-1].Time.After(cut) {
			c.Events = c.Events[:len(c.Events)-1]
		}
		if len(c.Events) > 0 {
			past = append(past, c)
		}
	}
	whole, part := observeAll(m.NewTracker(), cases), observeAll(m.NewTracker(), past)
	for i, c := range past {
		for j := range c.Events {
			prefix := c
			prefix.Events = c.Events[:j+1]
			if a, b := m.Predict(prefix, whole[i][j]), m.Predict(prefix, part[i][j]); !reflect.DeepEqual(a, b) {
				t.Fatalf("case %d, event %d: what came after %v changes the forecast", i, j, cut)
			}
		}
	}
}

func TestTheTrackerForgetsTheSilent(t *testing.T) {
	tracker := newTracker(nil, 10*secondsADay)
	for i := range 1000 {
		tracker.Observe(strconv.Itoa(i), Event{Time: monday.Add(time.Duration(i) * day), Status: "A"})
	}
	if n := len(tracker.open); n > 15 {
		t.Errorf("%d orders are open, want about 10", n)
	}
	if w := tracker.places[hashText(seedStatus, "A")].waiting; w != len(tracker.open) {
		t.Errorf("%d wait where %d are open", w, len(tracker.open))
	}
}

func TestAttributesThatSayNothingAreNotUsed(t *testing.T) {
	cases := make([]Case, 0, 200)
	for i := range 200 {
		n := strconv.Itoa(i)
		cases = append(cases, Case{Key: n, Attrs: []order.Attr{
			{Name: "id", Value: "order-" + n}, {Name: "constant", Value: "x"},
			{Name: "channel", Value: strconv.Itoa(i % 3)}, {Name: "copy", Value: "c" + strconv.Itoa(i%3)},
			{Name: "amount", Value: strconv.Itoa(i*37%199) + ".5"},
		}, Events: []Event{{Time: monday, Status: "A", Attrs: []order.Attr{{Name: "status", Value: "a"}}},
			{Time: monday.Add(day), Status: "B", Attrs: []order.Attr{{Name: "status", Value: "b"}}}}})
	}
	want := []attribute{{"channel", true, true}, {"amount", true, false}}
	if s := learnSchema(cases); !reflect.DeepEqual(s.Attributes, want) {
		t.Errorf("uses %+v, want %+v", s.Attributes, want)
	}
}
