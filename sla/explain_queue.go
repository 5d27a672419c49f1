package sla

// servedQueue: jobs do leave the queue, if too slowly.
func servedQueue(q *inquiry) (Cause, []Evidence) {
	left := q.engine.stages[q.visit.stage].lastLeft
	if !left.After(q.visit.Entered) {
		return "", nil
	}
	return CauseBacklog, []Evidence{{Code: EvidenceServed, At: left.UnixNano()}}
}

// stalledQueue: nothing has left since the order came.
func stalledQueue(q *inquiry) (Cause, []Evidence) {
	return CauseStalled, []Evidence{{Code: EvidenceNotServed, At: q.visit.Entered.UnixNano()}}
}
