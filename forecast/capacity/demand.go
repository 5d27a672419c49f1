package capacity

import (
	"fmt"
	"math"

	"github.com/alexandrite/orderwatch/forecast/arrivals"
)

// Demand is what comes: orders in each month ahead, with a central 80 % interval.
type Demand struct {
	Mean, Low, High []float64
	// Trend is the orders a month more each month that Mean rests on; a what-if replaces it.
	Trend float64
}

// level is the central share of a Demand's interval, and z its normal quantile.
const (
	level = 0.8
	z     = 1.2815515655446004
)

// Total adds the forecasts of channels or partners, which must be equally long. Their errors are
// taken as independent.
func Total(outlooks ...*arrivals.Outlook) (Demand, error) {
	var d Demand
	for i, o := range outlooks {
		if i == 0 {
			d = Demand{Mean: make([]float64, len(o.Mean)), Low: make([]float64, len(o.Mean)), High: make([]float64, len(o.Mean))}
		}
		if len(o.Mean) != len(d.Mean) {
			return Demand{}, fmt.Errorf("total demand: %d months ahead, and %d", len(d.Mean), len(o.Mean))
		}
		_, high := o.Band(level)
		d.Trend += o.Trend
		for h, m := range o.Mean {
			d.Mean[h] += m
			d.High[h] += (high[h] - m) * (high[h] - m)
		}
	}
	for h, m := range d.Mean {
		half := math.Sqrt(d.High[h])
		d.Low[h], d.High[h] = max(0, m-half), m+half
	}
	return d, nil
}

func (d Demand) check() error {
	if len(d.Mean) == 0 || len(d.Low) != len(d.Mean) || len(d.High) != len(d.Mean) {
		return fmt.Errorf("demand: %d, %d and %d months: equally many, at least one", len(d.Mean), len(d.Low), len(d.High))
	}
	for h, m := range d.Mean {
		if !(d.Low[h] >= 0 && d.Low[h] <= m && m <= d.High[h]) || math.IsInf(d.High[h], 0) {
			return fmt.Errorf("demand of month %d: %v in [%v, %v]", h+1, m, d.Low[h], d.High[h])
		}
	}
	return nil
}

// shift adds to every month ahead, the interval moving along.
func (d Demand) shift(by func(month int) float64) Demand {
	out := Demand{Trend: d.Trend, Mean: make([]float64, len(d.Mean)), Low: make([]float64, len(d.Mean)), High: make([]float64, len(d.Mean))}
	for h, m := range d.Mean {
		more := by(h + 1)
		out.Mean[h], out.Low[h], out.High[h] = max(0, m+more), max(0, d.Low[h]+more), max(0, d.High[h]+more)
	}
	return out
}

// first is the first month, from 1, in which orders exceed limit; 0 for none.
func first(orders []float64, limit float64) int {
	for h, o := range orders {
		if o > limit {
			return h + 1
		}
	}
	return 0
}

// Storage is the size in bytes at the end of each month ahead of what holds a number of bytes now
// and grows by so many an order, such as the database or the journal of events.
func (d Demand) Storage(now, perOrder float64) []float64 {
	out := make([]float64, len(d.Mean))
	for h, m := range d.Mean {
		now += m * perOrder
		out[h] = now
	}
	return out
}
