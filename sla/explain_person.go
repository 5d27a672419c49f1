package sla

import (
	"strconv"

	"github.com/alexandrite/orderwatch/order"
)

// starvedBy is how many later arrivals must have left first before an order counts as starved.
const starvedBy = 3

// starved: people do take orders, and took later ones first.
func starved(q *inquiry) (Cause, []Evidence) {
	overtaken := q.engine.known.stages[q.visit.stage].overtook(q.visit.entered)
	evidence := []Evidence{{Code: EvidenceOvertaken, Args: map[string]string{"orders": strconv.Itoa(overtaken)}}}
	if overtaken < starvedBy {
		return "", evidence
	}
	return CauseStarved, append(evidence, q.toAct())
}

// waitingForPerson: somebody has to act and has not.
func waitingForPerson(q *inquiry) (Cause, []Evidence) {
	if q.stage.Kind == order.Human {
		return CauseWaitingForPerson, append([]Evidence{q.toAct()}, q.checkOrder()...)
	}
	return CauseWaitingForPerson, []Evidence{q.toAct()}
}
