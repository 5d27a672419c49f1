package sla

import (
	"net/url"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// inquiry is what the rules know of a stuck visit.
type inquiry struct {
	engine *Engine
	order  *tracked
	visit  *visit
	stage  *order.Stage
	way    way // of a hand-off
}

// rule explains a visit, or returns "" where it does not apply. What it says may be evidence even then.
type rule func(*inquiry) (Cause, []Evidence)

// rulesFor lists the rules of each kind of stage; the first that applies gives the cause. The last always does.
func rulesFor(kind order.StageKind) []rule {
	switch kind {
	case order.Handoff:
		return []rule{deadLettered, stillQueued, notApplied, lostInHandoff}
	case order.Queue:
		return []rule{diverged, servedQueue, stalledQueue}
	case order.Compute:
		return []rule{diverged, slowCompute}
	case order.Human:
		return []rule{diverged, starved, waitingForPerson}
	case order.Production, order.Carrier, order.Customer:
		return []rule{diverged, waitingForPerson}
	}
	return []rule{diverged, unexplained}
}

// explain finds why a visit is stuck: the first rule of the stage's kind that applies. What was
// repeated is told whatever the cause.
func (e *Engine) explain(o *tracked, v *visit) (Cause, []Evidence) {
	q := &inquiry{engine: e, order: o, visit: v, stage: &e.plan.flow.Stages[v.stage]}
	var evidence []Evidence
	if q.stage.Kind == order.Handoff {
		q.way = q.findWay()
		evidence = q.way.evidence()
	}
	storm := q.storm()
	for _, applies := range rulesFor(q.stage.Kind) {
		cause, why := applies(q)
		evidence = append(evidence, why...)
		if cause != "" {
			return cause, append(evidence, storm...)
		}
	}
	return CauseUnexplained, append(evidence, storm...)
}

func unexplained(*inquiry) (Cause, []Evidence) { return CauseUnexplained, nil }

// toAct says who is to act.
func (q *inquiry) toAct() Evidence {
	return Evidence{Code: EvidenceOwner, Args: q.engine.plan.owners[q.visit.stage]}
}

// seen is the part of an evidence that says where a fact can be looked up.
func (x *fact) seen(code EvidenceCode, args map[string]string) Evidence {
	return Evidence{Code: code, At: int64(x.time), Source: x.origin.Source, Seq: x.seq, Args: args}
}

func check(command string) Evidence {
	return Evidence{Code: EvidenceCheck, Args: map[string]string{"command": command}}
}

// checkOrder is how to see by hand everything that the sources told of the order. A key is a watched
// system's text: escaped and quoted, it cannot become a command of its own.
func (q *inquiry) checkOrder() []Evidence {
	if len(q.order.folded.keys) == 0 {
		return nil
	}
	key := q.order.folded.keys[0]
	return []Evidence{check("curl -s 'http://127.0.0.1:8080/api/v1/orders/" + url.PathEscape(key.Name+":"+key.Value) + "'")}
}

// lastStatuses returns the fact that carries the last status of each system.
func (q *inquiry) lastStatuses() []*fact {
	var last []*fact
	for i := len(q.order.facts) - 1; i >= 0; i-- {
		x := &q.order.facts[i]
		known := x.kind == order.KindMessage || x.status.Name == ""
		for _, y := range last {
			known = known || y.status.System == x.status.System
		}
		if !known {
			last = append(last, x)
		}
	}
	return last
}

// copySkew is how far two systems' copies of an order may be apart before they contradict each other.
const copySkew = 2 * time.Second
