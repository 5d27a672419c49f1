package main

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/forecast/remaining"
)

// The published protocol: cases by start, the first 64 % train, the next 16 % validate, the last 20 % test;
// scored is every prefix of 2 to n−1 events.
const (
	trainPercent   = 64
	learnPercent   = 80 // training and validation
	shortestPrefix = 2
)

// remainingReport is what remainingTime prints with --json; times in days unless they say otherwise.
type remainingReport struct {
	AsOf             time.Time        `json:"as_of"` // the log's last event
	Log              string           `json:"log"`
	MAE              float64          `json:"mae_days"`
	MeanBaseline     float64          `json:"mean_baseline_days"`
	Prefixes         int              `json:"prefixes"`
	Seconds          float64          `json:"seconds"`       // reading, training and scoring
	TrainSeconds     float64          `json:"train_seconds"` // training alone
	Cases            int              `json:"cases"`
	TestCases        int              `json:"test_cases"`
	RejectedEvents   int              `json:"rejected_events"`
	ValidationMAE    float64          `json:"validation_mae_days"`
	Settings         []string         `json:"settings"` // chosen on the validation cases
	Trees            int              `json:"trees"`
	CalibrationError float64          `json:"calibration_error"`
	Reliability      []reliabilityRow `json:"reliability"`
}

type reliabilityRow struct {
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Forecasts int     `json:"forecasts"`
	Mean      float64 `json:"mean"`
	Broke     float64 `json:"broke"`
}

// prefix is one to be scored, with what the other cases had done by then.
type prefix struct {
	seen remaining.Case
	load remaining.Load
	left float64 // days
}

// evaluate runs the protocol on cases in file order.
func evaluate(ctx context.Context, cases []remaining.Case, o remaining.Options) (remainingReport, error) {
	cases = byStart(cases)
	learn, test := cases[:len(cases)*learnPercent/100], cases[len(cases)*learnPercent/100:]
	started := time.Now()
	m, err := remaining.Train(ctx, learn, o)
	if err != nil {
		return remainingReport{}, err
	}
	fit := m.Fit()
	s := remainingReport{
		Cases: len(cases), TestCases: len(test), TrainSeconds: time.Since(started).Seconds(),
		ValidationMAE: fit.ValidationError.Hours() / 24, Settings: fit.Settings, Trees: fit.Trees,
	}
	for _, c := range cases {
		if end := c.Events[len(c.Events)-1].Time; end.After(s.AsOf) {
			s.AsOf = end
		}
	}
	training := cases[:len(cases)*trainPercent/100]
	s.add(m, prefixes(m, learn, test), newBaseline(training), dueTimes(training))
	return s, ctx.Err()
}

func (s *remainingReport) add(m *remaining.Model, tests []prefix, mean baseline, dues []time.Duration) {
	judged := make([]remaining.Judged, 0, len(tests)*len(dues))
	for _, p := range tests {
		d := m.Predict(p.seen, p.load)
		s.MAE += math.Abs(d.Median().Hours()/24 - p.left)
		s.MeanBaseline += math.Abs(mean.predict(len(p.seen.Events)) - p.left)
		for _, due := range dues {
			judged = append(judged, remaining.Judged{
				Probability: d.ProbabilityOver(due), Happened: p.left > due.Hours()/24,
			})
		}
	}
	s.Prefixes = len(tests)
	s.MAE /= float64(max(len(tests), 1))
	s.MeanBaseline /= float64(max(len(tests), 1))
	r := remaining.NewReliability(judged, 10)
	s.CalibrationError = r.Error
	for _, row := range r.Rows {
		s.Reliability = append(s.Reliability, reliabilityRow{row.From, row.To, row.Forecasts, row.Mean, row.Happened})
	}
}

// byStart orders each case's events by time and the cases by their first event; equal times keep the order of
// the file. Cases without events are dropped.
func byStart(cases []remaining.Case) []remaining.Case {
	out := make([]remaining.Case, 0, len(cases))
	for _, c := range cases {
		c.Events = slices.Clone(c.Events)
		slices.SortStableFunc(c.Events, func(a, b remaining.Event) int { return a.Time.Compare(b.Time) })
		if len(c.Events) > 0 {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b remaining.Case) int { return a.Events[0].Time.Compare(b.Events[0].Time) })
	return out
}

// prefixes shows a tracker the events of all cases as they happened and returns the prefixes of the test cases.
func prefixes(m *remaining.Model, learn, test []remaining.Case) []prefix {
	type place struct{ c, e int }
	all := slices.Concat(learn, test)
	var places []place
	for i, c := range all {
		for j := range c.Events {
			places = append(places, place{i, j})
		}
	}
	at := func(p place) time.Time { return all[p.c].Events[p.e].Time }
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.c, b.c), cmp.Compare(a.e, b.e))
	})
	tracker := m.NewTracker()
	var out []prefix
	for _, p := range places {
		c := all[p.c]
		load := tracker.Observe(c.Key, c.Events[p.e])
		length := p.e + 1
		if p.c < len(learn) || length < shortestPrefix || length >= len(c.Events) {
			continue
		}
		end := c.Events[len(c.Events)-1].Time
		c.Events = c.Events[:length]
		out = append(out, prefix{c, load, end.Sub(at(p)).Hours() / 24})
	}
	return out
}

// baseline forecasts the mean time left of the training prefixes of the same length; of a length that
// training has not, the mean of all.
type baseline struct {
	byLength map[int]float64
	all      float64
}

func newBaseline(training []remaining.Case) baseline {
	b := baseline{byLength: map[int]float64{}}
	counts, n := map[int]int{}, 0
	for _, c := range training {
		end := c.Events[len(c.Events)-1].Time
		for length := shortestPrefix; length < len(c.Events); length++ {
			left := end.Sub(c.Events[length-1].Time).Hours() / 24
			b.byLength[length] += left
			b.all += left
			counts[length]++
			n++
		}
	}
	for length, count := range counts {
		b.byLength[length] /= float64(count)
	}
	b.all /= float64(max(n, 1))
	return b
}

func (b baseline) predict(length int) float64 {
	if mean, ok := b.byLength[length]; ok {
		return mean
	}
	return b.all
}

// dueTimes are the promises by which the probabilities are judged: due after as long as a quarter, half, three
// quarters and nine tenths of the training prefixes had left at most.
func dueTimes(training []remaining.Case) []time.Duration {
	var left []time.Duration
	for _, c := range training {
		for length := shortestPrefix; length < len(c.Events); length++ {
			left = append(left, c.Events[len(c.Events)-1].Time.Sub(c.Events[length-1].Time))
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	return []time.Duration{
		left[len(left)/4], left[len(left)/2], left[len(left)*3/4], left[len(left)*9/10],
	}
}
