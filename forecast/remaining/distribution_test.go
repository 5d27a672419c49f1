package remaining

import (
	"math"
	"testing"
	"time"
)

const day = 24 * time.Hour

func example() Distribution {
	return newDistribution([]float32{1, 2, 10}, []float64{0.8, 0.5, 0.1}, 5)
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestQuantilesAndProbabilitiesAgree(t *testing.T) {
	d := example()
	near(t, "median", d.Median().Hours()/24, 2)
	near(t, "p20", d.Quantile(0.2).Hours()/24, 1)
	near(t, "p90", d.Quantile(0.9).Hours()/24, 10)
	near(t, "P(>0)", d.ProbabilityOver(0), 1)
	near(t, "P(>6d)", d.ProbabilityOver(6*day), 0.3)
	near(t, "P(>15d)", d.ProbabilityOver(15*day), 0.1/math.E)
	near(t, "P(>-1d)", d.ProbabilityOver(-day), 1)
	last := time.Duration(-1)
	for p := 0.01; p < 1; p += 0.01 {
		q := d.Quantile(p)
		if q < last {
			t.Fatalf("p%.0f is before the one below", p*100)
		}
		near(t, "round trip", 1-d.ProbabilityOver(q), p)
		last = q
	}
}

func TestSilenceMakesLongTimesMoreLikely(t *testing.T) {
	d := example()
	after := d.After(2 * day)
	near(t, "P(>8d more)", after.ProbabilityOver(8*day), d.ProbabilityOver(10*day)/d.ProbabilityOver(2*day))
	near(t, "P(>20d more)", after.ProbabilityOver(20*day), d.ProbabilityOver(22*day)/d.ProbabilityOver(2*day))
	if d.After(0).Median() != d.Median() {
		t.Error("no silence changes the forecast")
	}
	long := d.After(5000 * day)
	if m := long.Median(); m <= 0 || m > 10*day {
		t.Errorf("after a silence never seen, %v are left", m)
	}
}

func TestTheZeroDistributionHasNothingLeft(t *testing.T) {
	var d Distribution
	if d.Quantile(0.9) != 0 || d.Median() != 0 || d.ProbabilityOver(0) != 0 || d.After(day).Median() != 0 {
		t.Error("something is left")
	}
}

func TestOrdersThatEndAtOnceHaveAShareOfTheirOwn(t *testing.T) {
	d := newDistribution([]float32{0, 1}, []float64{0.4, 0.1}, 1)
	near(t, "P(>0)", d.ProbabilityOver(0), 0.4)
	near(t, "median", d.Median().Hours(), 0)
}
