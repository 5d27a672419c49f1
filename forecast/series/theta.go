package series

import "math"

// theta is the theta method (Assimakopoulos, Nikolopoulos 2000) in the form of Fiorucci et al. (2016,
// eq. 9): simple exponential smoothing, plus half the slope of the line through the data. It
// expects a series without season.
type theta struct {
	y                []float64
	intercept, slope float64
	low, high        float64 // range of the first values, for the initial level
}

func newTheta(y []float64) theta {
	t := theta{y: y}
	t.intercept, t.slope = line(y)
	t.low, t.high = span(y[:min(len(y), 6)])
	return t
}

// forecast is the mean of the next horizon steps with the smoothing that errs least one step ahead.
func (t theta) forecast(horizon int) []float64 {
	best, _ := minimise(func(at []float64) float64 {
		loss, _, _ := t.run(at)
		return loss
	}, []float64{0.5, 0.5}, 160)
	_, level, keep := t.run(best)
	out := make([]float64, horizon)
	for h := range out {
		out[h] = t.step(best, level, keep)
		alpha := t.alpha(best)
		level = alpha*out[h] + (1-alpha)*level
		keep *= 1 - alpha
	}
	return out
}

// run returns the sum of squared one-step errors, the last level, and (1−α)ⁿ.
func (t theta) run(at []float64) (loss, level, keep float64) {
	alpha := t.alpha(at)
	width := t.high - t.low
	level, keep = t.low-width+3*width*at[1], 1
	for _, v := range t.y {
		e := v - t.step(at, level, keep)
		loss += e * e
		level = alpha*v + (1-alpha)*level
		keep *= 1 - alpha
	}
	return loss, level, keep
}

// alpha maps the cube to 0.1 ≤ α ≤ 0.99, the bounds of Fiorucci et al.
func (t theta) alpha(at []float64) float64 { return 0.1 + 0.89*at[0] }

// step is the next one-step forecast with θ = 2: half the weight on the line.
func (t theta) step(at []float64, level, keep float64) float64 {
	alpha := t.alpha(at)
	return level + (keep*t.intercept+(1-keep*(1-alpha))/alpha*t.slope)/2
}

func span(y []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range y {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}
