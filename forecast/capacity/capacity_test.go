package capacity_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/forecast/arrivals"
	"github.com/alexandrite/orderwatch/forecast/capacity"
	"github.com/alexandrite/orderwatch/forecast/queueing"
	"github.com/alexandrite/orderwatch/order"
)

const months = 36

// rising is the company's demand: so many orders in the first month ahead and so many more each month.
func rising(from, by float64) capacity.Demand {
	d := capacity.Demand{Trend: by}
	for h := range months {
		m := from + by*float64(h)
		d.Mean = append(d.Mean, m)
		d.Low = append(d.Low, m*0.9)
		d.High = append(d.High, m*1.1)
	}
	return d
}

func lognormal(median, sigma, most float64) []float64 {
	out := make([]float64, 1000)
	for i := range out {
		p := (float64(i) + 0.5) / 1000
		out[i] = min(most, median*math.Exp(sigma*math.Sqrt2*math.Erfinv(2*p-1)))
	}
	return out
}

func office(t testing.TB) queueing.Week {
	t.Helper()
	f, err := order.ParseFlow("flow.yaml", []byte(`version: 1
flow: test
timezone: UTC
calendars:
  office: {hours: {mon-fri: ["09:00-18:00"]}}
keys: [shop]
sources: [{name: db, reports: [a/*]}]
stages: [{name: approval, kind: human, enter: [a/X], leave: [a/Y], within: 9h, calendar: office}]
finish: [a/Y]
`))
	if err != nil {
		t.Fatal(err)
	}
	return queueing.Week{Open: capacity.Open(f.Stages[0].Calendar, start)}
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func calculation() capacity.Stage {
	var w queueing.Week
	for h := range w.Arrive {
		w.Arrive[h] = 1
		if hour := h % 24; hour >= 18 && hour < 23 {
			w.Arrive[h] = 4 // customers come in the evening
		}
	}
	return capacity.Stage{Name: "calculation", Service: lognormal(90, 1, 1800), Servers: 1, Within: 15 * time.Minute, Week: w, Jobs: 3}
}

func approval(t testing.TB) capacity.Stage {
	w := office(t)
	w.Arrive = calculation().Week.Arrive
	return capacity.Stage{Name: "approval", Service: lognormal(900, 0.8, 7200), Servers: 3, Within: 9 * time.Hour, Week: w}
}

func model(t testing.TB, p capacity.Plan) *capacity.Model {
	t.Helper()
	if p.Start.IsZero() {
		p.Start = start
	}
	m, err := capacity.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func company(t testing.TB) *capacity.Model {
	return model(t, capacity.Plan{Demand: rising(1000, 100), Stages: []capacity.Stage{calculation(), approval(t)}})
}

func TestTheCompanysStagesSaturateInTurn(t *testing.T) {
	m := company(t)
	for _, a := range m.Answers() {
		s := a.Saturation
		if s.Month == 0 || s.Earliest > s.Month || (s.Latest != 0 && s.Latest < s.Month) {
			t.Errorf("%s saturates in month %d (%d to %d)", a.Stage, s.Month, s.Earliest, s.Latest)
		}
		if want := start.AddDate(0, s.Month-1, 0); !s.Date.Equal(want) {
			t.Errorf("%s: month %d is %v, want %v", a.Stage, s.Month, s.Date, want)
		}
		if !a.Now.Stable || a.Now.P95 <= 0 || a.Now.Kept < 0.95 || a.Now.Utilisation <= 0 {
			t.Errorf("%s now: %+v", a.Stage, a.Now)
		}
		if s.Servers <= 1 {
			t.Errorf("%s: %d servers keep the deadline to the end", a.Stage, s.Servers)
		}
	}
	if first, ok := capacity.FirstToBreak(m.Answers()); !ok || first.Saturation.Month == 0 {
		t.Errorf("first to break: %+v, %v", first, ok)
	}
}

func TestNoSaturationIsAnAnswer(t *testing.T) {
	m := model(t, capacity.Plan{Demand: rising(100, 1), Stages: []capacity.Stage{calculation()}})
	a := m.Answers()[0]
	if a.Saturation.Month != 0 || !a.Saturation.Date.IsZero() || a.Saturation.Servers != 1 {
		t.Errorf("%+v", a.Saturation)
	}
	if _, ok := capacity.FirstToBreak(m.Answers()); ok {
		t.Error("something breaks")
	}
}

func TestTheServersNeededAreNeeded(t *testing.T) {
	m := company(t)
	for i, a := range m.Answers() {
		after := func(servers int) capacity.Saturation {
			c, err := m.WhatIf(capacity.Change{Stage: a.Stage, Servers: servers})
			if err != nil {
				t.Fatal(err)
			}
			return c[i].After.Saturation
		}
		if s := after(a.Saturation.Servers + 1); s.Month != 0 {
			t.Errorf("%s still saturates with one more than the %d servers needed, in month %d", a.Stage, a.Saturation.Servers, s.Month)
		}
		if s := after(a.Saturation.Servers - 1); s.Month == 0 {
			t.Errorf("%s does not saturate with one less than the %d servers needed", a.Stage, a.Saturation.Servers)
		}
	}
}

// later says whether a saturation moved to a later month or out of sight, or, within the month, to
// a larger volume.
func later(before, after capacity.Saturation) bool {
	if before.Month == after.Month {
		return after.Limit > before.Limit
	}
	return before.Month != 0 && (after.Month == 0 || after.Month > before.Month)
}

func TestEachWhatIfMovesTheDateItsWay(t *testing.T) {
	faster, slower := 20.0, 300.0
	const calc, appr = 0, 1
	cases := map[string]struct {
		change capacity.Change
		stage  int
		later  bool
	}{
		"slower growth":              {capacity.Change{Growth: &faster}, calc, true},
		"quicker growth":             {capacity.Change{Growth: &slower}, calc, false},
		"a partner in bursts":        {capacity.Change{Partner: &capacity.Partner{Orders: 400, From: 2, Batch: 4}}, calc, false},
		"a second calculator":        {capacity.Change{Stage: "calculation", Servers: 2}, calc, true},
		"half the calculation":       {capacity.Change{Stage: "calculation", Faster: 0.5}, calc, true},
		"a third from the cache":     {capacity.Change{Stage: "calculation", Cached: 0.33}, calc, true},
		"sellers stay two hours on":  {capacity.Change{Stage: "approval", Longer: 2 * time.Hour}, appr, true},
		"two sellers more":           {capacity.Change{Stage: "approval", Servers: 5}, appr, true},
		"everything twice as slow":   {capacity.Change{Faster: 2}, appr, false},
		"calculators for everything": {capacity.Change{Servers: 30}, appr, true},
	}
	m := company(t)
	for name, c := range cases {
		got, err := m.WhatIf(c.change)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before, after := got[c.stage].Before.Saturation, got[c.stage].After.Saturation
		if c.later && !later(before, after) || !c.later && !later(after, before) {
			t.Errorf("%s: from %+v to %+v", name, before, after)
		}
	}
	all, err := m.WhatIf(capacity.Change{Stage: "calculation", Cached: 1})
	if err != nil || all[calc].After.Saturation.Month != 0 || all[calc].After.Then.Utilisation > 1e-9 {
		t.Errorf("everything cached: %+v, %v", all[calc].After, err)
	}
}

func TestTheOldestFirstKeepsMorePromises(t *testing.T) {
	s := approval(t)
	s.Newest, s.Within = true, 18*time.Hour
	m := model(t, capacity.Plan{Demand: rising(1500, 20), Stages: []capacity.Stage{s}})
	got, err := m.WhatIf(capacity.Change{OldestFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	if before, after := got[0].Before.Saturation.Limit, got[0].After.Saturation.Limit; after <= before {
		t.Errorf("newest first bears %.0f orders a month, oldest first %.0f", before, after)
	}
}

func TestAPlanThatCannotBeJudgedSaysEverythingWrong(t *testing.T) {
	bad := capacity.Plan{Demand: capacity.Demand{Mean: []float64{1}}, Stages: []capacity.Stage{
		{Name: "one", Service: []float64{1}, Within: time.Hour},
		{Name: "two", Servers: 1, Within: -1},
	}}
	_, err := capacity.New(bad)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"demand", `stage "one"`, "0 servers", `stage "two"`, "no service time", "within"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	nan := math.NaN()
	changes := map[string]capacity.Change{
		"an unknown stage":  {Stage: "poetry"},
		"growth of NaN":     {Growth: &nan},
		"negative servers":  {Servers: -1},
		"negative speed":    {Faster: -1},
		"more than all":     {Cached: 1.5},
		"a day of 30 hours": {Longer: 30 * time.Hour},
		"a negative burst":  {Partner: &capacity.Partner{Orders: -5}},
	}
	m := company(t)
	for name, c := range changes {
		if _, err := m.WhatIf(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLawsOfCapacity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := capacity.Stage{
			Name: "work", Service: lognormal(rapid.Float64Range(10, 400).Draw(rt, "median"), rapid.Float64Range(0.1, 1.4).Draw(rt, "sigma"), 1e5),
			Servers: rapid.IntRange(1, 8).Draw(rt, "servers"),
			Within:  time.Duration(rapid.IntRange(1, 240).Draw(rt, "within")) * time.Minute,
			Jobs:    rapid.Float64Range(0.2, 5).Draw(rt, "jobs"),
		}
		m, err := capacity.New(capacity.Plan{Demand: rising(rapid.Float64Range(1, 20000).Draw(rt, "orders"), 500), Stages: []capacity.Stage{s}, Start: start})
		if err != nil {
			rt.Fatal(err)
		}
		before := m.Answers()[0]
		for name, c := range map[string]capacity.Change{
			"one server more": {Servers: s.Servers + 1},
			"faster":          {Faster: 0.8},
			"cached":          {Cached: 0.2},
		} {
			got, err := m.WhatIf(c)
			if err != nil {
				rt.Fatal(err)
			}
			after := got[0].After
			// The limit is found to four parts in a thousand of what can be done at all, which an
			// easier stage can do more of.
			if after.Saturation.Limit < before.Saturation.Limit*0.98 {
				rt.Fatalf("%s: the limit fell from %v to %v", name, before.Saturation.Limit, after.Saturation.Limit)
			}
			if before.Now.Stable && (!after.Now.Stable || after.Now.P95 > before.Now.P95+time.Microsecond || after.Now.Mean > before.Now.Mean+time.Microsecond) {
				rt.Fatalf("%s: waits grew: %+v to %+v", name, before.Now, after.Now)
			}
		}
		// Twice the orders with half the jobs each are the same work.
		half := s
		half.Jobs /= 2
		again, err := capacity.New(capacity.Plan{Demand: rising(1, 0), Stages: []capacity.Stage{half}, Start: start})
		if err != nil {
			rt.Fatal(err)
		}
		if l := again.Answers()[0].Saturation.Limit; math.Abs(l-2*before.Saturation.Limit) > 1e-6*(1+l) {
			rt.Fatalf("half the jobs an order: limit %v, want twice %v", l, before.Saturation.Limit)
		}
	})
}

func TestTotalDemandAddsChannels(t *testing.T) {
	predict := func(base float64) *arrivals.Outlook {
		counts := make([]float64, 12)
		for i := range counts {
			counts[i] = base + 50*float64(i)
		}
		o, err := arrivals.Predict(arrivals.History{Counts: counts}, arrivals.Options{Horizon: 6, Period: 12})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	a, b := predict(300), predict(900)
	d, err := capacity.Total(a, b)
	if err != nil {
		t.Fatal(err)
	}
	_, ha := a.Band(0.8)
	_, hb := b.Band(0.8)
	want := math.Hypot(ha[5]-a.Mean[5], hb[5]-b.Mean[5])
	if math.Abs(d.Mean[5]-a.Mean[5]-b.Mean[5]) > 1e-9 || math.Abs(d.High[5]-d.Mean[5]-want) > 1e-9 || math.Abs(d.Trend-100) > 1 {
		t.Errorf("%+v", d)
	}
	short, err := arrivals.Predict(arrivals.History{Counts: []float64{1}}, arrivals.Options{Horizon: 1, Period: 12})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := capacity.Total(a, short); err == nil {
		t.Error("six months and one are added")
	}
}

func TestStorageGrowsWithOrders(t *testing.T) {
	got := rising(100, 10).Storage(1e6, 1000)
	if got[0] != 1.1e6 || got[1] != 1.21e6 {
		t.Errorf("%v", got[:2])
	}
}

func TestHoursOfTheWeek(t *testing.T) {
	w := office(t)
	if w.OpenShare() < 44.0/168 || w.OpenShare() > 46.0/168 || w.Open[8] != 0 || w.Open[9] < 0.99 || w.Open[5*24+10] != 0 {
		t.Errorf("open %v of the week: %v", w.OpenShare(), w.Open[:24])
	}
	r := rand.New(rand.NewPCG(1, 1))
	at := make([]time.Time, 100)
	for i := range at { // Tuesdays at three
		at[i] = time.Date(2026, 3, 3+7*r.IntN(20), 3, r.IntN(60), 0, 0, time.UTC)
	}
	if a := capacity.Arrive(at); a[24+3] != 100 {
		t.Errorf("%v on Tuesdays at three", a[24+3])
	}
}

func BenchmarkWhatIf(b *testing.B) {
	m := company(b)
	changes := []capacity.Change{
		{Servers: 2, Stage: "calculation"}, {Faster: 0.7}, {Cached: 0.3, Stage: "calculation"},
		{Longer: time.Hour, Stage: "approval"}, {Partner: &capacity.Partner{Orders: 300, Batch: 3}},
	}
	for i := 0; b.Loop(); i++ {
		if _, err := m.WhatIf(changes[i%len(changes)]); err != nil {
			b.Fatal(err)
		}
	}
}
