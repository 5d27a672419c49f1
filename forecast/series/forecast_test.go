package series_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alexandrite/orderwatch/forecast/series"
)

func made(n int, f func(i int) float64) []float64 {
	y := make([]float64, n)
	for i := range y {
		y[i] = f(i)
	}
	return y
}

func noise(seed uint64) func() float64 {
	r := rand.New(rand.NewPCG(seed, 6))
	return r.NormFloat64
}

func TestAForecastIsNeverNotANumber(t *testing.T) {
	gauss := noise(1)
	cases := map[string][]float64{
		"four values":                  {1, 2, 3, 4},
		"five equal values":            {7, 7, 7, 7, 7},
		"zeros only":                   make([]float64, 30),
		"a perfect line":               made(40, func(i int) float64 { return float64(10 + 3*i) }),
		"a perfect season":             made(48, func(i int) float64 { return float64(1 + i%12) }),
		"one order among zeros":        made(30, func(i int) float64 { return float64(i / 29) }),
		"negative values":              made(30, func(int) float64 { return gauss() }),
		"huge values":                  made(30, func(int) float64 { return 1e99 * (2 + gauss()) }),
		"tiny values":                  made(30, func(int) float64 { return 1e-90 * math.Abs(gauss()) }),
		"a season with an empty month": made(60, func(i int) float64 { return float64(i%12) * 10 }),
		"two years and a month":        made(25, func(i int) float64 { return 100 + gauss() }),
		"an explosion":                 made(36, func(i int) float64 { return math.Exp(float64(i)) }),
	}
	for name, y := range cases {
		for _, period := range []int{1, 4, 12, 52} {
			f, err := series.Predict(y, period, 18)
			if err != nil {
				t.Errorf("%s, period %d: %v", name, period, err)
				continue
			}
			low, high := f.Interval(0.95)
			for h, m := range f.Mean {
				if math.IsNaN(m+low[h]+high[h]) || math.IsInf(m, 0) || math.IsInf(high[h]-low[h], 0) {
					t.Errorf("%s, period %d, step %d: %v in [%v, %v]", name, period, h+1, m, low[h], high[h])
					break
				}
				if low[h] > m || m > high[h] {
					t.Errorf("%s, period %d, step %d: %v outside [%v, %v]", name, period, h+1, m, low[h], high[h])
					break
				}
			}
		}
	}
}

func TestWhatCannotBeForecastIsAnError(t *testing.T) {
	cases := map[string]struct {
		y    []float64
		want error
	}{
		"nothing":      {nil, series.ErrTooShort},
		"three values": {[]float64{1, 2, 3}, series.ErrTooShort},
		"a NaN":        {[]float64{1, 2, math.NaN(), 4, 5}, series.ErrNotNumber},
		"an infinity":  {[]float64{1, 2, math.Inf(1), 4, 5}, series.ErrNotNumber},
	}
	for name, c := range cases {
		if _, err := series.Predict(c.y, 12, 6); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAKnownShapeGoesOn(t *testing.T) {
	gauss := noise(2)
	season := func(i int) float64 { return 1 + 0.3*math.Sin(2*math.Pi*float64(i)/12) }
	cases := map[string]struct {
		f         func(i int) float64
		tolerance float64 // relative
	}{
		"a level":                     {func(int) float64 { return 500 }, 0.02},
		"a level with a season":       {func(i int) float64 { return 500 * season(i) }, 0.04},
		"a trend":                     {func(i int) float64 { return 500 + 10*float64(i) }, 0.06},
		"a trend with a season on it": {func(i int) float64 { return (500 + 10*float64(i)) * season(i) }, 0.08},
	}
	for name, c := range cases {
		y := made(72, func(i int) float64 { return c.f(i) + 5*gauss() })
		f, err := series.Predict(y, 12, 12)
		if err != nil {
			t.Fatal(err)
		}
		for h, m := range f.Mean {
			if want := c.f(72 + h); math.Abs(m-want) > c.tolerance*want {
				t.Errorf("%s, step %d: %.1f, want %.1f", name, h+1, m, want)
			}
		}
	}
}

func TestScalingTheDataScalesTheForecast(t *testing.T) {
	gauss := noise(3)
	y := made(60, func(i int) float64 {
		return (300 + 4*float64(i)) * (1 + 0.2*math.Cos(float64(i)*math.Pi/6)) * (1 + 0.05*gauss())
	})
	one, err := series.Predict(y, 12, 12)
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []float64{1.0 / 1024, 1024} {
		other, err := series.Predict(made(60, func(i int) float64 { return scale * y[i] }), 12, 12)
		if err != nil {
			t.Fatal(err)
		}
		for h := range one.Mean {
			if math.Abs(other.Mean[h]/scale/one.Mean[h]-1) > 1e-4 {
				t.Errorf("scaled by %v, step %d: %v, want %v", scale, h+1, other.Mean[h]/scale, one.Mean[h])
			}
		}
	}
}

func TestSeasonalAsksForTwoWholePeriods(t *testing.T) {
	y := made(48, func(i int) float64 { return float64(10 + i%12) })
	if !series.Seasonal(y, 12) {
		t.Error("four equal years are not seasonal")
	}
	if series.Seasonal(y[:23], 12) {
		t.Error("23 months are seasonal")
	}
	gauss := noise(4)
	found := 0
	for range 200 {
		if series.Seasonal(made(72, func(int) float64 { return gauss() }), 12) {
			found++
		}
	}
	if found > 40 {
		t.Errorf("season found in %d of 200 series of noise, want about 20", found)
	}
}

func TestMeasuresByHand(t *testing.T) {
	y, f := []float64{100, 200}, []float64{110, 180}
	cases := map[string][2]float64{
		"sMAPE":          {series.SMAPE(y, f), (200*10/210.0 + 200*20/380.0) / 2},
		"mean absolute":  {series.MeanAbsolute(y, f), 15},
		"scale":          {series.Scale([]float64{1, 2, 4, 7}, 2), 4},
		"interval score": {series.IntervalScore(y, []float64{90, 90}, []float64{120, 190}, 0.95), (30 + 100 + 40*10) / 2.0},
		"coverage":       {series.Coverage(y, []float64{90, 90}, []float64{120, 190}), 0.5},
		"two zeros":      {series.SMAPE([]float64{0}, []float64{0}), 0},
	}
	for name, c := range cases {
		if math.Abs(c[0]-c[1]) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c[0], c[1])
		}
	}
	if got := series.Naive2([]float64{3, 1, 4}, 12, 2); !slices.Equal(got, []float64{4, 4}) {
		t.Errorf("naive: %v", got)
	}
}

func BenchmarkPredictTenYearsOfMonths(b *testing.B) {
	gauss := noise(5)
	y := made(120, func(i int) float64 { return 500 + 5*float64(i) + 40*math.Sin(float64(i)*math.Pi/6) + 30*gauss() })
	for b.Loop() {
		if _, err := series.Predict(y, 12, 18); err != nil {
			b.Fatal(err)
		}
	}
}
