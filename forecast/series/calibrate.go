package series

import "math"

// origins is how many earlier standpoints calibrate looks back from, and trust how many of them the
// model's own spread is worth.
const (
	origins = 4
	trust   = 4.0
)

// calibrate fits the form again at earlier origins, each half a period before the next, and compares
// the errors it then made with the spread it claimed. The answer is what its intervals are
// multiplied by: the root of the mean squared ratio, drawn towards 1 as far as origins are few.
func calibrate(form Form, y []float64, period, horizon int) float64 {
	step := max(1, period/2)
	sum, count := trust, trust
	for i := 1; i <= origins; i++ {
		t := len(y) - i*step
		if t < max(len(y)/2, 2*period, Least) {
			break
		}
		f, ok := fit(form, y[:t], period)
		if !ok {
			break
		}
		if ratio, ok := f.surprise(y[t:], horizon); ok {
			sum += ratio
			count++
		}
	}
	return math.Sqrt(sum / count)
}

// surprise is the mean squared error of the steps that follow, each divided by the variance claimed.
func (f fitted) surprise(next []float64, horizon int) (ratio float64, ok bool) {
	mean := f.end.ahead(f.form, f.gains, min(horizon, len(next)))
	variance := f.end.variance(f.form, f.gains, mean, f.sigma2)
	for h, m := range mean {
		if !(variance[h] > 0) {
			return 0, false
		}
		e := next[h] - m
		ratio += e * e / variance[h] / float64(len(mean))
	}
	return min(ratio, 25), true
}
