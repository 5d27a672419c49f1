package row

import "github.com/alexandrite/orderwatch/sla"

// Ranks sort lists of orders: the most pressing verdict first.
const (
	rankStuck int64 = iota
	rankUnknown
	rankAtRisk
	rankOpen
	rankIdle   // the order is open and no visit is
	rankClosed // neither is
)

// visitRank is of an open visit's verdict; a closed one is never selected by it.
func visitRank(v sla.Verdict) int64 {
	switch v {
	case sla.VerdictStuck:
		return rankStuck
	case sla.VerdictUnknown:
		return rankUnknown
	case sla.VerdictAtRisk:
		return rankAtRisk
	}
	return rankOpen
}

func rankOf(state sla.State, v *sla.Visit) int64 {
	switch {
	case v != nil:
		return visitRank(v.Verdict)
	case state == sla.StateOpen:
		return rankIdle
	}
	return rankClosed
}

// pressing returns the open visit that stands for its order: by verdict, then the earliest
// deadline, then the earliest entered, or nil where none is open.
func pressing(visits []sla.Visit) *sla.Visit {
	var best *sla.Visit
	for i := range visits {
		v := &visits[i]
		if v.Open() && (best == nil || before(v, best)) {
			best = v
		}
	}
	return best
}

func before(a, b *sla.Visit) bool {
	if x, y := visitRank(a.Verdict), visitRank(b.Verdict); x != y {
		return x < y
	}
	if x, y := due(a.Deadline), due(b.Deadline); x != y {
		return x < y
	}
	return a.Entered.Before(b.Entered)
}

// late reports whether an open order is overdue somewhere for certain.
func late(o *sla.Order) bool {
	if o.State != sla.StateOpen {
		return false
	}
	for i := range o.Visits {
		if o.Visits[i].Open() && o.Visits[i].Verdict == sla.VerdictStuck {
			return true
		}
	}
	for i := range o.Promises {
		if o.Promises[i].Verdict == sla.PromiseBreached {
			return true
		}
	}
	return false
}
