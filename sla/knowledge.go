package sla

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// knowledge is what the engine knows across orders, to explain why one is stuck. Shards share it:
// it is written between their steps and only read in Advance. What it amounts to does not depend on
// the order in which facts come to it, or through which shard.
type knowledge struct {
	taps   map[string]tap // by the exchange that is watched
	stages []passage
	missed map[int64]bool // records that are not counted yet, see tally
}

// tap is the source that watches an exchange: of several the one with the latest message.
type tap struct {
	source string
	at     nanos
}

// passage is who left a stage last.
type passage struct {
	lastLeft nanos       // never: nobody has
	recent   []departure // the last ones, by leaving
}

// departure is a visit that left its stage.
type departure struct {
	stage         int32
	entered, left nanos
}

// mostDepartures bounds how many are remembered of a stage, to see who overtook whom.
const mostDepartures = 256

func newKnowledge(flow *order.Flow) *knowledge {
	k := &knowledge{taps: map[string]tap{}, missed: map[int64]bool{}, stages: make([]passage, len(flow.Stages))}
	for i := range k.stages {
		k.stages[i].lastLeft = never
	}
	return k
}

// noteTaps remembers which source watches an exchange.
func (k *knowledge) noteTaps(records []Record) {
	for i := range records {
		if e := &records[i].Event; e.Kind == order.KindMessage {
			t, at := k.taps[e.Message.Destination], nanosOf(e.Time)
			if t.source == "" || at > t.at || at == t.at && e.Source > t.source {
				k.taps[e.Message.Destination] = tap{e.Source, at}
			}
		}
	}
}

// watched returns which source watches which exchange.
func (k *knowledge) watched() map[string]string {
	sources := make(map[string]string, len(k.taps))
	for exchange, t := range k.taps {
		sources[exchange] = t.source
	}
	return sources
}

func (k *knowledge) learn(list []departure) {
	for _, d := range list {
		k.stages[d.stage].add(d)
	}
}

func (p *passage) add(d departure) {
	p.lastLeft = max(p.lastLeft, d.left)
	n := len(p.recent)
	if n == mostDepartures && compareDepartures(d, p.recent[0]) <= 0 {
		return
	}
	i := n
	for i > 0 && compareDepartures(d, p.recent[i-1]) < 0 { // mostly it is the last
		i--
	}
	p.recent = slices.Insert(p.recent, i, d)
	if n == mostDepartures {
		p.recent = p.recent[1:]
	}
}

func compareDepartures(a, b departure) int {
	return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.entered, b.entered))
}

// overtook counts the remembered visits that entered later and have left.
func (p *passage) overtook(entered nanos) int {
	n := 0
	for i := range p.recent {
		if p.recent[i].entered > entered {
			n++
		}
	}
	return n
}
