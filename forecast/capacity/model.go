package capacity

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Plan is what is to be judged.
type Plan struct {
	Demand Demand // 36 months are usual
	Stages []Stage
	// Start is the first day of the first month of Demand.
	Start time.Time
	// Look is the month ahead, from 1, at which states are compared; 0 is taken as 12, or the last.
	Look int
}

// Saturation says when. Months count from 1; 0 means not within the horizon.
type Saturation struct {
	Month int
	Date  time.Time // the first day of that month, zero for none
	// Earliest and Latest are by the upper and lower end of the demand's 80 % interval.
	Earliest, Latest int
	// Limit is the volume, in orders a month, up to which the deadline is kept.
	Limit float64
	// Servers is how many keep the deadline to the end of the horizon; 0 where no number does.
	Servers int
}

// Answer is a stage's.
type Answer struct {
	Stage      string
	Now        State // in the first month
	Then       State // in the month looked at
	Saturation Saturation
}

// Model holds the answers for a plan, for what-ifs to be compared with.
type Model struct {
	plan    Plan
	answers []Answer
}

// New judges a plan. Every problem of it is in the error.
func New(p Plan) (*Model, error) {
	wrong := []error{p.Demand.check()}
	if p.Look == 0 {
		p.Look = 12
	}
	p.Look = min(p.Look, len(p.Demand.Mean))
	if p.Look < 0 {
		wrong = append(wrong, fmt.Errorf("month %d is not ahead", p.Look))
	}
	stages := make([]Stage, len(p.Stages))
	for i, s := range p.Stages {
		var err error
		stages[i], err = s.prepare()
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("judge capacity: %w", err)
	}
	p.Stages = stages
	m := &Model{plan: p}
	for i := range stages {
		m.answers = append(m.answers, p.judge(&stages[i], stages[i].limit()))
	}
	return m, nil
}

// Answers are one a stage, in the plan's order.
func (m *Model) Answers() []Answer { return append([]Answer(nil), m.answers...) }

func (p *Plan) judge(s *Stage, limit float64) Answer {
	d := p.Demand
	a := Answer{Stage: s.Name, Now: s.at(d.Mean[0], s.Servers), Then: s.at(d.Mean[p.Look-1], s.Servers)}
	a.Saturation = Saturation{
		Month: first(d.Mean, limit), Earliest: first(d.High, limit), Latest: first(d.Low, limit),
		Limit: limit, Servers: s.Servers,
	}
	if a.Saturation.Month > 0 {
		a.Saturation.Date = p.Start.AddDate(0, a.Saturation.Month-1, 0)
	}
	highest := 0.0
	for _, o := range d.Mean {
		highest = math.Max(highest, o)
	}
	if highest > limit {
		a.Saturation.Servers = s.enough(highest)
	}
	return a
}

// FirstToBreak is the stage that saturates first; ok is false where none does.
func FirstToBreak(answers []Answer) (a Answer, ok bool) {
	for _, b := range answers {
		if b.Saturation.Month > 0 && (!ok || b.Saturation.Month < a.Saturation.Month) {
			a, ok = b, true
		}
	}
	return a, ok
}
