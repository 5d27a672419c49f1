package arrivals_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alexandrite/orderwatch/forecast/arrivals"
)

// errorsOf is what made-up histories of 600 + slope·month with Poisson noise show: the mean absolute
// error of the trend, that of the expected count twelve months ahead as a share of it, and how often the
// 95 % intervals held the trend and the count that came.
type errorsOf struct{ trend, ahead, trendIn, countIn float64 }

func madeUp(t testing.TB, slope float64, months, repetitions int, prior *arrivals.Prior) errorsOf {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(months), uint64(1000+slope)))
	expected := func(m int) float64 { return max(0, 600+slope*float64(m)) }
	var e errorsOf
	for range repetitions {
		counts := make([]float64, months)
		for m := range counts {
			counts[m] = poisson(r, expected(m))
		}
		came := poisson(r, expected(months+11))
		o, err := arrivals.Predict(arrivals.History{Counts: counts}, arrivals.Options{Horizon: 12, Period: 12, Prior: prior})
		if err != nil {
			t.Fatal(err)
		}
		low, high := o.Band(0.95)
		e.trend += math.Abs(o.Trend - slope)
		e.ahead += math.Abs(o.Mean[11]-expected(months+11)) / max(1, expected(months+11))
		e.trendIn += is(o.TrendLow <= slope && slope <= o.TrendHigh)
		e.countIn += is(low[11] <= came && came <= high[11])
	}
	n := float64(repetitions)
	return errorsOf{e.trend / n, e.ahead / n, e.trendIn / n, e.countIn / n}
}

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// poisson draws by counting exponential gaps in halves of the mean that do not underflow.
func poisson(r *rand.Rand, mean float64) float64 {
	n, sum := 0.0, r.ExpFloat64()
	for sum < mean {
		n++
		sum += r.ExpFloat64()
	}
	return n
}

func TestMadeUpHistoriesAreForecastAsPromised(t *testing.T) {
	const repetitions = 150
	for _, slope := range []float64{-30, 0, 40, 100, 250} {
		with, without := madeUp(t, slope, 12, repetitions, arrivals.DefaultPrior()), madeUp(t, slope, 12, repetitions, nil)
		if with.trend > without.trend*1.001 || with.ahead > without.ahead*1.001 {
			t.Errorf("slope %v: the prior made it worse after 12 months: %+v, without %+v", slope, with, without)
		}
		if with.trendIn < 0.88 || with.countIn < 0.88 {
			t.Errorf("slope %v: 95 %% intervals hold %.3f of trends, %.3f of counts", slope, with.trendIn, with.countIn)
		}
		if slope == 100 && (with.trend > 5 || with.ahead > 0.04) {
			t.Errorf("slope 100: trend off by %.2f, twelve months ahead by %.2f %%", with.trend, 100*with.ahead)
		}
	}
}

// BenchmarkMadeUpHistories prints the whole experiment: go test -run '^$' -bench MadeUp -benchtime 1x.
func BenchmarkMadeUpHistories(b *testing.B) {
	for b.Loop() {
		fmt.Println("\nslope months prior  trend error  12-month error %  trend in 95 %  count in 95 %")
		for _, months := range []int{6, 12, 24} {
			for _, slope := range []float64{-30, 0, 40, 100, 250} {
				for name, prior := range map[string]*arrivals.Prior{"100": arrivals.DefaultPrior(), "none": nil} {
					e := madeUp(b, slope, months, 1000, prior)
					fmt.Printf("%5.0f %6d %5s %12.2f %17.2f %14.3f %14.3f\n", slope, months, name, e.trend, 100*e.ahead, e.trendIn, e.countIn)
				}
			}
		}
	}
}
