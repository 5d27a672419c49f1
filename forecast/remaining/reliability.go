package remaining

import "math"

// Judged is a forecast probability that something happens and whether it did.
type Judged struct {
	Probability float64
	Happened    bool
}

// ReliabilityRow is what became of the forecasts between two probabilities.
type ReliabilityRow struct {
	From, To  float64 // probability; To belongs to the next row, but for the last
	Forecasts int
	Mean      float64 // of the probabilities
	Happened  float64 // share
}

// Reliability is a reliability table: of what was given p, about p should have happened.
type Reliability struct {
	Rows  []ReliabilityRow
	Error float64 // expected calibration error: the rows' differences of Mean and Happened, weighted by forecasts
	Brier float64 // mean squared difference of probability and outcome
}

// NewReliability cuts forecasts into bins of equal width. Probabilities outside of 0 … 1, and NaN, are left out.
func NewReliability(judged []Judged, bins int) Reliability {
	bins = max(bins, 1)
	r := Reliability{Rows: make([]ReliabilityRow, bins)}
	for i := range r.Rows {
		r.Rows[i].From, r.Rows[i].To = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	total := 0
	for _, j := range judged {
		if !(j.Probability >= 0 && j.Probability <= 1) {
			continue
		}
		total++
		row := &r.Rows[min(int(j.Probability*float64(bins)), bins-1)]
		row.Forecasts++
		row.Mean += j.Probability
		miss := j.Probability
		if j.Happened {
			row.Happened++
			miss = 1 - j.Probability
		}
		r.Brier += miss * miss
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Forecasts == 0 {
			continue
		}
		row.Mean /= float64(row.Forecasts)
		row.Happened /= float64(row.Forecasts)
		r.Error += math.Abs(row.Mean-row.Happened) * float64(row.Forecasts) / float64(total)
	}
	r.Brier /= float64(max(total, 1))
	return r
}
