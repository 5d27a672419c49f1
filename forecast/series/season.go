package series

import "math"

// minSeasons is how many whole years a season needs before it is believed.
const minSeasons = 2

// Seasonal reports whether y repeats with the period, by the test of the M3 competition: the
// autocorrelation at that lag differs from zero with 90 % confidence (Bartlett's standard error).
// Under two whole periods the answer is no.
func Seasonal(y []float64, period int) bool {
	n := len(y)
	if period < 2 || n < minSeasons*period || n < 3 {
		return false
	}
	sum := 0.0
	for lag := 1; lag < period; lag++ {
		r := autocorrelation(y, lag)
		sum += r * r
	}
	limit := 1.645 * math.Sqrt((1+2*sum)/float64(n))
	return math.Abs(autocorrelation(y, period)) > limit
}

func autocorrelation(y []float64, lag int) float64 {
	mean := average(y)
	above, below := 0.0, 0.0
	for i, v := range y {
		below += (v - mean) * (v - mean)
		if i >= lag {
			above += (v - mean) * (y[i-lag] - mean)
		}
	}
	if below == 0 {
		return 0
	}
	return above / below
}

// indices returns the season of each position of the period by classical decomposition with a
// centred moving average: factors with mean 1 where multiplied, else offsets with mean 0. It needs
// two whole periods; position 0 is the position of y[0].
func indices(y []float64, period int, multiplied bool) []float64 {
	sum, count := make([]float64, period), make([]float64, period)
	half := period / 2
	for i := half; i+half < len(y); i++ {
		trend := movingAverage(y, i, period)
		if multiplied {
			sum[i%period] += y[i] / trend
		} else {
			sum[i%period] += y[i] - trend
		}
		count[i%period]++
	}
	for i := range sum {
		sum[i] /= count[i]
	}
	mean := average(sum)
	for i := range sum {
		if multiplied {
			sum[i] /= mean
		} else {
			sum[i] -= mean
		}
	}
	return sum
}

// movingAverage is the centred average over one period at i; an even period gives its two outermost
// values half weight.
func movingAverage(y []float64, i, period int) float64 {
	half := period / 2
	sum := 0.0
	for j := i - half; j <= i+half; j++ {
		sum += y[j]
	}
	if period%2 == 0 {
		sum -= (y[i-half] + y[i+half]) / 2
	}
	return sum / float64(period)
}

// adjustment is a season taken out of a series, to be put back into its forecast.
type adjustment struct {
	index      []float64 // nil: no season
	multiplied bool
}

// deseason returns y without its season, if the test finds one. Factors that would be meaningless
// (a value or a factor not above zero) become offsets.
func deseason(y []float64, period int) ([]float64, adjustment) {
	if !Seasonal(y, period) {
		return y, adjustment{}
	}
	a := adjustment{multiplied: lowest(y) > 0}
	a.index = indices(y, period, a.multiplied)
	if a.multiplied && lowest(a.index) < 0.01 {
		a = adjustment{index: indices(y, period, false)}
	}
	out := make([]float64, len(y))
	for i, v := range y {
		s := a.index[i%period]
		if a.multiplied {
			out[i] = v / s
		} else {
			out[i] = v - s
		}
	}
	return out, a
}

// restore puts the season back into a forecast that follows n observations, in place.
func (a adjustment) restore(forecast []float64, n int) {
	if a.index == nil {
		return
	}
	for h := range forecast {
		s := a.index[(n+h)%len(a.index)]
		if a.multiplied {
			forecast[h] *= s
		} else {
			forecast[h] += s
		}
	}
}

func average(y []float64) float64 {
	sum := 0.0
	for _, v := range y {
		sum += v
	}
	return sum / float64(len(y))
}

func lowest(y []float64) float64 {
	low := math.Inf(1)
	for _, v := range y {
		low = min(low, v)
	}
	return low
}
