package arrivals

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Errors a caller branches on.
var (
	// ErrNoHistory means not one usable count.
	ErrNoHistory = errors.New("no usable counts")
	// ErrNotCount means a value that no number of orders can be.
	ErrNotCount = errors.New("not a count of orders")
)

// most is the largest count that is believed.
const most = 1e9

// History is what was counted, oldest first.
type History struct {
	// Counts holds one count a period; NaN where nothing was measured (a gap is not a zero).
	Counts []float64
	// Elapsed is how much of the last period is over, by its working time, where it is not over yet.
	// 0 and 1 mean that it is.
	Elapsed float64
	// Exposure is, where not nil, each period's working time (days or hours), for all counts and every
	// period to be forecast: counts are compared per unit of it.
	Exposure []float64
}

// prepared is a history after inspection.
type prepared struct {
	counts   []float64 // per average exposure; NaN for gaps
	weight   []float64 // share of a whole period behind each count, 0 for gaps
	exposure []float64 // relative to the average, for counts and forecast
	used     int
	running  bool // the last count is of the current period
	notes    []string
}

func (h History) prepare(horizon int) (prepared, error) {
	if err := h.check(horizon); err != nil {
		return prepared{}, err
	}
	p := prepared{counts: slices.Clone(h.Counts), exposure: h.relative(horizon)}
	p.running = h.Elapsed > 0 && h.Elapsed < 1
	p.weight = make([]float64, len(p.counts))
	last := len(p.counts) - 1
	for i, c := range p.counts {
		share := p.exposure[i]
		if i == last && p.running {
			share *= h.Elapsed
		}
		if math.IsNaN(c) || share <= 0 {
			p.counts[i] = math.NaN()
			continue
		}
		p.counts[i], p.weight[i] = c/share, share
	}
	if p.running {
		p.partial(last, h.Elapsed)
	}
	p.start()
	p.outliers()
	for _, w := range p.weight {
		if w > 0 {
			p.used++
		}
	}
	if p.used == 0 {
		return prepared{}, ErrNoHistory
	}
	if gaps := len(p.counts) - p.used; gaps > 0 {
		p.note("%d of %d periods are gaps: they are left out, not taken as zero", gaps, len(p.counts))
	}
	return p, nil
}

func (p *prepared) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (h History) check(horizon int) error {
	var wrong []error
	for i, c := range h.Counts {
		if c < 0 || c > most {
			wrong = append(wrong, fmt.Errorf("count %d is %v: %w", i+1, c, ErrNotCount))
		}
	}
	if !(h.Elapsed >= 0 && h.Elapsed <= 1) {
		wrong = append(wrong, fmt.Errorf("elapsed share %v is not between 0 and 1", h.Elapsed))
	}
	if h.Exposure != nil && len(h.Exposure) != len(h.Counts)+horizon {
		wrong = append(wrong, fmt.Errorf("%d exposures for %d counts and %d periods ahead", len(h.Exposure), len(h.Counts), horizon))
	}
	for i, e := range h.Exposure {
		if !(e >= 0) || math.IsInf(e, 0) {
			wrong = append(wrong, fmt.Errorf("exposure %d is %v: not a length of time", i+1, e))
		}
	}
	if len(h.Counts) == 0 {
		wrong = append(wrong, ErrNoHistory)
	}
	return errors.Join(wrong...)
}

// relative is each period's exposure over the average of the history's.
func (h History) relative(horizon int) []float64 {
	out := make([]float64, len(h.Counts)+horizon)
	sum := 0.0
	for i := range h.Counts {
		if h.Exposure != nil {
			sum += h.Exposure[i]
		}
	}
	for i := range out {
		out[i] = 1
		if sum > 0 {
			out[i] = h.Exposure[i] * float64(len(h.Counts)) / sum
		}
	}
	return out
}

// leastElapsed is how much of the current period must be over to be extrapolated.
const leastElapsed = 0.2

func (p *prepared) partial(last int, elapsed float64) {
	switch {
	case p.weight[last] == 0:
	case elapsed < leastElapsed:
		p.note("only %.0f %% of the current period is over: its count is not used", 100*elapsed)
		p.counts[last], p.weight[last] = math.NaN(), 0
	default:
		p.note("the current period's count is extrapolated from the %.0f %% that is over, and weighs as much less", 100*elapsed)
	}
}

// start leaves out zeros before the first order, where some order came.
func (p *prepared) start() {
	first := slices.IndexFunc(p.counts, func(c float64) bool { return c > 0 })
	if first < 0 {
		return
	}
	dropped := 0
	for i := range first {
		if p.weight[i] > 0 {
			p.counts[i], p.weight[i] = math.NaN(), 0
			dropped++
		}
	}
	if dropped > 0 {
		p.note("%d zeros before the first order are taken as the time before business began", dropped)
	}
}

// outliers leaves out a count ten times away from all of its neighbours two periods around: a
// mistake of counting rather than business. A new level is not one, its neighbours share it.
func (p *prepared) outliers() {
	var absurd []int
	for i, c := range p.counts {
		low, high, n := math.Inf(1), 0.0, 0
		for j := max(0, i-2); j <= min(len(p.counts)-1, i+2); j++ {
			if j != i && p.weight[j] > 0 {
				low, high, n = min(low, p.counts[j]), max(high, p.counts[j]), n+1
			}
		}
		if p.weight[i] > 0 && n >= 3 && c > 10*high+100 {
			absurd = append(absurd, i)
		}
		if p.weight[i] > 0 && n >= 3 && c < low/10-100 {
			absurd = append(absurd, i)
		}
	}
	for _, i := range absurd {
		p.note("count %d, %.0f, is more than ten times away from its neighbours: left out as a mistake of counting", i+1, p.counts[i])
		p.counts[i], p.weight[i] = math.NaN(), 0
	}
}
