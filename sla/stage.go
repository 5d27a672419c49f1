package sla

import (
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// stageState is what the engine knows of one stage across orders.
type stageState struct {
	entered  schedule // open visits by time of entering, stale ones among them
	waiting  schedule // overdue visits without proof, by deadline
	blocked  []entry  // overdue visits that meet a gap
	moved    bool     // a reporter's state changed since waiting was last looked at
	lastLeft nanos    // never: nobody has
	closed   int
	recent   recent
	count    counter
}

// channel is one channel's share of every stage.
type channel struct {
	name   string
	stages []counter
}

func newStages(flow *order.Flow) []stageState {
	stages := make([]stageState, len(flow.Stages))
	for i := range stages {
		stages[i].moved, stages[i].lastLeft = true, never
	}
	return stages
}

// recent remembers the last visits that left a stage, to see who overtook whom.
type recent struct {
	visits [256]struct{ entered, left nanos }
	next   int
}

func (r *recent) add(entered, left nanos) {
	r.visits[r.next%len(r.visits)] = struct{ entered, left nanos }{entered, left}
	r.next++
}

// overtook counts the remembered visits that entered later and have left.
func (r *recent) overtook(entered nanos) int {
	n := 0
	for i := range min(r.next, len(r.visits)) {
		if r.visits[i].entered > entered {
			n++
		}
	}
	return n
}

// counter counts open visits.
type counter struct {
	used                         bool // something was counted once
	open, atRisk, stuck, unknown int
	overdue                      map[Cause]int
	deadlines                    float64 // sum over stuck and unknown visits, Unix seconds
}

// share is what one open visit adds to its stage's counters.
type share struct {
	stage    int32
	verdict  visitVerdict
	cause    Cause
	deadline nanos
}

func (c *counter) add(s *share, by int) {
	c.used = true
	c.open += by
	switch s.verdict {
	case visitAtRisk:
		c.atRisk += by
	case visitStuck:
		c.stuck += by
		if c.overdue == nil {
			c.overdue = map[Cause]int{}
		}
		c.overdue[s.cause] += by
	case visitUnknown:
		c.unknown += by
	}
	if s.verdict == visitStuck || s.verdict == visitUnknown {
		c.deadlines += float64(by) * float64(int64(s.deadline)/1e6) / 1000
	}
}

func (e *Engine) addShares(shares []share, c *channel, by int) {
	stuck := false
	for i := range shares {
		s := &shares[i]
		e.stages[s.stage].count.add(s, by)
		c.stages[s.stage].add(s, by)
		stuck = stuck || s.verdict == visitStuck
	}
	if stuck {
		e.late += by
	}
}

func (e *Engine) uncount(o *tracked) {
	e.addShares(o.counted, o.channel, -1)
	o.counted, o.channel = o.counted[:0], nil
}

// recount replaces what an order adds to the counters. Mostly little of it changes, often nothing.
func (e *Engine) recount(o *tracked) {
	e.scratch = o.shares(e.scratch[:0])
	c := e.channel(o)
	if c == o.channel && slices.Equal(e.scratch, o.counted) {
		return
	}
	e.uncount(o)
	o.counted, o.channel = append(o.counted, e.scratch...), c
	e.addShares(o.counted, c, 1)
}

// shares appends what the open visits add to the counters.
func (o *tracked) shares(list []share) []share {
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		if !v.open() {
			continue
		}
		s := share{stage: v.stage, verdict: v.verdict, deadline: v.deadline}
		if said := o.issuedOf(v); said != nil {
			s.cause = said.cause
		}
		list = append(list, s)
	}
	return list
}

// channel returns the channel that an order belongs to.
func (e *Engine) channel(o *tracked) *channel {
	name, _ := o.folded.attr(AttrChannel)
	if o.channel != nil && o.channel.name == name {
		return o.channel
	}
	c := e.channels[name]
	if c == nil {
		c = &channel{name: name, stages: make([]counter, len(e.stages))}
		e.channels[name] = c
	}
	return c
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
	for name, channel := range e.channels {
		if c := &channel.stages[i]; c.used {
			view.Channels[name] = ChannelOverview{Open: c.open, Overdue: copyCauses(c.overdue)}
		}
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
		if o := e.orders[x.order]; o != nil && o.waits(stage, int(x.n)) {
			e.wake(o)
			if v := o.folded.visit(stage, int(x.n)); int64(v.entered) == x.at {
				return v.entered.time()
			}
		}
		h.pop()
	}
	return time.Time{}
}
