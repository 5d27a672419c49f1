package sla

// servedQueue: jobs do leave the queue, if too slowly.
func servedQueue(q *inquiry) (Cause, []Evidence) {
	left := q.engine.known.stages[q.visit.stage].lastLeft
	if left <= q.visit.entered {
		return "", nil
	}
	return CauseBacklog, []Evidence{{Code: EvidenceServed, At: int64(left)}}
}

// stalledQueue: nothing has left since the order came.
func stalledQueue(q *inquiry) (Cause, []Evidence) {
	return CauseStalled, []Evidence{{Code: EvidenceNotServed, At: int64(q.visit.entered)}}
}
