package sla

// slowCompute: the job began and has not ended.
func slowCompute(q *inquiry) (Cause, []Evidence) {
	return CauseSlowCompute, []Evidence{q.toAct()}
}
