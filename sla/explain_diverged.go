package sla

import "github.com/alexandrite/orderwatch/order"

// diverged: another system's copy of the order is already past the stage that this one says it is
// in, and was so before the order came (back) here. Had that status come later, the visit would have ended
// by it. It stands before the rules that blame whoever has the order: they may be waiting for nothing.
func diverged(q *inquiry) (Cause, []Evidence) {
	by := &q.order.facts[q.visit.openedBy]
	for _, x := range q.lastStatuses() {
		if x.status.System == by.status.System || q.visit.entered.sub(x.at) <= copySkew || !x.status.step.past(q.engine.plan.flow, int(q.visit.stage)) {
			continue
		}
		copies := []Evidence{
			x.seen(EvidenceCopy, map[string]string{"system": x.status.System, "status": x.status.String()}),
			by.seen(EvidenceCopy, map[string]string{"system": by.status.System, "status": by.status.String()}),
		}
		return CauseDiverged, append(copies, q.checkOrder()...)
	}
	return "", nil
}

// past reports whether a status belongs to serial stages behind the given one only.
func (st *step) past(flow *order.Flow, stage int) bool {
	behind := false
	for _, i := range st.enters {
		if flow.Stages[i].Parallel {
			continue
		}
		if i <= stage {
			return false
		}
		behind = true
	}
	for _, i := range st.leaves {
		if !flow.Stages[i].Parallel && i < stage {
			return false
		}
	}
	return behind || st.finish
}
