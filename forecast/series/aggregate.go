package series

// leastBuckets is how many whole buckets a level of aggregation needs to be forecast.
const leastBuckets = 8

// aggregate forecasts a series without season at several bucket lengths, one, two, three months up to
// a period, and averages the answers: long buckets show the trend that noise hides in short ones
// (Kourentzes, Petropoulos, Trapero 2014, Improving forecasting by estimating time series structural
// components across multiple frequencies, IJF 30). Each bucket length is forecast by its own family.
func aggregate(y []float64, period, horizon int) []float64 {
	out := make([]float64, horizon)
	levels := 0.0
	for length := 1; length <= max(1, period); length++ {
		buckets := len(y) / length
		if length > 1 && (period%length != 0 || buckets < leastBuckets) {
			continue
		}
		means := bucketMeans(y[len(y)-buckets*length:], length)
		fam := grow(means, 1)
		mean, _ := fam.ahead(means, (horizon+length-1)/length)
		for h := range out {
			out[h] += mean[h/length]
		}
		levels++
	}
	for h := range out {
		out[h] /= levels
	}
	return out
}

func bucketMeans(y []float64, length int) []float64 {
	out := make([]float64, len(y)/length)
	for i := range out {
		out[i] = average(y[i*length : (i+1)*length])
	}
	return out
}
