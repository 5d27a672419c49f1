package arrivals_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/forecast/arrivals"
)

var gap = math.NaN()

func growing(n int) []float64 {
	r := rand.New(rand.NewPCG(7, 7))
	out := make([]float64, n)
	for i := range out {
		out[i] = poisson(r, 600+100*float64(i))
	}
	return out
}

func months(h int) arrivals.Options {
	return arrivals.Options{Horizon: h, Period: 12, Prior: arrivals.DefaultPrior()}
}

func predict(t testing.TB, h arrivals.History, o arrivals.Options) *arrivals.Outlook {
	t.Helper()
	out, err := arrivals.Predict(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatCannotBeSaidIsSaid(t *testing.T) {
	zeros := make([]float64, 12)
	withGaps := growing(12)
	withGaps[3], withGaps[8] = gap, gap
	absurd := growing(12)
	absurd[5] = 900000
	cases := map[string]struct {
		counts []float64
		note   string
	}{
		"one month":          {[]float64{600}, "the configured +100"},
		"two months":         {[]float64{600, 700}, "the trend cannot be measured yet"},
		"three months":       {[]float64{600, 700, 800}, "a first impression"},
		"half a year":        {growing(6), "a season cannot be told"},
		"gaps":               {withGaps, "2 of 12 periods are gaps"},
		"an absurd count":    {absurd, "count 6, 900000"},
		"no orders at all":   {zeros, "no orders at present"},
		"zeros, then orders": {append(make([]float64, 5), growing(7)...), "5 zeros before the first order"},
		"one zero inside":    {[]float64{50, 55, 60, 0, 70, 71, 80, 78, 90}, ""},
	}
	for name, c := range cases {
		o := predict(t, arrivals.History{Counts: c.counts}, months(12))
		if notes := strings.Join(o.Notes, "\n"); !strings.Contains(notes, c.note) {
			t.Errorf("%s: %q does not say %q", name, notes, c.note)
		}
		sound(t, name, o)
	}
}

// sound checks that an answer holds no NaN and that its interval holds its mean.
func sound(t interface{ Errorf(string, ...any) }, name string, o *arrivals.Outlook) {
	low, high := o.Band(0.95)
	numbers := append([]float64{o.Level, o.Trend, o.TrendLow, o.TrendHigh, o.Dispersion, o.LineWeight, o.Widening}, o.Mean...)
	for _, v := range append(append(numbers, low...), high...) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: %v in %+v", name, v, o)
			return
		}
	}
	for h, m := range o.Mean {
		if low[h] > m || m > high[h] || low[h] < 0 {
			t.Errorf("%s, step %d: %v in [%v, %v]", name, h+1, m, low[h], high[h])
		}
	}
}

func TestHistoryThatIsNoneIsAnError(t *testing.T) {
	good := growing(6)
	cases := map[string]struct {
		history arrivals.History
		want    error
		says    string
	}{
		"nothing":               {arrivals.History{}, arrivals.ErrNoHistory, ""},
		"gaps only":             {arrivals.History{Counts: []float64{gap, gap}}, arrivals.ErrNoHistory, ""},
		"a negative count":      {arrivals.History{Counts: []float64{5, -1, 7}}, arrivals.ErrNotCount, "count 2 is -1"},
		"an infinite count":     {arrivals.History{Counts: []float64{5, math.Inf(1)}}, arrivals.ErrNotCount, "count 2"},
		"a trillion":            {arrivals.History{Counts: []float64{1e12}}, arrivals.ErrNotCount, "count 1"},
		"two months in a month": {arrivals.History{Counts: good, Elapsed: 2}, nil, "elapsed share 2"},
		"too few exposures":     {arrivals.History{Counts: good, Exposure: []float64{1, 2}}, nil, "2 exposures for 6 counts and 3"},
		"a current month alone": {arrivals.History{Counts: []float64{3}, Elapsed: 0.01}, arrivals.ErrNoHistory, ""},
	}
	for name, c := range cases {
		_, err := arrivals.Predict(c.history, months(3))
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := arrivals.Predict(arrivals.History{Counts: good}, arrivals.Options{Period: 12}); err == nil {
		t.Error("a horizon of nought is no error")
	}
}

func TestAJumpOfTheLevelIsFoundAndNotTakenForGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	counts := make([]float64, 12)
	for i := range counts {
		mean := 600 + 40*float64(i)
		if i >= 6 {
			mean += 350 // partners
		}
		counts[i] = poisson(r, mean)
	}
	o := predict(t, arrivals.History{Counts: counts}, arrivals.Options{Horizon: 12, Period: 12})
	if len(o.Changes) != 1 || o.Changes[0].At != 6 || math.Abs(o.Changes[0].Jump-350) > 100 {
		t.Fatalf("changes %+v", o.Changes)
	}
	if math.Abs(o.Trend-40) > 20 || o.TrendLow > 40 || o.TrendHigh < 40 {
		t.Errorf("trend %.1f (%.1f to %.1f), want about 40", o.Trend, o.TrendLow, o.TrendHigh)
	}
}

