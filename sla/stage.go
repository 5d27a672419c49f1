package sla

import (
	"slices"

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
		stages[i].moved = true
	}
	return stages
}

// counter counts open visits.
type counter struct {
	used                         bool // something was counted once
	open, atRisk, stuck, unknown int
	overdue                      map[Cause]int
	deadlines                    float64 // sum over stuck and unknown visits, Unix seconds
}

// merge adds what another counted.
func (c *counter) merge(d *counter) {
	c.used = c.used || d.used
	c.open += d.open
	c.atRisk += d.atRisk
	c.stuck += d.stuck
	c.unknown += d.unknown
	c.deadlines += d.deadlines
	for cause, n := range d.overdue {
		if c.overdue == nil {
			c.overdue = map[Cause]int{}
		}
		c.overdue[cause] += n
	}
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
