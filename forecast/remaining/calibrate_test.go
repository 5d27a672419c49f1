package remaining

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// exponential days with the mean, as cuts and chances that believe in another mean.
func believed(mean float64) Distribution {
	var cuts []float32
	var above []float64
	for c := 0.25; c < 40; c *= 1.2 {
		cuts = append(cuts, float32(c))
		above = append(above, expChance(c, mean))
	}
	return newDistribution(cuts, above, mean)
}

func TestCalibrationMakesOverconfidentForecastsReliable(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	sample := func(n int) ([]Distribution, []float32) {
		forecasts, target := make([]Distribution, 0, n), make([]float32, 0, n)
		for range n {
			forecasts = append(forecasts, believed(2)) // while the truth has a mean of five
			target = append(target, float32(5*random.ExpFloat64()))
		}
		return forecasts, target
	}
	c := learnCalibration(sample(8000))
	forecasts, target := sample(4000)
	score := func(forecast func(Distribution) Distribution) Reliability {
		judged := make([]Judged, 0, 4*len(forecasts))
		for i, d := range forecasts {
			for _, due := range []float64{1, 3, 6, 12} {
				left := time.Duration(due * float64(day))
				judged = append(judged, Judged{forecast(d).ProbabilityOver(left), float64(target[i]) > due})
			}
		}
		return NewReliability(judged, 10)
	}
	raw := score(func(d Distribution) Distribution { return d })
	calibrated := score(c.apply)
	if raw.Error < 0.2 || calibrated.Error > 0.04 {
		t.Errorf("calibration error went from %.3f to %.3f, want from over 0.2 to under 0.04", raw.Error, calibrated.Error)
	}
	if calibrated.Brier >= raw.Brier {
		t.Errorf("Brier score went from %.4f to %.4f", raw.Brier, calibrated.Brier)
	}
}

func expChance(days, mean float64) float64 { return math.Exp(-days / mean) }

func TestAReliabilityTable(t *testing.T) {
	r := NewReliability([]Judged{{0.1, false}, {0.1, true}, {0.9, true}, {1, true}, {-1, true}, {float64(nan()), true}}, 2)
	if len(r.Rows) != 2 || r.Rows[0].Forecasts != 2 || r.Rows[1].Forecasts != 2 {
		t.Fatalf("rows are %+v", r.Rows)
	}
	near(t, "lower share", r.Rows[0].Happened, 0.5)
	near(t, "upper mean", r.Rows[1].Mean, 0.95)
	near(t, "error", r.Error, (0.4+0.05)/2)
	near(t, "Brier score", r.Brier, (0.01+0.81+0.01+0)/4)
}
