package remaining

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
)

// MinCases is the number of cases with at least two events that Train needs.
const MinCases = 100

// ErrTooFewCases says that there is too little history to learn from.
var ErrTooFewCases = errors.New("too few cases")

// Options are what Train may be told. The zero value is good.
type Options struct {
	Seed    uint64 // same seed, cases and options: same model
	Workers int    // goroutines; defaults to one for each processor
	MaxRows int    // prefixes that trees are grown on, an even choice if there are more; defaults to 60,000
}

const (
	defaultRows = 60_000
	trainShare  = 0.8 // of the cases, by start; the rest validates
)

// settings are the ways to boost that Train tries on any log; the validation cases choose among them and
// their averages.
func settings(workers int) []namedSetting {
	plain := setting{
		growth: growth{leaves: 31, minLeaf: 20, workers: workers},
		trees:  300, patience: 32, rate: 0.1, cases: 0.6, prefixes: 0.5, features: 0.4,
	}
	steady := plain
	steady.trendless = true
	recent := plain
	recent.rate, recent.trees, recent.cases, recent.recency = 0.07, 400, 1, 2
	return []namedSetting{{"plain", plain}, {"steady", steady}, {"recent", recent}}
}

type namedSetting struct {
	name string
	setting
}

// Train learns from finished cases; the end of a case is its last event. The first four fifths by start are
// trained on, the others stop the training, choose among settings and calibrate. It is bounded in time
// and memory by MaxRows, not by the number of cases, but for one pass over them.
func Train(ctx context.Context, cases []Case, o Options) (*Model, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxRows <= 0 {
		o.MaxRows = defaultRows
	}
	cases = byStart(cases)
	train, check := cases[:int(float64(len(cases))*trainShare)], cases[int(float64(len(cases))*trainShare):]
	if n := followed(cases); n < MinCases || followed(train) == 0 || followed(check) == 0 {
		return nil, fmt.Errorf("train remaining time: %w: %d with at least two events, %d are needed",
			ErrTooFewCases, n, MinCases)
	}
	m := &Model{}
	m.ends, m.silence = learnEnds(train)
	loads := observeAll(m.NewTracker(), cases)
	s := learnSchema(train)
	x := collect(&s, train, loads[:len(train)], o.MaxRows)
	y := collect(&s, check, loads[len(train):], o.MaxRows)
	m.fit = Fit{TrainingCases: len(train), ValidationCases: len(check), Prefixes: x.rows()}
	if err := m.learn(ctx, s, x, y, o); err != nil {
		return nil, fmt.Errorf("train remaining time: %w", err)
	}
	return m, nil
}

// followed counts the cases with a prefix that something follows.
func followed(cases []Case) int {
	n := 0
	for _, c := range cases {
		if len(c.Events) > 1 {
			n++
		}
	}
	return n
}

func (m *Model) learn(ctx context.Context, s schema, x, y *examples, o Options) error {
	var columns [][]float32
	m.encoder, columns = learnEncoder(s, x, o.Seed)
	m.binner = learnBins(columns)
	m.cuts = learnCuts(x.target)
	m.tail = meanExcess(x.target, m.cuts[len(m.cuts)-1])
	train := binned{m.binner.columns(columns, o.Workers), x.target, x.owner}
	check := binned{m.binner.columns(m.encoder.columns(y), o.Workers), y.target, y.owner}
	var tried []candidate
	for i, s := range settings(o.Workers) {
		usable := varying(train.bins)
		if s.trendless {
			usable = slices.DeleteFunc(usable, m.encoder.trend)
		}
		f, checked, err := boost(ctx, train, check, usable, m.cuts, s.setting, o.Seed+uint64(i))
		if err != nil {
			return err
		}
		tried = append(tried, candidate{s.name, f, checked})
	}
	forecasts := m.choose(tried, y.target)
	m.calibration = learnCalibration(forecasts, y.target)
	return nil
}

// meanExcess is how far the targets over a limit are over it on average, 0 without any.
func meanExcess(target []float32, limit float32) float64 {
	sum, n := 0.0, 0
	for _, y := range target {
		if y > limit {
			sum += float64(y - limit)
			n++
		}
	}
	return sum / float64(max(n, 1))
}
