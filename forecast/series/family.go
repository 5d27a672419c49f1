package series

import (
	"math"
	"slices"
)

// family is every form of exponential smoothing that y bears, with the weight of the evidence for
// each: exp(−ΔAICc/2), Akaike's weights (Kolassa 2011).
type family struct {
	fits    []fitted
	weights []float64 // sum 1
}

// grow fits the family. Multiplicative errors and seasons need positive data, a season two whole
// periods; a period under 2 means no season.
func grow(y []float64, period int) family {
	var fam family
	positive := lowest(y) > 0
	for _, trend := range []Trend{NoTrend, Additive, Damped} {
		forms := []Form{{false, trend, NoSeason}}
		if positive {
			forms = append(forms, Form{true, trend, NoSeason})
		}
		if period > 1 && len(y) >= minSeasons*period {
			forms = append(forms, Form{false, trend, Offset})
			if positive && lowest(indices(y, period, true)) > 0.01 {
				forms = append(forms, Form{true, trend, Multiplied})
			}
		}
		for _, form := range forms {
			if f, ok := fit(form, y, period); ok {
				fam.fits = append(fam.fits, f)
			}
		}
	}
	fam.weigh()
	return fam
}

func (fam *family) weigh() {
	if len(fam.fits) == 0 {
		return
	}
	low, total := fam.best().aicc, 0.0
	for _, f := range fam.fits {
		w := math.Exp((low - f.aicc) / 2)
		fam.weights = append(fam.weights, w)
		total += w
	}
	for i := range fam.weights {
		fam.weights[i] /= total
	}
}

// best is the form with the lowest AICc; the family must not be empty.
func (fam *family) best() fitted {
	return slices.MinFunc(fam.fits, func(a, b fitted) int {
		if a.aicc < b.aicc {
			return -1
		}
		return 1
	})
}

// ahead is the weighted mean and variance of the next steps. An empty family, of a series too short
// for any form, repeats the mean of y.
func (fam *family) ahead(y []float64, horizon int) (mean, variance []float64) {
	mean, variance = make([]float64, horizon), make([]float64, horizon)
	if len(fam.fits) == 0 {
		for h := range mean {
			mean[h], variance[h] = average(y), spread(y)
		}
		return mean, variance
	}
	square := make([]float64, horizon)
	for i, f := range fam.fits {
		if fam.weights[i] < 1e-4 {
			continue
		}
		one := f.end.ahead(f.form, f.gains, horizon)
		two := f.end.variance(f.form, f.gains, one, f.sigma2)
		for h := range mean {
			mean[h] += fam.weights[i] * one[h]
			square[h] += fam.weights[i] * one[h] * one[h]
			variance[h] += fam.weights[i] * two[h]
		}
	}
	for h := range variance {
		variance[h] += max(0, square[h]-mean[h]*mean[h]) // between the forms
	}
	return mean, variance
}

// spread is the sample variance of y, 0 under two values.
func spread(y []float64) float64 {
	if len(y) < 2 {
		return 0
	}
	mean, sum := average(y), 0.0
	for _, v := range y {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(y)-1)
}
