package series

import "math"

// Trend and Season are the components of the exponential smoothing taxonomy of Hyndman et al.
type (
	// Trend says how the slope goes on: not at all, for ever, or dying out.
	Trend byte
	// Season says how the season joins the level: not at all, added, or multiplied.
	Season byte
)

// The components, by the letters of the taxonomy.
const (
	NoTrend  Trend = 'N'
	Additive Trend = 'A'
	Damped   Trend = 'd'

	NoSeason   Season = 'N'
	Offset     Season = 'A'
	Multiplied Season = 'M'
)

// Form is one member of the exponential smoothing family. The state recursions of additive and
// multiplicative errors are the same; they differ in likelihood and in interval.
type Form struct {
	Relative bool // errors in proportion to the level (M), else constant (A)
	Trend    Trend
	Season   Season
}

// String is the name of the taxonomy, for example "MAdM".
func (f Form) String() string {
	name := "A"
	if f.Relative {
		name = "M"
	}
	switch f.Trend {
	case Damped:
		name += "Ad"
	default:
		name += string(rune(f.Trend))
	}
	return name + string(rune(f.Season))
}

// gains are the smoothing parameters in the form of Hyndman et al.: slope is β = αβ*.
type gains struct{ level, slope, season, damping float64 }

// state is level, slope and season as they stand before the next observation. season[next] belongs
// to it.
type state struct {
	level, slope float64
	season       []float64
	next         int
}

// run moves the state through y and returns the sums the likelihood is made of: squared errors,
// squared relative errors, and the logarithms of the one-step forecasts (NaN once one is not
// positive).
func (s *state) run(f Form, g gains, y []float64) (square, relative, logs float64) {
	level, slope, product := s.level, s.slope, 1.0
	defer func() { s.level, s.slope = level, slope }()
	for _, v := range y {
		base := level + g.damping*slope
		mean := base
		switch f.Season {
		case Offset:
			mean += s.season[s.next]
		case Multiplied:
			mean *= s.season[s.next]
		}
		e := v - mean
		square += e * e
		if f.Relative {
			if !(mean > 0) {
				return square, math.Inf(1), math.NaN()
			}
			r := e / mean
			relative += r * r
			product *= mean
			if product > 1e200 || product < 1e-200 {
				logs += math.Log(product)
				product = 1
			}
		}
		switch f.Season {
		case Offset:
			s.season[s.next] += g.season * e
		case Multiplied:
			old := s.season[s.next]
			s.season[s.next] += g.season * e / base
			e /= old
		}
		level = base + g.level*e
		slope = g.damping*slope + g.slope*e
		if s.next++; s.next >= len(s.season) {
			s.next = 0
		}
	}
	return square, relative, logs + math.Log(product)
}

// ahead is the mean of the next horizon steps.
func (s *state) ahead(f Form, g gains, horizon int) []float64 {
	out := make([]float64, horizon)
	sum, damp := 0.0, 1.0
	for h := range out {
		damp *= g.damping
		sum += damp
		out[h] = s.level + sum*s.slope
		switch f.Season {
		case Offset:
			out[h] += s.season[(s.next+h)%len(s.season)]
		case Multiplied:
			out[h] *= s.season[(s.next+h)%len(s.season)]
		}
	}
	return out
}

// variance is the variance of the forecast errors of the next len(mean) steps, for one-step errors
// of variance sigma2 (relative variance where the errors are relative): Hyndman et al. (2008),
// table 6.2, and for relative errors the recursion of section 6.3, applied to the deseasonalised
// mean where the season is multiplied.
func (s *state) variance(f Form, g gains, mean []float64, sigma2 float64) []float64 {
	horizon := len(mean)
	weight := make([]float64, horizon) // c_j
	sum, damp := 0.0, 1.0
	for j := 1; j < horizon; j++ {
		damp *= g.damping
		sum += damp
		weight[j] = g.level + g.slope*sum
		if f.Season == Offset && j%len(s.season) == 0 {
			weight[j] += g.season
		}
	}
	out := make([]float64, horizon)
	if !f.Relative {
		total := 1.0
		for h := range out {
			if h > 0 {
				total += weight[h] * weight[h]
			}
			out[h] = sigma2 * total
		}
		return out
	}
	theta := make([]float64, horizon)
	for h := range out {
		factor, grow := 1.0, 1.0
		if f.Season == Multiplied {
			factor = s.season[(s.next+h)%len(s.season)]
			grow = math.Pow(1+g.season*g.season*sigma2, float64(h/len(s.season)))
		}
		base := mean[h] / factor
		theta[h] = base * base
		for j := 1; j <= h; j++ {
			theta[h] += sigma2 * weight[j] * weight[j] * theta[h-j]
		}
		out[h] = ((1+sigma2)*theta[h]*grow - base*base) * factor * factor
	}
	return out
}
