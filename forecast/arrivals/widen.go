package arrivals

import "math"

// leastOrigin is how many counts an earlier standpoint needs, and trust how many standpoints the
// line's own spread is worth.
const (
	leastOrigin = 6
	trust       = 12.0
)

// widening stands at earlier origins, fits the same kind of line to what was known then, and compares
// the errors it made since with the spread it claimed. The answer, at least 1, is what intervals
// are multiplied by: the root mean squared ratio, drawn towards 1 as far as origins are few.
func widening(p *prepared, starts []int, prior *Prior) float64 {
	sum, count := trust, trust
	for n := len(p.counts) - 1; n >= leastOrigin && len(p.counts)-n <= 12; n-- {
		then := prepared{counts: p.counts[:n], weight: p.weight[:n], used: p.between(0, n)}
		if then.used < leastOrigin || n-leastSegment < last(starts) {
			break
		}
		l, ok := fitLine(&then, starts)
		if !ok {
			break
		}
		if prior != nil {
			l.shrink(*prior)
		}
		if ratio, ok := l.surprise(p, n); ok {
			sum += ratio
			count++
		}
	}
	return max(1, math.Sqrt(sum/count))
}

func last(starts []int) int {
	if len(starts) == 0 {
		return 0
	}
	return starts[len(starts)-1]
}

// surprise is the mean squared error since, each over the variance the line claimed.
func (l *line) surprise(p *prepared, from int) (ratio float64, ok bool) {
	n := 0.0
	for t := from; t < len(p.counts); t++ {
		if p.weight[t] == 0 {
			continue
		}
		mean := l.at(float64(t))
		e := p.counts[t] - mean
		ratio += e * e / (l.uncertainty(float64(t)) + l.dispersion*max(mean, 1)/p.weight[t])
		n++
	}
	if n == 0 {
		return 0, false
	}
	return min(25, ratio/n), true
}

// studentQuantile is Student's t quantile for p above 1/2, by the expansion of Cornish and Fisher in
// Hill (1970, Algorithm 396, Communications of the ACM 13), good to 1 % from two degrees of freedom.
func studentQuantile(p, free float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*p-1)
	if free <= 2 {
		return (2*p - 1) * math.Sqrt(2/(4*p*(1-p))) // exact at two
	}
	z2 := z * z
	g1 := z * (z2 + 1) / 4
	g2 := z * ((5*z2+16)*z2 + 3) / 96
	g3 := z * (((3*z2+19)*z2+17)*z2 - 15) / 384
	g4 := z * ((((79*z2+776)*z2+1482)*z2-1920)*z2 - 945) / 92160
	return z + g1/free + g2/(free*free) + (g3+g4/free)/(free*free*free)
}
