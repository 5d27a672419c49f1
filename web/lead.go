package web

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/sla"
)

// pressing ranks verdicts, the one to act on first.
func pressing(verdict string) int {
	if i := slices.Index(openVerdicts, verdict); i >= 0 {
		return i
	}
	return len(openVerdicts)
}

// lead says in one sentence how the order stands, and in another why.
func lead(c clock, o *sla.Order) (sentence, code, because string) {
	v := mostPressing(o)
	switch {
	case o.State != sla.StateOpen:
		return c.T("lead."+string(o.State), "at", c.Stamp(o.Ended)), string(o.State), ""
	case v == nil:
		return c.T("lead.between"), "", ""
	}
	key := "lead." + string(v.Verdict)
	if v.Verdict == sla.VerdictOpen && v.Deadline.IsZero() {
		key = "lead.open_ended"
	}
	sentence = c.T(key, "stage", v.Stage, "span", c.Since(v.Entered), "overdue", c.overdue(v.Deadline, c.now), "left", c.Span(v.Deadline.Sub(c.now)))
	if v.Cause != "" {
		because = c.T("cause_text." + string(v.Cause))
	}
	return sentence, string(v.Verdict), because
}

// mostPressing returns the open visit that stands for the order, nil where none is open.
func mostPressing(o *sla.Order) *sla.Visit {
	var best *sla.Visit
	for i := range o.Visits {
		v := &o.Visits[i]
		if !v.Open() {
			continue
		}
		if best == nil || cmp.Or(pressing(string(v.Verdict))-pressing(string(best.Verdict)), deadlineOrder(v, best)) < 0 {
			best = v
		}
	}
	return best
}

// deadlineOrder puts the earlier deadline first and none last.
func deadlineOrder(a, b *sla.Visit) int {
	if a.Deadline.IsZero() || b.Deadline.IsZero() {
		return cmp.Compare(boolInt(a.Deadline.IsZero()), boolInt(b.Deadline.IsZero()))
	}
	return a.Deadline.Compare(b.Deadline)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
