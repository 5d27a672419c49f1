package sla

import (
	"maps"
	"time"
)

// Overview counts what the engine holds, as of its clock.
func (e *Engine) Overview() Overview { return overview([]*Engine{e}) }

// overview counts what engines of one flow hold together.
func overview(engines []*Engine) Overview {
	e := engines[0]
	view := Overview{AsOf: e.now, Stages: make([]StageOverview, len(e.stages)), Taps: e.known.watched()}
	for _, e := range engines {
		view.Quarantined += e.broken
		view.Orders.Open += len(e.orders) - e.broken
		view.Orders.Late += e.late
	}
	for i := range e.stages {
		view.Stages[i] = stageOverview(engines, i)
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

func stageOverview(engines []*Engine, i int) StageOverview {
	view := StageOverview{Stage: engines[0].plan.flow.Stages[i].Name, Channels: map[string]ChannelOverview{}}
	var c counter
	channels := map[string]*counter{}
	for _, e := range engines {
		c.merge(&e.stages[i].count)
		view.Closed += e.stages[i].closed
		if t := e.oldest(i); view.Oldest.IsZero() || !t.IsZero() && t.Before(view.Oldest) {
			view.Oldest = t
		}
		for name, channel := range e.channels {
			if channels[name] == nil {
				channels[name] = &counter{}
			}
			channels[name].merge(&channel.stages[i])
		}
	}
	view.Open, view.AtRisk, view.Stuck, view.Unknown, view.ByCause = c.open, c.atRisk, c.stuck, c.unknown, causes(&c)
	if late := c.stuck + c.unknown; late > 0 {
		view.LostSeconds = int64(float64(late)*float64(engines[0].now.UnixMilli())/1000 - c.deadlines)
	}
	for name, c := range channels {
		if c.used {
			view.Channels[name] = ChannelOverview{Open: c.open, Overdue: causes(c)}
		}
	}
	return view
}

func causes(c *counter) map[Cause]int {
	list := make(map[Cause]int, len(c.overdue))
	maps.Copy(list, c.overdue)
	maps.DeleteFunc(list, func(_ Cause, n int) bool { return n == 0 })
	return list
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

// trim drops the stale appointments of a stage: behind an order that stays for weeks they would pile up.
func (e *Engine) trim(stage int) {
	h := &e.stages[stage].entered
	var kept schedule
	for _, x := range *h {
		if o := e.orders[x.order]; o != nil && o.waits(stage, int(x.n)) {
			kept.push(x)
		}
	}
	*h = kept
}
