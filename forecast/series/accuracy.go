package series

import "math"

// SMAPE is the symmetric mean absolute percentage error of the M competitions, in percent:
// 200 |y − f| / (|y| + |f|), averaged. A pair of zeros counts as no error.
func SMAPE(actual, forecast []float64) float64 {
	sum := 0.0
	for i, y := range actual {
		if size := math.Abs(y) + math.Abs(forecast[i]); size > 0 {
			sum += 200 * math.Abs(y-forecast[i]) / size
		}
	}
	return sum / float64(len(actual))
}

// Scale is the mean absolute error of the seasonal naive method within history, by which MASE and
// MSIS are divided. It is 0 for a history that repeats exactly or is not longer than the period.
func Scale(history []float64, period int) float64 {
	if len(history) <= period {
		return 0
	}
	sum := 0.0
	for i := period; i < len(history); i++ {
		sum += math.Abs(history[i] - history[i-period])
	}
	return sum / float64(len(history)-period)
}

// MeanAbsolute is the mean absolute error; divided by Scale it is the MASE.
func MeanAbsolute(actual, forecast []float64) float64 {
	sum := 0.0
	for i, y := range actual {
		sum += math.Abs(y - forecast[i])
	}
	return sum / float64(len(actual))
}

// IntervalScore is the mean interval score of a central interval of the given level (Gneiting,
// Raftery 2007); divided by Scale it is the MSIS of the M4 competition.
func IntervalScore(actual, low, high []float64, level float64) float64 {
	penalty := 2 / (1 - level)
	sum := 0.0
	for i, y := range actual {
		sum += high[i] - low[i] + penalty*(max(0, low[i]-y)+max(0, y-high[i]))
	}
	return sum / float64(len(actual))
}

// Coverage is the share of actual values inside [low, high].
func Coverage(actual, low, high []float64) float64 {
	inside := 0
	for i, y := range actual {
		if low[i] <= y && y <= high[i] {
			inside++
		}
	}
	return float64(inside) / float64(len(actual))
}

// Naive2 repeats the last seasonally adjusted value: the benchmark of the M competitions, against
// which OWA is measured.
func Naive2(y []float64, period, horizon int) []float64 {
	adjusted, season := deseason(y, period)
	out := make([]float64, horizon)
	for h := range out {
		out[h] = adjusted[len(adjusted)-1]
	}
	season.restore(out, len(y))
	return out
}
