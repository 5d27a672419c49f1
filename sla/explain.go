package sla

import (
	"strconv"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// starvedBy is how many later arrivals must have left first before an order counts as starved.
const starvedBy = 3

// explain finds why a visit is stuck: the first rule of the stage's kind that matches.
func (e *Engine) explain(o *tracked, v *visit) (Cause, []Evidence) {
	stage := &e.plan.flow.Stages[v.stage]
	switch stage.Kind {
	case order.Handoff:
		return e.explainHandoff(o, v, stage)
	case order.Queue:
		return e.explainQueue(v)
	case order.Compute:
		return CauseSlowCompute, []Evidence{{Code: EvidenceOwner, Args: e.plan.owners[v.stage]}}
	case order.Human:
		return e.explainHuman(v)
	case order.Production, order.Carrier, order.Customer:
		return CauseWaitingForPerson, []Evidence{{Code: EvidenceOwner, Args: e.plan.owners[v.stage]}}
	}
	return CauseUnexplained, nil
}

func owner(stage *order.Stage) map[string]string {
	if stage.Owner == "" {
		return map[string]string{"owner": string(stage.Kind)}
	}
	return map[string]string{"owner": stage.Owner}
}

// explainHandoff tells a message that still stands in its queue from one that is gone. Where no
// tap watches the way, the receiver's proven silence is all there is.
func (e *Engine) explainHandoff(o *tracked, v *visit, stage *order.Stage) (Cause, []Evidence) {
	var evidence []Evidence
	published := publishedBy(o.facts, &stage.Via, v.entered)
	switch {
	case published != nil:
		m := published.note.message
		evidence = append(evidence, Evidence{Code: EvidencePublished, At: int64(published.time), Source: published.origin.Source, Seq: published.seq,
			Args: map[string]string{"exchange": m.Destination, "routing_key": m.RoutingKey, "message": m.ID}})
	case e.tapProves(stage.Via.Exchange, v.deadline.time()):
		tap := e.sources[e.known.taps[stage.Via.Exchange]]
		evidence = append(evidence, Evidence{Code: EvidenceNotPublished, At: nano(tap.Watermark), Source: tap.Name, Seq: tap.Through,
			Args: map[string]string{"exchange": stage.Via.Exchange}})
	}
	depth, at, source := e.depth(stage.Via.Queue)
	if depth == nil {
		return CauseLostInHandoff, evidence
	}
	evidence = append(evidence,
		Evidence{Code: EvidenceQueueDepth, At: at.UnixNano(), Source: source, Args: map[string]string{
			"queue": depth.Queue, "messages": strconv.FormatInt(depth.Messages, 10), "consumers": strconv.FormatInt(depth.Consumers, 10)}},
		Evidence{Code: EvidenceCheck, Args: map[string]string{
			"command": "rabbitmqctl list_queues name messages consumers | grep " + depth.Queue}})
	if published != nil && depth.Messages > 0 {
		return CauseBacklog, evidence
	}
	return CauseLostInHandoff, evidence
}

// tapProves reports whether the exchange is watched and every message through that time is here.
func (e *Engine) tapProves(exchange string, through time.Time) bool {
	tap := e.sources[e.known.taps[exchange]]
	return tap != nil && !tap.Watermark.Add(-tap.Offset).Before(through)
}

// publishedBy returns the message of this hand-off, or nil. A tap's clock is not the sender's, so a message
// a moment older than the visit still belongs to it.
func publishedBy(facts []fact, via *order.Via, entered nanos) *fact {
	for i := len(facts) - 1; i >= 0; i-- {
		x := &facts[i]
		if x.kind == order.KindMessage && x.note.message.Destination == via.Exchange && x.at >= entered-nanos(time.Minute) &&
			matchesAny(via.RoutingKeys, x.note.message.RoutingKey) {
			return x
		}
	}
	return nil
}

func matchesAny(patterns []string, key string) bool {
	for _, p := range patterns {
		if matchRoutingKey(strings.Split(p, "."), strings.Split(key, ".")) {
			return true
		}
	}
	return len(patterns) == 0
}

// matchRoutingKey matches as a topic exchange does: * is one word, # any number of words.
func matchRoutingKey(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		return matchRoutingKey(pattern[1:], key) || len(key) > 0 && matchRoutingKey(pattern, key[1:])
	case len(key) == 0:
		return false
	case pattern[0] == "*" || pattern[0] == key[0]:
		return matchRoutingKey(pattern[1:], key[1:])
	}
	return false
}

// depth returns the newest statement about a queue, or nil.
func (e *Engine) depth(queue string) (depth *order.QueueDepth, at time.Time, source string) {
	for name, s := range e.sources {
		for i := range s.Queues {
			if s.Queues[i].Queue == queue && s.QueuesAt.After(at) {
				depth, at, source = &s.Queues[i], s.QueuesAt, name
			}
		}
	}
	return depth, at, source
}

// explainQueue tells a queue that is served, if too slowly, from one that stands still.
func (e *Engine) explainQueue(v *visit) (Cause, []Evidence) {
	left := e.known.stages[v.stage].lastLeft
	if left > v.entered {
		return CauseBacklog, []Evidence{{Code: EvidenceServed, At: int64(left)}}
	}
	return CauseStalled, []Evidence{{Code: EvidenceNotServed, At: int64(v.entered)}}
}

func (e *Engine) explainHuman(v *visit) (Cause, []Evidence) {
	overtaken := e.known.stages[v.stage].overtook(v.entered)
	evidence := []Evidence{
		{Code: EvidenceOwner, Args: e.plan.owners[v.stage]},
		{Code: EvidenceOvertaken, Args: map[string]string{"orders": strconv.Itoa(overtaken)}},
	}
	if overtaken >= starvedBy {
		return CauseStarved, evidence
	}
	return CauseWaitingForPerson, evidence
}
