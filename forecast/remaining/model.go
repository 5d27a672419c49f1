package remaining

import "time"

// Model forecasts the time that orders have left. It is immutable.
type Model struct {
	encoder     *encoder
	binner      binner
	cuts        []float32
	tail        float64
	forests     []forest // their chances are averaged
	calibration calibration
	ends        map[uint64]float32
	silence     int64
	fit         Fit
}

// Fit says what a model was made from and how well it did on the validation cases.
type Fit struct {
	TrainingCases   int
	ValidationCases int
	Prefixes        int // that trees were grown on
	Trees           int
	Settings        []string      // those whose forests were kept
	ValidationError time.Duration // mean absolute error of the uncalibrated median
}

// Fit returns how the model came about.
func (m *Model) Fit() Fit { return m.fit }

// NewTracker returns a Tracker that knows nothing yet. Show it the recent past before the first forecast.
func (m *Model) NewTracker() *Tracker { return newTracker(m.ends, m.silence) }

// Predict returns the distribution of the time from the last event of the prefix to the order's end. Load is
// what a Tracker returned for that event. Events without a time are passed over; of a
// prefix without events nothing is known but what is usual.
func (m *Model) Predict(prefix Case, load Load) Distribution {
	events := ordered(prefix.Events)
	if len(events) == 0 {
		return m.calibration.apply(m.distribution(func(f *forest) []float32 { return f.Base }))
	}
	if !load.known {
		load = m.encoder.load
	}
	w := newWalk(&m.encoder.schema, prefix.Attrs)
	for _, e := range events {
		w.step(e, load)
	}
	row := m.encoder.row(w)
	binned, bins := make([]uint8, len(row)), make([][]uint8, len(row))
	for f, v := range row {
		binned[f] = m.binner.bin(f, v)
		bins[f] = binned[f : f+1]
	}
	return m.calibration.apply(m.distribution(func(f *forest) []float32 {
		o := newOdds(f.Base, 1)
		for i := range f.Trees {
			o.add(&f.Trees[i], bins, 1)
		}
		return o.values
	}))
}

// distribution averages the chances that the forests give.
func (m *Model) distribution(odds func(*forest) []float32) Distribution {
	above := make([]float64, len(m.cuts))
	for i := range m.forests {
		for k, v := range odds(&m.forests[i]) {
			above[k] += float64(chance(v)) / float64(len(m.forests))
		}
	}
	return newDistribution(m.cuts, above, m.tail)
}
