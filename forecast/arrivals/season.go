package arrivals

import "math"

// deseason takes the season out of the counts where two whole years show one, and returns what
// multiplies each position of the year; nil for none. The season is the mean, by position, of the
// counts over their straight trend; it is believed if it lowers Schwarz's criterion, that is if it
// explains more than its parameters cost. A smooth season in a short history hides from the
// autocorrelation test that package series uses.
func (p *prepared) deseason(period int) []float64 {
	n := len(p.counts)
	if period < 2 || p.used < n || p.running || n < 2*period {
		return nil
	}
	l, ok := fitLine(p, nil)
	if !ok {
		return nil
	}
	ratio, factor, times := make([]float64, n), make([]float64, period), make([]float64, period)
	for t, c := range p.counts {
		ratio[t] = c / max(l.at(float64(t)), 1)
		factor[t%period] += ratio[t]
		times[t%period]++
	}
	mean := 0.0
	for i := range factor {
		factor[i] /= times[i]
		mean += factor[i] / float64(period)
	}
	before, after := 0.0, 0.0
	for t, r := range ratio {
		before += (r - mean) * (r - mean)
		after += (r - factor[t%period]) * (r - factor[t%period])
	}
	if !(float64(n)*math.Log(before/max(after, 1e-9*before)) > float64(period-1)*math.Log(float64(n))) {
		return nil
	}
	for i := range factor {
		factor[i] = max(factor[i]/mean, 0.01)
	}
	for t := range p.counts {
		p.counts[t] /= factor[t%period]
	}
	return factor
}
