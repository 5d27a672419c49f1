package sla

import (
	"slices"
	"strconv"

	"github.com/alexandrite/orderwatch/order"
)

// stormFrom is how often the same thing must have been said before it counts as a storm: time-outs
// make senders try again, and each try may be one more order, or one more wait.
const stormFrom = 4

// storm tells what was said again and again: the status that opened the visit, or a hand-off's message.
func (q *inquiry) storm() []Evidence {
	var evidence []Evidence
	var last *fact
	times := 0
	for i := range q.order.facts {
		x := &q.order.facts[i]
		if x.kind != order.KindMessage && x.at >= q.visit.entered && slices.Contains(q.stage.Enter, x.status.Status) {
			times, last = times+1, x
		}
	}
	if times >= stormFrom {
		evidence = append(evidence, last.seen(EvidenceRepeated, map[string]string{"what": last.status.String(), "times": strconv.Itoa(times)}))
	}
	if q.way.copies >= stormFrom {
		m := q.way.published.note.message
		evidence = append(evidence, q.way.published.seen(EvidenceRepeated, map[string]string{"what": m.Destination + " " + m.RoutingKey, "times": strconv.Itoa(q.way.copies)}))
	}
	if len(evidence) > 0 {
		evidence = append(evidence, q.checkOrder()...)
	}
	return evidence
}
