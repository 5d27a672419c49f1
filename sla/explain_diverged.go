package sla

import "github.com/alexandrite/orderwatch/order"

// diverged: another system's copy of the order is already past the stage that this one says it is
// in, and was so before the order came (back) here. Had that status come later, the visit would have ended
// by it. It stands before the rules that blame whoever has the order: they may be waiting for nothing.
func diverged(q *inquiry) (Cause, []Evidence) {
	by := q.visit.openedBy
	for _, x := range q.lastStatuses() {
		if x.status.System == by.status.System || q.visit.Entered.Sub(x.at) <= copySkew || !q.engine.plan.past(x.status, q.visit.stage) {
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
func (p *plan) past(s order.Status, stage int) bool {
	st := p.of(s)
	behind := false
	for _, i := range st.enters {
		if p.flow.Stages[i].Parallel {
			continue
		}
		if i <= stage {
			return false
		}
		behind = true
	}
	for _, i := range st.leaves {
		if !p.flow.Stages[i].Parallel && i < stage {
			return false
		}
	}
	return behind || st.finish
}
