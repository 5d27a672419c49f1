package series

import (
	"math"
	"slices"
)

// fitted is a form with its most likely parameters, standing at the end of the data.
type fitted struct {
	form   Form
	gains  gains
	end    state
	sigma2 float64 // variance of one-step errors, relative where form.Relative
	aicc   float64
}

// fitter finds the parameters of one form. Its slices are reused between evaluations.
type fitter struct {
	form     Form
	y, back  []float64
	initial  state // a guess of how it stands after the last value, turned round
	work     state
	period   int
	backcast []float64
	floor    float64 // the smallest mean square told from 0: a perfect fit is no infinite likelihood
}

// fit maximises the likelihood of a form. Initial states are not parameters of the search: for each
// set of gains they are backcast, by running the same recursions from the end of the series to its
// start (Svetunkov 2023, Forecasting and Analytics with ADAM, section 11.4), which keeps the search at
// one to four dimensions. They are counted in the AICc all the same. ok is false where the form has
// more parameters than the data bear or cannot describe it.
func fit(f Form, y []float64, period int) (fitted, bool) {
	free := f.parameters(period)
	if len(y) <= free+1 {
		return fitted{}, false
	}
	ft := newFitter(f, y, period)
	at, value := minimise(ft.loss, ft.start(), 60*f.dimensions())
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return fitted{}, false
	}
	n, k := float64(len(y)), float64(free)
	out := fitted{form: f, gains: ft.gains(at), aicc: value + 2*k + 2*k*(k+1)/(n-k-1)}
	ft.settle(out.gains)
	square, relative, _ := ft.work.run(f, out.gains, y)
	out.end = ft.work
	out.end.season = slices.Clone(ft.work.season)
	used := float64(len(y) - f.dimensions() - 1)
	out.sigma2 = square / used
	if f.Relative {
		out.sigma2 = relative / used
	}
	return out, true
}

// dimensions is the number of smoothing parameters.
func (f Form) dimensions() int {
	n := 1
	switch f.Trend {
	case Additive:
		n++
	case Damped:
		n += 2
	}
	if f.Season != NoSeason {
		n++
	}
	return n
}

// parameters counts what the AICc has to pay for: smoothing parameters, initial states and the
// variance.
func (f Form) parameters(period int) int {
	n := f.dimensions() + 2
	if f.Trend != NoTrend {
		n++
	}
	if f.Season != NoSeason {
		n += period - 1
	}
	return n
}

func newFitter(f Form, y []float64, period int) *fitter {
	ft := &fitter{form: f, y: y, back: slices.Clone(y), period: period}
	slices.Reverse(ft.back)
	for _, v := range y {
		ft.floor += 1e-12 * v * v / float64(len(y))
	}
	ft.floor = max(ft.floor, 1e-100)
	adjusted := y
	if f.Season != NoSeason {
		multiplied := f.Season == Multiplied
		ft.initial.season = indices(y, period, multiplied)
		ft.work.season = make([]float64, period)
		ft.backcast = make([]float64, period)
		adjusted = make([]float64, len(y))
		for i, v := range y {
			if multiplied {
				adjusted[i] = v / ft.initial.season[i%period]
			} else {
				adjusted[i] = v - ft.initial.season[i%period]
			}
		}
	}
	last := adjusted[max(0, len(adjusted)-max(10, 2*period)):]
	level, slope := line(last)
	if f.Trend == NoTrend {
		level, slope = average(last), 0
	}
	ft.initial.level, ft.initial.slope = level+slope*float64(len(last)), slope
	ft.initial.turn(make([]float64, period), len(y), len(ft.initial.season))
	return ft
}

// line is the least squares line through y at 1, 2, …: its value at 0 and its slope.
func line(y []float64) (level, slope float64) {
	n := float64(len(y))
	if n < 2 {
		return average(y), 0
	}
	mean, above := average(y), 0.0
	for i, v := range y {
		above += (float64(i+1) - (n+1)/2) * (v - mean)
	}
	slope = above * 12 / (n * (n*n - 1))
	return mean - slope*(n+1)/2, slope
}

// start is where the search begins, in the cube.
func (ft *fitter) start() []float64 {
	out := []float64{0.3}
	if ft.form.Trend != NoTrend {
		out = append(out, 0.15)
	}
	if ft.form.Season != NoSeason {
		out = append(out, 0.1)
	}
	if ft.form.Trend == Damped {
		out = append(out, 0.8)
	}
	return out
}

// gains maps a point of the unit cube to the usual region: 0 < α < 1, 0 < β < α, 0 < γ < 1 − α,
// 0.8 ≤ φ ≤ 0.98.
func (ft *fitter) gains(at []float64) gains {
	const edge = 1e-4
	g := gains{level: edge + (1-2*edge)*at[0], damping: 1}
	next := 1
	if ft.form.Trend != NoTrend {
		g.slope = at[next] * g.level
		next++
	}
	if ft.form.Season != NoSeason {
		g.season = at[next] * (1 - g.level)
		next++
	}
	if ft.form.Trend == Damped {
		g.damping = 0.8 + 0.18*at[next]
	}
	return g
}

// settle puts the working state where the first observation finds it: from the guess at the end of
// the series backwards.
func (ft *fitter) settle(g gains) {
	w := &ft.work
	w.level, w.slope, w.next = ft.initial.level, ft.initial.slope, 0
	copy(w.season, ft.initial.season)
	w.run(ft.form, g, ft.back)
	w.turn(ft.backcast, len(ft.y), len(ft.initial.season))
}

// turn makes a state that stands after n observations of one direction stand before the first of
// the other. scratch has room for a season.
func (s *state) turn(scratch []float64, n, period int) {
	s.level += s.slope
	s.slope = -s.slope
	s.next = 0
	if period == 0 {
		return
	}
	copy(scratch, s.season)
	for k := range s.season {
		s.season[k] = scratch[((n-1-k)%period+period)%period]
	}
}

// loss is −2 log likelihood, up to a constant that all forms of one series share.
func (ft *fitter) loss(at []float64) float64 {
	g := ft.gains(at)
	ft.settle(g)
	square, relative, logs := ft.work.run(ft.form, g, ft.y)
	n := float64(len(ft.y))
	value := n * math.Log(max(square/n, ft.floor))
	if ft.form.Relative {
		value = n*math.Log(max(relative/n, 1e-12)) + 2*logs
	}
	if math.IsNaN(value) {
		return math.Inf(1)
	}
	return value
}
