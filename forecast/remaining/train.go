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
	Trees   int    // at most, of each forest; defaults to 400
}

const (
	defaultRows  = 60_000
	defaultTrees = 400
	shortHistory = 30_000 // prefixes
	trainShare   = 0.8    // of the cases, by start; the rest validates
)

// settings are the ways to boost that Train tries on any log; the validation cases choose among them and
// their averages.
func settings(o Options) []namedSetting {
	plain := setting{
		growth: growth{leaves: 47, minLeaf: 20, workers: o.Workers},
		trees:  o.Trees, patience: 40, rate: 0.07, cases: 0.8, prefixes: 0.6, features: 0.4,
	}
	steady := plain
	steady.trendless = true
	recent := plain
	recent.cases, recent.recency = 1, 2
	return []namedSetting{{"plain", plain}, {"steady", steady}, {"recent", recent}}
}

type namedSetting struct {
	name string
	setting
}

// Train learns from finished cases; the end of a case is its last event. The first four fifths by start are
// trained on, the others stop the training, choose among settings and calibrate. It is bounded in time
// and memory by MaxRows and Trees, not by the number of cases, but for one pass over them.
func Train(ctx context.Context, cases []Case, o Options) (*Model, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxRows <= 0 {
		o.MaxRows = defaultRows
	}
	if o.Trees <= 0 {
		o.Trees = defaultTrees
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
	seed := o.Seed
	for _, s := range settings(o) {
		usable := varying(train.bins)
		if s.trendless {
			usable = slices.DeleteFunc(usable, m.encoder.trend)
		}
		c := candidate{name: s.name}
		for range forestsEach(x.rows()) {
			seed++
			f, checked, err := boost(ctx, train, check, usable, m.cuts, s.setting, seed)
			if err != nil {
				return err
			}
			c.forests, c.checked = append(c.forests, f), append(c.checked, checked)
		}
		tried = append(tried, c)
	}
	forecasts := m.choose(tried, y.target)
	m.calibration = learnCalibration(forecasts, y.target)
	return nil
}

// forestsEach is the number of forests of one setting, which differ by chance alone: a short history is noisy,
// and cheap.
func forestsEach(rows int) int { return min(max(shortHistory/rows, 1), 3) }

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
