package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Revision changes whenever equal Options give other events than before.
const Revision = 1

// Options say what is simulated. Start and Flow are required.
type Options struct {
	Seed  uint64
	Start time.Time   // the company's first instant; months are counted from here
	Flow  *order.Flow // must have the calendars, sources and stages of examples/alexandrite/flow.yaml

	// WatermarkEvery is how often each source vouches for what it sent. Defaults to 6 hours.
	WatermarkEvery time.Duration

	// Live are the periods in which somebody watches: extra orders then come every few seconds and take minutes
	// instead of weeks, and sources vouch every second. Ascending and disjoint.
	Live []Period
}

// Period is a span of time, without its end. A zero To: without end.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

func (p Period) holds(t time.Time) bool {
	return !t.Before(p.From) && (p.To.IsZero() || t.Before(p.To))
}

// Simulation yields what the sources of the simulated company report.
type Simulation struct {
	Options
	agenda agenda
	now    time.Time
	out    []order.Event
	random *rand.Rand

	office, workshop *order.Calendar
	stages           map[string]*order.Stage
	sources          map[string]*source
	queues           [4]order.QueueDepth

	orders     int // numbers given by the shop
	workOrders int // numbers given by the MES
	calculator calculator
	sellers    sellers
	operators  operators
	faults     []*Fault
}

// New returns a simulation in which nothing has happened yet.
func New(o Options) (*Simulation, error) {
	switch {
	case o.Flow == nil:
		return nil, errors.New("new simulation: no flow")
	case o.Start.IsZero():
		return nil, errors.New("new simulation: no start")
	}
	if o.WatermarkEvery <= 0 {
		o.WatermarkEvery = 6 * time.Hour
	}
	o.Start = o.Start.UTC()
	s := &Simulation{Options: o, now: o.Start, random: rand.New(rand.NewPCG(o.Seed, 1))}
	if err := s.readFlow(); err != nil {
		return nil, fmt.Errorf("new simulation: %w", err)
	}
	s.openSources()
	s.openMarket()
	s.hire()
	for _, p := range o.Live {
		s.at(p.From, func() { s.live(p) })
	}
	return s, nil
}

// readFlow looks up what the company's days and deadlines are.
func (s *Simulation) readFlow() error {
	s.office, s.workshop = s.Flow.Calendars["office"], s.Flow.Calendars["workshop"]
	if s.office == nil || s.workshop == nil {
		return errors.New("the flow lacks calendar office or workshop")
	}
	s.stages = map[string]*order.Stage{}
	for _, f := range kinds {
		stage, _ := s.Flow.Stage(f.stage)
		if stage == nil {
			return fmt.Errorf("the flow lacks stage %s", f.stage)
		}
		s.stages[f.stage] = stage
	}
	return nil
}

// Next goes on to that instant and returns the events since the last call through it, in order of
// time, each source's in its sequence.
func (s *Simulation) Next(until time.Time) []order.Event {
	until = until.UTC()
	for {
		next, ok := s.agenda.due(until.UnixNano())
		if !ok {
			break
		}
		s.now = time.Unix(0, next.at).UTC()
		next.do()
	}
	if until.After(s.now) {
		s.now = until
	}
	out := s.out
	s.out = nil
	return out
}

// at does something at an instant, at once where it has passed.
func (s *Simulation) at(t time.Time, do func()) {
	s.agenda.push(max(t.UnixNano(), s.now.UnixNano()), false, do)
}

// after does something that long from now.
func (s *Simulation) after(d time.Duration, do func()) { s.at(s.now.Add(d), do) }

// isLive reports whether somebody watches now.
func (s *Simulation) isLive() bool {
	for i := len(s.Live) - 1; i >= 0; i-- {
		if s.Live[i].holds(s.now) {
			return true
		}
	}
	return false
}
