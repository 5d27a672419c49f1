package sla

import "fmt"

// fold folds the next facts of one order. A fold that panics is a fault of ours that one order's
// facts brought to light: that order is quarantined, the others go on.
func (e *Engine) fold(o *tracked, facts []fact) {
	defer func() {
		if fault := recover(); fault != nil {
			e.quarantine(o, fault)
		}
	}()
	for i := range facts {
		o.folded.apply(&facts[i])
	}
}

// quarantine leaves an order out of every verdict until its history is folded anew, at the next
// start. It stays to be found by its names; what was said of it stays said.
func (e *Engine) quarantine(o *tracked, fault any) {
	o.broken, o.stale = true, false
	e.broken++
	o.folded = newFolded(e.plan)
	for i := range o.facts {
		o.folded.note(&o.facts[i])
	}
	e.audit(AuditEntry{Kind: AuditQuarantine, Order: o.id, Detail: fmt.Sprint(fault)})
}
