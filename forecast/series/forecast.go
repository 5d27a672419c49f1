package series

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Errors a caller branches on.
var (
	// ErrTooShort means fewer than Least values.
	ErrTooShort = errors.New("too few values")
	// ErrNotNumber means a value that is no finite number.
	ErrNotNumber = errors.New("not a finite number")
)

// Least is the smallest number of values that is forecast.
const Least = 4

// largest bounds what is believed to be a value: squares of it must stay finite.
const largest = 1e100

// Member is one model of the combination.
type Member struct {
	Name string
	Mean []float64
}

// Forecast is the combination's answer.
type Forecast struct {
	Mean    []float64
	Form    string  // exponential smoothing as AICc chose it, "" for a series too short for any
	AICc    float64 // of that form
	Members []Member
	// Scale is what the rolling origin multiplied the models' own spread by: above 1 they were too
	// sure of themselves.
	Scale     float64
	deviation []float64
	floor     float64
}

// Interval is the central prediction interval of a level such as 0.95.
func (f *Forecast) Interval(level float64) (low, high []float64) {
	z := math.Sqrt2 * math.Erfinv(level)
	low, high = make([]float64, len(f.Mean)), make([]float64, len(f.Mean))
	for h, m := range f.Mean {
		low[h] = max(f.floor, m-z*f.deviation[h])
		high[h] = max(f.floor, m+z*f.deviation[h])
	}
	return low, high
}

// Deviation is the standard deviation of the forecast error at each step.
func (f *Forecast) Deviation() []float64 { return slices.Clone(f.deviation) }

// Predict forecasts the next horizon values of y. period is the length of a season, 1 for none.
//
// The answer is the mean of five forecasts without the highest and the lowest at each step: simple
// combinations of diverse univariate models do as well as anything known for short series
// (Petropoulos, Svetunkov 2020; Makridakis et al. 2020), and trimming keeps one that runs away out of
// it. The five are exponential smoothing averaged by Akaike weights, and theta and temporal
// aggregation, each after the season was removed by classical decomposition and by the smoothing
// model. A series that was never negative is not forecast to be.
func Predict(y []float64, period, horizon int) (*Forecast, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	out := &Forecast{Scale: 1, floor: math.Inf(-1)}
	if lowest(y) >= 0 {
		out.floor = 0
	}
	fam := grow(y, period)
	mean, variance := fam.ahead(y, horizon)
	out.add("exponential smoothing", mean)
	plain, classical := deseason(y, period)
	out.addPair("classical season", plain, period, horizon, func(f []float64) { classical.restore(f, len(y)) })
	if len(fam.fits) > 0 {
		best := fam.best()
		out.Form, out.AICc = best.form.String(), best.aicc
		out.Scale = calibrate(best.form, y, period, horizon)
		out.addPair("smoothed season", best.plain(y, period), period, horizon, best.season)
	} else {
		out.addPair("no season", y, 1, horizon, func([]float64) {})
	}
	out.combine(variance)
	return out, nil
}

func check(y []float64) error {
	for i, v := range y {
		if math.IsNaN(v) || math.Abs(v) > largest {
			return fmt.Errorf("value %d: %w", i+1, ErrNotNumber)
		}
	}
	if len(y) < Least {
		return fmt.Errorf("%d values, at least %d: %w", len(y), Least, ErrTooShort)
	}
	return nil
}

func (f *Forecast) add(name string, mean []float64) {
	f.Members = append(f.Members, Member{name, mean})
}

func (f *Forecast) addPair(name string, plain []float64, period, horizon int, restore func([]float64)) {
	line, steps := newTheta(plain).forecast(horizon), aggregate(plain, period, horizon)
	restore(line)
	restore(steps)
	f.add("theta, "+name, line)
	f.add("aggregation, "+name, steps)
}

// combine takes the trimmed mean of the members. Its spread is that of the smoothing models, as the
// rolling origin scaled it, and the members' disagreement, which is what choosing a model leaves
// uncertain.
func (f *Forecast) combine(variance []float64) {
	f.Mean, f.deviation = make([]float64, len(variance)), make([]float64, len(variance))
	at := make([]float64, len(f.Members))
	for h, v := range variance {
		for i, m := range f.Members {
			at[i] = m.Mean[h]
		}
		slices.Sort(at)
		f.Mean[h] = max(f.floor, average(at[1:len(at)-1]))
		f.deviation[h] = math.Sqrt(f.Scale*f.Scale*v + spread(at))
	}
}

// plain is y without the season the smoothing model saw at each time.
func (f fitted) plain(y []float64, period int) []float64 {
	if f.form.Season == NoSeason {
		return y
	}
	out := make([]float64, len(y))
	ft := newFitter(f.form, y, period)
	ft.settle(f.gains)
	for t, v := range y {
		ft.work.run(f.form, f.gains, y[t:t+1])
		s := ft.work.season[t%period]
		if f.form.Season == Multiplied {
			out[t] = v / s
		} else {
			out[t] = v - s
		}
	}
	return out
}

// season puts the model's last season back into a forecast, in place.
func (f fitted) season(forecast []float64) {
	for h := range forecast {
		s := 0.0
		if f.form.Season != NoSeason {
			s = f.end.season[(f.end.next+h)%len(f.end.season)]
		}
		switch f.form.Season {
		case Multiplied:
			forecast[h] *= s
		case Offset:
			forecast[h] += s
		}
	}
}
