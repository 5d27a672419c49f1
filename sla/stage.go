package sla

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// stageState is what the engine knows of one stage across orders.
type stageState struct {
	entered  schedule // open visits by time of entering, stale ones among them
	waiting  schedule // overdue visits without proof, by deadline
	blocked  []entry  // overdue visits that meet a gap
	moved    bool     // a reporter's state changed since waiting was last looked at
	lastLeft time.Time
	closed   int
	recent   recent
	count    counter
	channels map[string]*counter
}

func newStages(flow *order.Flow) []stageState {
	stages := make([]stageState, len(flow.Stages))
	for i := range stages {
		stages[i].channels = map[string]*counter{}
		stages[i].moved = true
	}
	return stages
}

// recent remembers the last visits that left a stage, to see who overtook whom.
type recent struct {
	visits [256]struct{ entered, left time.Time }
	next   int
}

func (r *recent) add(entered, left time.Time) {
	r.visits[r.next%len(r.visits)] = struct{ entered, left time.Time }{entered, left}
	r.next++
}

// overtook counts the remembered visits that entered later and have left.
func (r *recent) overtook(entered time.Time) int {
	n := 0
	for i := range min(r.next, len(r.visits)) {
		if r.visits[i].entered.After(entered) {
			n++
		}
	}
	return n
}

// counter counts open visits.
type counter struct {
	open, atRisk, stuck, unknown int
	overdue                      map[Cause]int
	deadlines                    float64 // sum over stuck and unknown visits, Unix seconds
}

// share is what one open visit adds to its stage's counters.
type share struct {
	stage    int
	channel  string
	verdict  Verdict
	cause    Cause
	deadline time.Time
}

func (c *counter) add(s *share, by int) {
	c.open += by
	switch s.verdict {
	case VerdictAtRisk:
		c.atRisk += by
	case VerdictStuck:
		c.stuck += by
		if c.overdue == nil {
			c.overdue = map[Cause]int{}
		}
		c.overdue[s.cause] += by
	case VerdictUnknown:
		c.unknown += by
	}
	if s.verdict == VerdictStuck || s.verdict == VerdictUnknown {
		c.deadlines += float64(by) * float64(s.deadline.UnixMilli()) / 1000
	}
}

func (e *Engine) addShares(shares []share, by int) {
	stuck := false
	for i := range shares {
		s := &shares[i]
		st := &e.stages[s.stage]
		st.count.add(s, by)
		if st.channels[s.channel] == nil {
			st.channels[s.channel] = &counter{}
		}
		st.channels[s.channel].add(s, by)
		stuck = stuck || s.verdict == VerdictStuck
	}
	if stuck {
		e.late += by
	}
}

func (e *Engine) uncount(o *tracked) {
	e.addShares(o.counted, -1)
	o.counted = o.counted[:0]
}

// recount replaces what an order adds to the counters.
func (e *Engine) recount(o *tracked) {
	e.uncount(o)
	channel, _ := o.folded.attr(AttrChannel)
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; v.Open() {
			o.counted = append(o.counted, share{v.stage, channel, v.Verdict, v.Cause, v.Deadline})
		}
	}
	e.addShares(o.counted, 1)
}

// Overview counts what the engine holds, as of its clock.
func (e *Engine) Overview() Overview {
	view := Overview{AsOf: e.now, Quarantined: e.broken, Orders: OrderTotals{Open: len(e.orders) - e.broken, Late: e.late}, Stages: make([]StageOverview, len(e.stages))}
	for i := range e.stages {
		view.Stages[i] = e.stageOverview(i)
	}
	for i := range e.plan.flow.Sources {
		name := e.plan.flow.Sources[i].Name
		if s := e.sources[name]; s != nil {
			view.Sources = append(view.Sources, *s)
		} else {
			view.Sources = append(view.Sources, SourceState{Name: name})
		}
	}
	return view
}

func (e *Engine) stageOverview(i int) StageOverview {
	st := &e.stages[i]
	c := &st.count
	view := StageOverview{
		Stage: e.plan.flow.Stages[i].Name, Open: c.open, AtRisk: c.atRisk, Stuck: c.stuck, Unknown: c.unknown,
		Oldest: e.oldest(i), Closed: st.closed, ByCause: copyCauses(c.overdue), Channels: map[string]ChannelOverview{},
	}
	if late := c.stuck + c.unknown; late > 0 {
		view.LostSeconds = int64(float64(late)*float64(e.now.UnixMilli())/1000 - c.deadlines)
	}
	for name, c := range st.channels {
		view.Channels[name] = ChannelOverview{Open: c.open, Overdue: copyCauses(c.overdue)}
	}
	return view
}

func copyCauses(from map[Cause]int) map[Cause]int {
	to := make(map[Cause]int, len(from))
	for cause, n := range from {
		if n != 0 {
			to[cause] = n
		}
	}
	return to
}

// oldest returns when the longest-standing open visit entered, and drops stale appointments on the way.
func (e *Engine) oldest(stage int) time.Time {
	h := &e.stages[stage].entered
	for len(*h) > 0 {
		x := (*h)[0]
		if o := e.orders[x.order]; o != nil {
			if v := o.folded.find(e.plan.flow.Stages[stage].Name, int(x.n)); v != nil && v.Open() && v.Entered.UnixNano() == x.at {
				return v.Entered
			}
		}
		h.pop()
	}
	return time.Time{}
}
