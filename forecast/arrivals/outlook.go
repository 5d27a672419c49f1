package arrivals

import (
	"fmt"
	"math"

	"github.com/alexandrite/orderwatch/forecast/series"
)

// Prior is what is believed of the trend before it is measured: normal, in orders a period per period.
type Prior struct{ Slope, Deviation float64 }

// DefaultPrior is the company's own statement: a hundred orders more each month, give or take twenty.
func DefaultPrior() *Prior { return &Prior{Slope: 100, Deviation: 10} }

// Options say how to forecast.
type Options struct {
	Horizon int // periods ahead, at least 1
	// Period is how many periods make a season; 12 for months, 52 for weeks, 1 for none.
	Period int
	// Prior is used while there is less than two years (2·Period) of counts; nil for none. Where
	// there are fewer than two counts and no prior, the trend is taken as 0 ± the level's own size.
	Prior *Prior
}

// Outlook is the answer.
type Outlook struct {
	// Level is the expected count of the last period, on its trend.
	Level float64
	// Trend is orders a period more each period; the interval is 95 %.
	Trend, TrendLow, TrendHigh float64
	// Measured is false where the trend is the prior's and not the data's.
	Measured bool
	// Mean is the expected count of each period ahead. The first is the one after the last count.
	Mean       []float64
	Changes    []Change
	Seasonal   bool
	Dispersion float64 // variance over mean of a count; 1 is Poisson
	Used       int     // counts used
	Form       string  // exponential smoothing's form, where history was long enough for it
	LineWeight float64 // weight of the straight line against the combination of package series
	// Widening is what the rolling origin multiplied the line's intervals by.
	Widening float64
	Notes    []string // what cannot be said, in plain English

	deviation []float64
	free      float64
}

// Band is the central interval of each period ahead at a level such as 0.95 or 0.8. Counts are never
// below 0.
func (o *Outlook) Band(level float64) (low, high []float64) {
	t := studentQuantile((1+level)/2, o.free)
	low, high = make([]float64, len(o.Mean)), make([]float64, len(o.Mean))
	for h, m := range o.Mean {
		low[h], high[h] = max(0, m-t*o.deviation[h]), m+t*o.deviation[h]
	}
	return low, high
}

// Predict forecasts orders. The straight line with jumps and Poisson noise, and the combination of
// package series, are averaged by Akaike's weights: a short or steady history speaks for the line,
// a long and winding one for the combination.
func Predict(h History, o Options) (*Outlook, error) {
	if o.Horizon < 1 || o.Period < 1 {
		return nil, fmt.Errorf("forecast arrivals: horizon %d and period %d must be at least 1", o.Horizon, o.Period)
	}
	p, err := h.prepare(o.Horizon)
	if err != nil {
		return nil, fmt.Errorf("forecast arrivals: %w", err)
	}
	season := p.deseason(o.Period)
	l, ok := findChanges(&p)
	if !ok {
		l = guess(&p, o.Prior)
	}
	out := &Outlook{Used: p.used, Dispersion: l.dispersion, Seasonal: season != nil, Measured: ok && l.n > 2, LineWeight: 1, Widening: 1}
	short := p.used < 2*o.Period
	if ok && short && o.Prior != nil {
		l.shrink(*o.Prior)
	}
	if ok {
		out.Widening = widening(&p, l.starts, prior(short, o.Prior))
	}
	out.describe(&p, &l)
	out.extrapolate(&p, &l, o.Horizon)
	out.blend(&p, &l, o)
	out.restore(&p, season)
	out.explain(&p, o)
	return out, nil
}

func prior(short bool, p *Prior) *Prior {
	if short {
		return p
	}
	return nil
}

// guess is the line where there is no telling a slope: the mean of the counts, and the prior's trend.
func guess(p *prepared, prior *Prior) line {
	level, n, at := 0.0, 0.0, 0.0
	for t, w := range p.weight {
		if w > 0 {
			level += p.counts[t]
			at += float64(t)
			n++
		}
	}
	level, at = level/n, at/n
	if prior == nil {
		prior = &Prior{0, max(level, 1)}
	}
	variance := max(level, 1) / n
	slope := prior.Deviation * prior.Deviation
	return line{
		coef:       []float64{level - prior.Slope*at, prior.Slope},
		covariance: [][]float64{{variance + slope*at*at, -slope * at}, {-slope * at, slope}},
		dispersion: 1, n: n, free: 2,
	}
}

