package remaining

import "sort"

// calibration turns the probabilities that the forests give into those that came true on the validation
// cases: the recalibration of Kuleshov, Fenner and Ermon (2018), by groups of like forecasts, each drawn
// towards all of them.
type calibration struct {
	Bounds []float64   // median days up to which a forecast belongs to a group, the last group apart
	Shares [][]float64 // [group][step]: share of validation rows at or below the probability step/steps
}

const (
	calibrationSteps = 20
	groupRows        = 400 // validation rows a group needs
	maxGroups        = 6
	evenRows         = 500  // rows that the forests' own word weighs among all: rows of one case are alike
	pooledRows       = 1000 // rows that all together weigh in a group
)

// learnCalibration compares forecasts with what came.
func learnCalibration(forecasts []Distribution, target []float32) calibration {
	medians := make([]float64, len(forecasts))
	reached := make([]float64, len(forecasts))
	for i, d := range forecasts {
		medians[i] = d.middle
		reached[i] = reachedAt(d, float64(target[i]), i)
	}
	c := calibration{Bounds: groupBounds(medians)}
	even := make([]float64, calibrationSteps+1)
	for s := range even {
		even[s] = float64(s) / calibrationSteps
	}
	all := shares(reached, even, evenRows)
	groups := make([][]float64, len(c.Bounds)+1)
	for i, m := range medians {
		g := c.group(m)
		groups[g] = append(groups[g], reached[i])
	}
	for _, values := range groups {
		c.Shares = append(c.Shares, shares(values, all, pooledRows))
	}
	return c
}

// reachedAt returns the probability that the forecast gave to at most the days that came. Where a day has
// a probability of its own, a place within it, so that a right forecast gives an even spread.
func reachedAt(d Distribution, days float64, salt int) float64 {
	u := 1 - d.above(days)
	if days <= 0 {
		u *= float64(mix(uint64(salt))>>11) / (1 << 53)
	}
	return u
}

func groupBounds(medians []float64) []float64 {
	sorted := append([]float64(nil), medians...)
	sort.Float64s(sorted)
	groups := min(maxGroups, len(sorted)/groupRows)
	var out []float64
	for g := 1; g < groups; g++ {
		if b := sorted[g*len(sorted)/groups]; len(out) == 0 || b > out[len(out)-1] {
			out = append(out, b)
		}
	}
	return out
}

func (c calibration) group(median float64) int { return sort.SearchFloat64s(c.Bounds, median) }

// shares counts values at or below each step, as if prior had been seen in so many rows more.
func shares(values, prior []float64, weight float64) []float64 {
	out := make([]float64, calibrationSteps+1)
	for s := range out {
		limit := float64(s) / calibrationSteps
		n := weight * prior[s]
		for _, v := range values {
			if v <= limit {
				n++
			}
		}
		out[s] = n / (float64(len(values)) + weight)
	}
	out[calibrationSteps] = 1
	return out
}

// apply returns the calibrated forecast.
func (c calibration) apply(d Distribution) Distribution {
	if len(c.Shares) == 0 {
		return d
	}
	shares := c.Shares[c.group(d.middle)]
	out := Distribution{make([]point, len(d.points)), d.tail, d.middle}
	for i, p := range d.points {
		below := (1 - p.above) * calibrationSteps
		s := min(int(below), calibrationSteps-1)
		share := shares[s] + (shares[s+1]-shares[s])*(below-float64(s))
		out.points[i] = point{p.days, 1 - share}
	}
	return out
}