func TestPoissonNoiseHasNoJumps(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	found := 0
	for range 200 {
		counts := make([]float64, 18)
		for i := range counts {
			counts[i] = poisson(r, 600+100*float64(i))
		}
		o := predict(t, arrivals.History{Counts: counts}, months(1))
		if len(o.Changes) > 0 {
			found++
		}
	}
	if found > 6 {
		t.Errorf("jumps found in %d of 200 histories that have none", found)
	}
}

func TestTheCurrentMonthIsExtrapolatedAndWeighsLess(t *testing.T) {
	counts := growing(12)
	whole := predict(t, arrivals.History{Counts: counts}, months(6))
	half := append([]float64(nil), counts...)
	half[11] /= 2
	partial := predict(t, arrivals.History{Counts: half, Elapsed: 0.5}, months(6))
	if math.Abs(partial.Mean[5]/whole.Mean[5]-1) > 0.02 {
		t.Errorf("half a month counted: %.0f, the whole: %.0f", partial.Mean[5], whole.Mean[5])
	}
	early := append([]float64(nil), counts...)
	early[11] = 3
	o := predict(t, arrivals.History{Counts: early, Elapsed: 0.1}, months(6))
	if math.Abs(o.Mean[5]/whole.Mean[5]-1) > 0.04 || !strings.Contains(strings.Join(o.Notes, ""), "10 %") {
		t.Errorf("the first days of a month: %.0f, want %.0f; %q", o.Mean[5], whole.Mean[5], o.Notes)
	}
}

func TestWorkingDaysExplainCounts(t *testing.T) {
	days := []float64{16, 20, 22, 22, 18, 21, 23, 21, 22, 23, 20, 22, 15, 20}
	counts := make([]float64, 12)
	for i := range counts {
		counts[i] = math.Round(30 * days[i])
	}
	o := predict(t, arrivals.History{Counts: counts, Exposure: days}, arrivals.Options{Horizon: 2, Period: 12})
	if math.Abs(o.Mean[0]-450) > 10 || math.Abs(o.Mean[1]-600) > 10 {
		t.Errorf("15 and 20 working days: %.0f and %.0f orders, want 450 and 600", o.Mean[0], o.Mean[1])
	}
}

func TestASeasonIsSeenAfterTwoYears(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	expected := func(m int) float64 {
		return (2000 + 50*float64(m)) * (1 + 0.3*math.Sin(2*math.Pi*float64(m)/12))
	}
	counts := make([]float64, 36)
	for m := range counts {
		counts[m] = poisson(r, expected(m))
	}
	o := predict(t, arrivals.History{Counts: counts}, months(12))
	if !o.Seasonal {
		t.Error("no season seen")
	}
	for h, m := range o.Mean {
		if want := expected(36 + h); math.Abs(m/want-1) > 0.1 {
			t.Errorf("step %d: %.0f, want %.0f", h+1, m, want)
		}
	}
	if s := predict(t, arrivals.History{Counts: counts[:23]}, months(12)); s.Seasonal {
		t.Error("a season seen in 23 months")
	}
}

func TestWildCountsHaveWiderIntervals(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	calm, wild := growing(18), make([]float64, 18)
	for i := range wild {
		wild[i] = poisson(r, (600+100*float64(i))*(0.7+0.6*r.Float64()))
	}
	a, b := predict(t, arrivals.History{Counts: calm}, months(12)), predict(t, arrivals.History{Counts: wild}, months(12))
	if b.Dispersion < 3*a.Dispersion || b.TrendHigh-b.TrendLow < 1.5*(a.TrendHigh-a.TrendLow) {
		t.Errorf("calm: dispersion %.2f, trend ±%.1f; wild: %.2f, ±%.1f", a.Dispersion, (a.TrendHigh-a.TrendLow)/2, b.Dispersion, (b.TrendHigh-b.TrendLow)/2)
	}
}

func TestAnyHistoryIsAnsweredSoundly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		counts := rapid.SliceOfN(rapid.OneOf(
			rapid.Float64Range(0, 3000),
			rapid.SampledFrom([]float64{0, 0, 1, gap, 1e9}),
		), 1, 40).Draw(rt, "counts")
		o := months(rapid.IntRange(1, 18).Draw(rt, "horizon"))
		o.Period = rapid.SampledFrom([]int{1, 4, 12}).Draw(rt, "period")
		if rapid.Bool().Draw(rt, "no prior") {
			o.Prior = nil
		}
		h := arrivals.History{Counts: counts, Elapsed: rapid.SampledFrom([]float64{0, 0.05, 0.6, 1}).Draw(rt, "elapsed")}
		out, err := arrivals.Predict(h, o)
		if errors.Is(err, arrivals.ErrNoHistory) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		sound(rt, "any", out)
	})
}
