package sla

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/alexandrite/orderwatch/order"
)

// plan is a flow compiled for folding: what each status does. It is immutable.
type plan struct {
	flow     *order.Flow
	statuses map[order.Status]*step // every status the flow names
	systems  map[string]*step       // what any other status of a system does
	nothing  *step
	pauses   [][]int        // by stage: the promises it pauses
	named    []order.Status // those of statuses, in order
	tapped   bool           // a hand-off's exchange is named

	// By stage, as evidence.
	leaves []map[string]string
	owners []map[string]string
}

// step is what one status does to an order.
type step struct {
	enters   []int // stages, in flow order
	leaves   []int
	receives []int // hand-offs that any status of this system ends, inferred
	starts   []int // promises
	stops    []int
	finish   bool
	cancel   bool
	reopen   bool
	named    int32 // place in plan.named, from 1; 0: the flow does not name the status
}

func compile(flow *order.Flow) *plan {
	p := &plan{
		flow:     flow,
		statuses: map[order.Status]*step{},
		systems:  map[string]*step{},
		nothing:  &step{},
		pauses:   make([][]int, len(flow.Stages)),
	}
	for i := range flow.Stages {
		p.addStage(i)
		p.leaves = append(p.leaves, map[string]string{"statuses": statusList(flow.Stages[i].Leave)})
		p.owners = append(p.owners, owner(&flow.Stages[i]))
	}
	for i := range flow.Promises {
		p.addPromise(i)
	}
	for _, s := range flow.Finish {
		p.step(s).finish = true
	}
	for _, s := range flow.Cancel {
		p.step(s).cancel = true
	}
	for _, s := range flow.Reopen {
		p.step(s).reopen = true
	}
	p.named = slices.SortedFunc(maps.Keys(p.statuses), compareStatus)
	for i, status := range p.named {
		p.statuses[status].named = int32(i + 1)
	}
	for status, st := range p.statuses {
		if any, ok := p.systems[status.System]; ok {
			st.receives = any.receives
		}
	}
	return p
}

func (p *plan) addStage(i int) {
	stage := &p.flow.Stages[i]
	for _, s := range stage.Enter {
		p.step(s).enters = append(p.step(s).enters, i)
	}
	for _, s := range stage.Leave {
		p.step(s).leaves = append(p.step(s).leaves, i)
		if stage.Kind != order.Handoff {
			continue
		}
		p.tapped = p.tapped || stage.Via.Exchange != ""
		if p.systems[s.System] == nil {
			p.systems[s.System] = &step{}
		}
		if any := p.systems[s.System]; !slices.Contains(any.receives, i) {
			any.receives = append(any.receives, i)
		}
	}
}

func (p *plan) addPromise(i int) {
	promise := &p.flow.Promises[i]
	for _, s := range promise.Start {
		p.step(s).starts = append(p.step(s).starts, i)
	}
	for _, s := range promise.Stop {
		p.step(s).stops = append(p.step(s).stops, i)
	}
	for _, name := range promise.PauseIn {
		if _, stage := p.flow.Stage(name); stage >= 0 {
			p.pauses[stage] = append(p.pauses[stage], i)
		}
	}
}

func (p *plan) step(s order.Status) *step {
	st := p.statuses[s]
	if st == nil {
		st = &step{}
		p.statuses[s] = st
	}
	return st
}

// compareKeys sorts keys in the flow's order.
func (p *plan) compareKeys(a, b order.Key) int {
	if a.Name != b.Name {
		if d := slices.Index(p.flow.Keys, a.Name) - slices.Index(p.flow.Keys, b.Name); d != 0 {
			return d
		}
	}
	return cmp.Or(strings.Compare(a.Value, b.Value), strings.Compare(a.Name, b.Name))
}

// of returns what the status does; a status the flow does not name may still end a hand-off.
func (p *plan) of(s order.Status) *step {
	if st := p.statuses[s]; st != nil {
		return st
	}
	if st := p.systems[s.System]; st != nil {
		return st
	}
	return p.nothing
}

// owner says who is to act in a stage, as evidence: whom the flow names, or else the stage's kind.
func owner(stage *order.Stage) map[string]string {
	if stage.Owner == "" {
		return map[string]string{"owner": string(stage.Kind)}
	}
	return map[string]string{"owner": stage.Owner}
}