func (o *Outlook) describe(p *prepared, l *line) {
	last := float64(len(p.counts) - 1)
	o.free = l.free
	o.Level = max(0, l.at(last))
	o.Trend = l.coef[1]
	half := studentQuantile(0.975, l.free) * math.Sqrt(l.covariance[1][1]) * o.Widening
	o.TrendLow, o.TrendHigh = o.Trend-half, o.Trend+half
	for j, s := range l.starts {
		o.Changes = append(o.Changes, Change{s, l.coef[2+j]})
	}
}

func (o *Outlook) extrapolate(p *prepared, l *line, horizon int) {
	o.Mean, o.deviation = make([]float64, horizon), make([]float64, horizon)
	for h := range o.Mean {
		t := float64(len(p.counts) + h)
		o.Mean[h] = max(0, l.at(t))
		o.deviation[h] = o.Widening * math.Sqrt(l.uncertainty(t)+l.dispersion*max(o.Mean[h], 1))
	}
}

// blend mixes in the combination of univariate models. It sees whole periods only, gaps filled
// along the line, and counts before a jump lifted to today's level.
func (o *Outlook) blend(p *prepared, l *line, opt Options) {
	whole := len(p.counts)
	if p.running {
		whole--
	}
	first := 0
	for first < whole && p.weight[first] == 0 {
		first++
	}
	if !o.Measured || whole-first < 5 {
		return
	}
	y := make([]float64, 0, whole)
	today := float64(len(p.counts) - 1)
	for t := first; t < whole; t++ {
		v := p.counts[t]
		if p.weight[t] == 0 {
			v = l.at(float64(t))
		}
		for j, s := range l.starts {
			if t < s && float64(s) <= today {
				v += l.coef[2+j]
			}
		}
		y = append(y, max(0, v))
	}
	skip := len(p.counts) - whole
	f, err := series.Predict(y, 1, opt.Horizon+skip)
	if err != nil || f.Form == "" {
		return
	}
	o.Form = f.Form
	o.LineWeight = 1 / (1 + math.Exp((l.evidence()-f.AICc)/2))
	deviation := f.Deviation()
	for h := range o.Mean {
		mean, w := f.Mean[h+skip], o.LineWeight
		apart := w * (1 - w) * (o.Mean[h] - mean) * (o.Mean[h] - mean)
		own := max(deviation[h+skip], math.Sqrt(max(mean, 1)))
		o.deviation[h] = math.Sqrt(w*o.deviation[h]*o.deviation[h] + (1-w)*own*own + apart)
		o.Mean[h] = w*o.Mean[h] + (1-w)*mean
	}
}

// restore puts season and exposure back.
func (o *Outlook) restore(p *prepared, season []float64) {
	for h := range o.Mean {
		t := len(p.counts) + h
		f := p.exposure[t]
		if season != nil {
			f *= season[t%len(season)]
		}
		o.Mean[h] *= f
		o.deviation[h] *= f
	}
}

func (o *Outlook) explain(p *prepared, opt Options) {
	o.Notes = p.notes
	say := func(format string, args ...any) { o.Notes = append(o.Notes, fmt.Sprintf(format, args...)) }
	switch {
	case !o.Measured && opt.Prior != nil:
		say("%d counts: the trend cannot be measured yet, it is the configured %+g a period", p.used, opt.Prior.Slope)
	case !o.Measured:
		say("%d counts: the trend cannot be measured yet and none is configured; it is taken as none", p.used)
	case p.used < 4:
		say("%d counts: the trend and its interval are a first impression", p.used)
	}
	if p.used < 2*opt.Period && opt.Period > 1 {
		say("a season cannot be told from %d counts: two whole years (%d) are needed", p.used, 2*opt.Period)
	}
	if o.Level < 0.5 {
		say("no orders at present: the forecast is what Poisson noise allows")
	}
}
