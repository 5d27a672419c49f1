package arrivals

import "math"

// line is a straight trend with jumps: count = level + slope·t + Σ jump·[t ≥ its start]. The variance
// of a count is dispersion · mean: Poisson with what exceeds it.
type line struct {
	coef       []float64   // level at t = 0, slope, jumps
	covariance [][]float64 // of coef, dispersion included
	starts     []int       // of the jumps
	dispersion float64     // at least 1
	chi        float64     // Pearson's statistic
	logs       float64     // sum of the logarithms of the means
	n, free    float64     // observations, degrees of freedom of the dispersion
}

// fitLine fits by weighted least squares, the weights from the mean of the round before. ok is false
// where there are fewer counts than coefficients.
func fitLine(p *prepared, starts []int) (line, bool) {
	k := 2 + len(starts)
	l := line{starts: starts}
	if p.used < k {
		return l, false
	}
	mean := make([]float64, len(p.counts))
	overall, total := 0.0, 0.0
	for t, w := range p.weight {
		if w > 0 {
			overall += w * p.counts[t]
			total += w
		}
	}
	overall /= total
	for t := range mean {
		mean[t] = max(overall, 0.5)
	}
	for range 3 {
		if !l.solve(p, mean) {
			return l, false
		}
		for t := range mean {
			mean[t] = max(l.at(float64(t)), overall/20, 0.5)
		}
	}
	l.judge(p, mean)
	return l, true
}

// regressors of time t.
func (l *line) regressors(t float64) []float64 {
	x := make([]float64, 2+len(l.starts))
	x[0], x[1] = 1, t
	for j, s := range l.starts {
		if t >= float64(s) {
			x[2+j] = 1
		}
	}
	return x
}

func (l *line) at(t float64) float64 {
	sum := 0.0
	for i, x := range l.regressors(t) {
		sum += x * l.coef[i]
	}
	return sum
}

func (l *line) solve(p *prepared, mean []float64) bool {
	k := 2 + len(l.starts)
	normal := make([][]float64, k)
	right := make([]float64, k)
	for i := range normal {
		normal[i] = make([]float64, k)
	}
	for t, share := range p.weight {
		if share == 0 {
			continue
		}
		x, w := l.regressors(float64(t)), share/mean[t]
		for i := range x {
			right[i] += w * x[i] * p.counts[t]
			for j := range x {
				normal[i][j] += w * x[i] * x[j]
			}
		}
	}
	inverse, ok := invert(normal)
	if !ok {
		return false
	}
	l.covariance = inverse
	l.coef = make([]float64, k)
	for i := range l.coef {
		for j := range right {
			l.coef[i] += inverse[i][j] * right[j]
		}
	}
	return true
}

// known stands for the degrees of freedom of a dispersion that need not be estimated: the counts
// scatter no more than Poisson.
const known = 1e6

// judge measures the dispersion. Two counts' worth of plain Poisson keep it from running wild where
// counts are few.
func (l *line) judge(p *prepared, mean []float64) {
	const poisson = 2
	for t, share := range p.weight {
		if share > 0 {
			e := p.counts[t] - l.at(float64(t))
			l.chi += share * e * e / mean[t]
			l.logs += math.Log(mean[t] / share)
			l.n++
		}
	}
	l.free = l.n - float64(len(l.coef)) + poisson
	l.dispersion = max(1, (l.chi+poisson)/l.free)
	if l.dispersion == 1 {
		l.free = known
	}
	for i := range l.covariance {
		for j := range l.covariance[i] {
			l.covariance[i][j] *= l.dispersion
		}
	}
}

// shrink draws the slope towards a prior as far as the data leave it open, and carries the other
// coefficients along. The prior is a robust mixture (Schmidli et al. 2014, Biometrics 70): with even
// odds it is as configured, or says nothing (flat over twenty deviations). The more the data
// contradict it, the more its weight falls, to nothing.
func (l *line) shrink(prior Prior) {
	variance := l.covariance[1][1]
	off := prior.Slope - l.coef[1]
	both := variance + prior.Deviation*prior.Deviation
	agree := math.Exp(-off*off/(2*both)) / math.Sqrt(2*math.Pi*both)
	agree /= agree + 1/(20*math.Sqrt(both))
	weight := variance / both
	// The mixture's variance: within the two, less a·w; between them, a(1−a)·(w·off)².
	less := agree*weight - agree*(1-agree)*weight*weight*off*off/variance
	column := make([]float64, len(l.coef))
	for i := range column {
		column[i] = l.covariance[i][1] / variance
	}
	for i := range column {
		l.coef[i] += column[i] * agree * weight * off
		for j := range column {
			l.covariance[i][j] -= column[i] * column[j] * variance * less
		}
	}
}

// uncertainty is the variance of the line itself at time t.
func (l *line) uncertainty(t float64) float64 {
	x, sum := l.regressors(t), 0.0
	for i := range x {
		for j := range x {
			sum += x[i] * x[j] * l.covariance[i][j]
		}
	}
	return max(0, sum)
}

// evidence is the AICc of the line, on the scale of package series' smoothing models.
func (l *line) evidence() float64 {
	k := float64(len(l.coef) + 1 + len(l.starts)) // a jump's place is found too
	if l.n-k-1 <= 0 {
		return math.Inf(1)
	}
	return l.n*math.Log(max(l.chi/l.n, 1e-12)) + l.logs + 2*k + 2*k*(k+1)/(l.n-k-1)
}

// invert is by Gauss and Jordan; ok is false for a singular matrix.
func invert(a [][]float64) ([][]float64, bool) {
	n := len(a)
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		out[i][i] = 1
	}
	for c := range n {
		pivot := c
		for r := c; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[pivot][c]) {
				pivot = r
			}
		}
		a[c], a[pivot], out[c], out[pivot] = a[pivot], a[c], out[pivot], out[c]
		if !(math.Abs(a[c][c]) > 1e-13) {
			return nil, false
		}
		scale := 1 / a[c][c]
		for j := range n {
			a[c][j] *= scale
			out[c][j] *= scale
		}
		for r := range n {
			if f := a[r][c]; r != c && f != 0 {
				for j := range n {
					a[r][j] -= f * a[c][j]
					out[r][j] -= f * out[c][j]
				}
			}
		}
	}
	return out, true
}
