package remaining

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Distribution is the forecast of the time left, from the last event of the prefix. The zero Distribution
// says that nothing is left. It is immutable.
type Distribution struct {
	points []point
	tail   float64 // mean days beyond the last point, where it decays exponentially
	middle float64 // days: the point forecast
}

// point says how likely more than a number of days is. Days grow from point to point, chances fall;
// between points they are joined by straight lines.
type point struct{ days, above float64 }

// newDistribution takes the chances that more than each of cuts days are left.
func newDistribution(cuts []float32, above []float64, tail float64) Distribution {
	points := make([]point, 0, len(cuts)+1)
	if len(cuts) > 0 && cuts[0] > 0 {
		points = append(points, point{0, 1})
	}
	least := 1.0
	for k, cut := range cuts {
		least = min(least, above[k])
		points = append(points, point{float64(cut), least})
	}
	d := Distribution{points: points, tail: tail}
	d.middle = d.quantile(0.5)
	return d
}

// Median returns the point forecast: the median before calibration, which is the forecast of least
// absolute error. Quantile(0.5) is the median after it, which may differ where validation cases and training
// cases did.
func (d Distribution) Median() time.Duration { return duration(d.middle) }

// ProbabilityOver returns the probability that more than d is left: that a promise breaks which is due d
// after the last event. Of a negative d it is 1.
func (d Distribution) ProbabilityOver(left time.Duration) float64 {
	if left < 0 {
		return 1
	}
	return d.above(left.Hours() / 24)
}

func (d Distribution) above(days float64) float64 {
	i := sort.Search(len(d.points), func(i int) bool { return d.points[i].days > days })
	if i == 0 {
		return 0 // only without points: the first stands at zero
	}
	p := d.points[i-1]
	if i == len(d.points) {
		if d.tail <= 0 {
			return 0
		}
		return p.above * math.Exp(-(days-p.days)/d.tail)
	}
	next := d.points[i]
	return p.above + (next.above-p.above)*(days-p.days)/(next.days-p.days)
}

// Quantile returns the time within which the order ends with probability p; p is clipped to 0.001 … 0.999.
func (d Distribution) Quantile(p float64) time.Duration { return duration(d.quantile(p)) }

func (d Distribution) quantile(p float64) float64 {
	if math.IsNaN(p) {
		p = 0.5
	}
	above := 1 - min(max(p, 0.001), 0.999)
	i := slices.IndexFunc(d.points, func(q point) bool { return q.above <= above })
	switch {
	case len(d.points) == 0:
		return 0
	case i == 0:
		return d.points[0].days
	case i < 0:
		last := d.points[len(d.points)-1]
		return last.days + max(d.tail, 0)*math.Log(last.above/above)
	}
	from, to := d.points[i-1], d.points[i]
	return from.days + (to.days-from.days)*(from.above-above)/(from.above-to.above)
}

// After returns what is left of the time once passed has gone by since the last event and nothing happened.
// Where training never saw so long a silence, what follows decays like the tail.
func (d Distribution) After(passed time.Duration) Distribution {
	if passed <= 0 || len(d.points) == 0 {
		return d
	}
	gone := passed.Hours() / 24
	still := d.above(gone)
	out := Distribution{points: []point{{0, 1}}, tail: d.tail}
	if still < 1e-9 {
		out.middle = out.quantile(0.5)
		return out
	}
	for _, p := range d.points {
		if p.days > gone {
			out.points = append(out.points, point{p.days - gone, p.above / still})
		}
	}
	out.middle = out.quantile(0.5)
	return out
}
