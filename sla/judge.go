package sla

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// issued is a stuck verdict that was said and stands.
type issued struct {
	visitName
	order       OrderID // by which it was said: the order may be another's now
	at          time.Time
	deadline    nanos
	cause       Cause
	evidence    []Evidence
	approximate bool // the proof rests on a polled source
}

// judge answers the question that a passed deadline asks.
func (e *Engine) judge(o *tracked, v *visit) {
	if e.proven(v) {
		e.issue(o, v)
	} else {
		v.verdict = visitUnknown
		e.stages[v.stage].waiting.push(entry{at: int64(v.deadline), order: o.id, stage: v.stage, n: v.n})
	}
	e.recount(o)
	e.mark(o)
}

// say adds a verdict to those that stand. Two orders that became one may both have been stuck
// there: each verdict stands, and falls, by the name under which it was said, so that the orders can
// be told apart again.
func (o *tracked) say(s issued) {
	if !slices.ContainsFunc(o.issued, func(t issued) bool { return t.is(&s) }) {
		o.issued = append(o.issued, s)
	}
}

func (s *issued) is(t *issued) bool { return s.visitName == t.visitName && s.order == t.order }

func sortIssued(list []issued) {
	slices.SortStableFunc(list, func(a, b issued) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
}

// issue says that a visit is stuck.
func (e *Engine) issue(o *tracked, v *visit) {
	cause, why := e.explain(o, v)
	said := issued{
		visitName: o.folded.name(v),
		order:     o.id,
		at:        e.now,
		deadline:  v.deadline,
		cause:     cause,
		evidence:  slices.Concat(e.absenceEvidence(o, v), why),
	}
	said.approximate = approximate(said.evidence)
	o.say(said)
	v.verdict = visitStuck
	e.detail = appendEvidence(e.detail[:0], said.evidence)
	e.audit(AuditEntry{Kind: AuditStuck, Order: o.id, Stage: said.stage, N: said.n, Deadline: v.deadline.time(), Cause: cause, Detail: string(e.detail)})
}

// issuedOf returns the verdict that stands of a visit, or nil.
func (o *tracked) issuedOf(v *visit) *issued {
	if len(o.issued) == 0 {
		return nil
	}
	name := o.folded.name(v)
	for i := range o.issued {
		if o.issued[i].visitName == name {
			return &o.issued[i]
		}
	}
	return nil
}

// reconcile marks the visits of which stuck was said, and takes back what turns out to be wrong:
// the visit is gone, ended in time after all, or its deadline was later than we knew. Of two verdicts
// on one visit the earlier marks it.
func (e *Engine) reconcile(o *tracked) {
	o.issued = slices.DeleteFunc(o.issued, func(s issued) bool {
		v := o.folded.find(s.visitName)
		if v != nil && e.stands(&s, v) {
			return false
		}
		if v != nil && v.open() { // it is asked again when its deadline passes
			v.verdict, v.scheduled = visitOpen, false
		}
		e.audit(AuditEntry{Kind: AuditRetracted, Order: s.order, Stage: s.stage, N: s.n, Deadline: s.deadline.time(), Cause: s.cause, Detail: e.reasons[o.id]})
		return true
	})
	for i := range o.issued {
		if v := o.folded.find(o.issued[i].visitName); v.open() {
			v.verdict = visitStuck
		}
	}
}

// stands reports whether a verdict holds of the visit as it is known now. A deadline that turned
// out to be another than the one that was judged needs a proof of its own.
func (e *Engine) stands(s *issued, v *visit) bool {
	switch {
	case v.deadline == never || v.deadline.time().After(s.at):
		return false
	case v.open():
		return v.deadline == s.deadline || e.proven(v)
	}
	return v.left > v.deadline
}

// standing reads from the audit which verdicts were said and not taken back.
func standing(audit []AuditEntry) []issued {
	var said []issued
	for _, a := range audit {
		name := visitName{a.Stage, a.N}
		switch a.Kind {
		case AuditStuck:
			s := issued{visitName: name, order: a.Order, at: a.At, deadline: nanosOf(a.Deadline), cause: a.Cause}
			_ = json.Unmarshal([]byte(a.Detail), &s.evidence) // evidence of an older version may be unreadable: the verdict stays
			s.approximate = approximate(s.evidence)
			said = append(said, s)
		case AuditRetracted:
			said = slices.DeleteFunc(said, func(s issued) bool { return s.visitName == name && s.order == a.Order })
		}
	}
	return said
}

// settleWaiting judges again the visits whose proof was missing, as far as the proof now reaches.
func (e *Engine) settleWaiting(stage int) {
	st := &e.stages[stage]
	if !st.moved {
		return
	}
	st.moved = false
	blocked := st.blocked
	st.blocked = nil
	for _, x := range blocked {
		st.waiting.push(x)
	}
	horizon := e.horizon(stage)
	if horizon.IsZero() {
		return
	}
	for {
		x, ok := st.waiting.due(horizon.UnixNano())
		if !ok {
			return
		}
		st.waiting.pop()
		o := e.orders[x.order]
		if o == nil {
			continue
		}
		v := e.question(o, x)
		switch {
		case v == nil:
		case e.proven(v):
			e.issue(o, v)
			e.recount(o)
			e.mark(o)
		default: // a gap: only its repair or the order itself can tell
			st.blocked = append(st.blocked, x)
		}
		e.rest()
	}
}

// horizon returns the corrected time through which every reporter of the stage's leave is known to have sent
// everything; zero where one is blind or there is none.
func (e *Engine) horizon(stage int) time.Time {
	if e.byClock {
		return e.now
	}
	reporters := e.plan.flow.Stages[stage].Reporters
	var least time.Time
	for i, name := range reporters {
		s := e.sources[name]
		if s == nil || s.Watermark.IsZero() {
			return time.Time{}
		}
		if t := s.Watermark.Add(-s.Offset); i == 0 || t.Before(least) {
			least = t
		}
	}
	return least
}

// proven reports whether every source that could report the leave of a visit has sent everything
// through the deadline, with no unrepaired gap since the order entered.
func (e *Engine) proven(v *visit) bool {
	deadline := v.deadline.time()
	if horizon := e.horizon(int(v.stage)); horizon.IsZero() || deadline.After(horizon) {
		return false
	}
	if e.byClock {
		return true
	}
	for _, name := range e.plan.flow.Stages[v.stage].Reporters {
		if e.gapIn(name, v.entered.time(), deadline) != nil {
			return false
		}
	}
	return true
}

// gapIn returns an unrepaired gap of the source that meets the corrected interval, or nil.
func (e *Engine) gapIn(source string, from, to time.Time) *order.Gap {
	return e.sources[source].firstGap(from, to)
}

func (s *SourceState) firstGap(from, to time.Time) *order.Gap {
	for i := range s.Gaps {
		g := &s.Gaps[i]
		ended := !g.To.IsZero() && g.To.Add(-s.Offset).Before(from)
		if !ended && !g.From.Add(-s.Offset).After(to) {
			return g
		}
	}
	return nil
}

// approximate reports whether a proof among the evidence rests on a polled source.
func approximate(evidence []Evidence) bool {
	return slices.ContainsFunc(evidence, func(x Evidence) bool { return x.Code == EvidenceProof && x.Args[argApproximate] != "" })
}
