package remaining

import "math"

// candidate is the forests of one setting with their odds for the validation rows.
type candidate struct {
	name    string
	forests []forest
	checked []odds
}

// choose keeps the candidates whose average has the least absolute error on the validation rows, and returns
// its forecasts for them. Of equals it keeps the fewest.
func (m *Model) choose(tried []candidate, target []float32) []Distribution {
	var best []Distribution
	least := math.Inf(1)
	for size := 1; size <= len(tried); size++ {
		for chosen := 1; chosen < 1<<len(tried); chosen++ {
			some := subset(tried, chosen)
			if len(some) != size {
				continue
			}
			forecasts := m.average(some, len(target))
			if e := forecastError(forecasts, target); e < least {
				best, least = forecasts, e
				m.keep(some, e)
			}
		}
	}
	return best
}

// subset returns the candidates whose bits are set.
func subset(tried []candidate, bits int) []candidate {
	var out []candidate
	for i, c := range tried {
		if bits>>i&1 == 1 {
			out = append(out, c)
		}
	}
	return out
}

func (m *Model) keep(chosen []candidate, e float64) {
	m.forests, m.fit.Settings, m.fit.Trees = nil, nil, 0
	for _, c := range chosen {
		m.forests = append(m.forests, c.forests...)
		m.fit.Settings = append(m.fit.Settings, c.name)
	}
	for _, f := range m.forests {
		m.fit.Trees += len(f.Trees)
	}
	m.fit.ValidationError = duration(e)
}

func (m *Model) average(chosen []candidate, rows int) []Distribution {
	var all []odds
	for _, c := range chosen {
		all = append(all, c.checked...)
	}
	out := make([]Distribution, rows)
	above := make([]float64, len(m.cuts))
	for i := range out {
		clear(above)
		for _, o := range all {
			for k, v := range o.row(i) {
				above[k] += float64(chance(v)) / float64(len(all))
			}
		}
		out[i] = newDistribution(m.cuts, above, m.tail)
	}
	return out
}

func forecastError(forecasts []Distribution, target []float32) float64 {
	sum := 0.0
	for i, d := range forecasts {
		sum += math.Abs(d.middle - float64(target[i]))
	}
	return sum / float64(max(len(target), 1))
}
