package sla

import (
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// Restore takes in an order's whole history: at start, or because Change.History asked for it.
// What was said of it stays said; what the history shows to be wrong is retracted.
func (e *Engine) Restore(h History) {
	e.known.noteTaps(h.Records)
	e.restore(h)
	e.share()
}

func (e *Engine) restore(h History) {
	asked := e.awaited[h.Order]
	delete(e.awaited, h.Order)
	if old := e.held(h.Order); old != nil {
		e.drop(old)
		asked = true
	}
	o := &tracked{id: h.Order, awake: e.room(), handed: untold}
	for _, s := range standing(h.Audit) {
		o.say(s)
	}
	e.recallStuck(o)
	e.last = max(e.last, h.Order)
	sortIssued(o.issued)
	t := &told{audit: h.Audit, conflicts: map[string]bool{}}
	said := len(e.change.Audit)
	for i := range h.Records {
		r := &h.Records[i]
		o.facts = append(o.facts, e.place(r, o.facts))
		e.last = max(e.last, r.Order)
		e.catchUp(o, r, t)
	}
	o.facts = sortFacts(o.facts)
	e.orders[o.id] = o
	e.hold(o)
	e.countHistory(o, &h)
	e.refold(o)
	e.reportAll(o)
	e.update(o)
	e.tellStuck(o)
	if asked || len(e.change.Audit) > said || !e.saved(o, &h) {
		e.mark(o)
	}
	e.rest()
}

// saved reports whether the read model has the order as it is, but for what time will change: what
// depends on the clock alone is judged at the next Advance.
func (e *Engine) saved(o *tracked, h *History) bool {
	if h.Saved.FlowHash != e.plan.flow.Hash || h.Saved.Events != len(o.facts) || o.folded.state != StateOpen {
		return false
	}
	moved := slices.ContainsFunc(o.facts, func(x fact) bool { return x.time.sub(x.at) != x.stamped }) // since it was saved, perhaps
	mended := slices.ContainsFunc(h.Audit, func(a AuditEntry) bool { return a.Kind == AuditQuarantine })
	return !moved && !mended
}

// told is what of an order's history was said already.
type told struct {
	audit     []AuditEntry
	since     int // entries before this are from before the last unlink
	conflicts map[string]bool
}

func (t *told) find(kind AuditKind, detail string) int {
	for i := t.since; i < len(t.audit); i++ {
		if t.audit[i].Kind == kind && t.audit[i].Detail == detail {
			return i
		}
	}
	return -1
}

// catchUp takes over what a record did to identities. The journal may know of it and the audit not
// yet: then it is still to be said, and a merged order that we hold is one too many.
func (e *Engine) catchUp(o *tracked, r *Record, t *told) {
	for _, id := range r.Link.Absorbed {
		o.absorbed = append(o.absorbed, id)
		e.forget(id)
		if t.find(AuditMerged, id.String()) < 0 {
			e.sayMerged(id, o.id)
		}
	}
	if refused := keysText(r.Link.Refused); refused != "" && !t.conflicts[refused] {
		t.conflicts[refused] = true
		if t.find(AuditConflict, refused) < 0 {
			e.audit(AuditEntry{Kind: AuditConflict, Order: o.id, Detail: refused})
		}
	}
	e.catchUpCorrection(o, r, t)
}

func (e *Engine) catchUpCorrection(o *tracked, r *Record, t *told) {
	if r.Link.Correction == nil {
		return
	}
	kind, detail := correctionText(r)
	at := t.find(kind, detail)
	if at < 0 {
		e.sayCorrected(o.id, r)
	}
	if r.Event.Kind != order.KindUnlink {
		return
	}
	// What was said of merges before says nothing of those after.
	if t.since = at + 1; at < 0 {
		t.since = len(t.audit)
	}
}

// refold folds an order from its first fact. What is still true of its visits is carried over.
func (e *Engine) refold(o *tracked) {
	o.stale = false
	old := o.folded
	o.folded = newFolded(e.plan)
	e.fold(o, o.facts)
	for i := range o.folded.visits {
		v := &o.folded.visits[i]
		was := old.visit(int(v.stage), int(v.n))
		v.told = was != nil && was.told || slices.Contains(o.reported, o.folded.name(v))
		if was == nil || !was.open() || !v.open() || was.deadline != v.deadline || was.entered != v.entered {
			continue
		}
		v.scheduled, v.verdict = was.scheduled, was.verdict
	}
	for i := range o.folded.promises {
		p := &o.folded.promises[i]
		was := old.promise(int(p.index))
		p.told = was != nil && was.told || slices.Contains(o.settled, e.plan.flow.Promises[p.index].Name)
	}
	o.recall(old)
}
