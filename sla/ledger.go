package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// LedgerKeep is how long the ledger holds what is settled. What is not, it holds for as long as it is not.
const LedgerKeep = 24 * time.Hour

// LedgerState is what became of a hand-off. Of those that were published it is arrived, dead_lettered,
// pending or lost, or the order ended.
type LedgerState string

// The states of a hand-off.
const (
	LedgerArrived      LedgerState = "arrived"
	LedgerDeadLettered LedgerState = "dead_lettered"
	LedgerPending      LedgerState = "pending"
	LedgerLost         LedgerState = "lost"        // published, and proven not to have arrived by its deadline
	LedgerEnded        LedgerState = "ended"       // the order ended before it arrived, published or not
	LedgerWaiting      LedgerState = "waiting"     // the sender committed, no message was seen yet
	LedgerUnpublished  LedgerState = "unpublished" // no message was seen and it is proven not to have arrived
	LedgerUnrecorded   LedgerState = "unrecorded"  // it arrived and no message was seen
	LedgerGone         LedgerState = "gone"        // a late fact shows that there is no such hand-off
)

// LedgerEntry is one hand-off in the ledger.
type LedgerEntry struct {
	Handoff
	Minute time.Time // of publishing, or of the sender's commit where no message was seen
	State  LedgerState
}

// Ledger balances hand-offs by the minute of publishing: what was published arrived, was dead-lettered,
// is pending or is lost. It stands beside the engine, so that any number of engines can feed it. It
// belongs to one goroutine; what it hands out is immutable.
type Ledger struct {
	flow    *order.Flow
	entries map[OrderID][]*LedgerEntry
	minutes map[ledgerMinute]map[*LedgerEntry]bool
	named   map[string]map[*LedgerEntry]bool // by stage: those that may have to be named
	counts  map[string]*LedgerTotals         // by stage
	swept   time.Time
}

type ledgerMinute struct {
	stage string
	at    int64 // Unix seconds
}

// LedgerTotals count since the process began and never fall.
type LedgerTotals struct{ Published, Arrived uint64 }

// NewLedger returns the ledger of a flow as a store remembers it.
func NewLedger(flow *order.Flow, entries []LedgerEntry) *Ledger {
	l := &Ledger{flow: flow, entries: map[OrderID][]*LedgerEntry{}, minutes: map[ledgerMinute]map[*LedgerEntry]bool{},
		named: map[string]map[*LedgerEntry]bool{}, counts: map[string]*LedgerTotals{}}
	for i := range flow.Stages {
		if s := &flow.Stages[i]; s.Kind == order.Handoff && s.Via.Exchange != "" {
			l.named[s.Name], l.counts[s.Name] = map[*LedgerEntry]bool{}, &LedgerTotals{}
		}
	}
	for i := range entries {
		if x := entries[i]; l.counts[x.Stage] != nil {
			l.hold(&x)
		}
	}
	return l
}

// Fold takes in what a change says of hand-offs and adds to it the entries that changed.
func (l *Ledger) Fold(c *Change, now time.Time) {
	for i := range c.Handoffs {
		l.replace(c, &c.Handoffs[i], now)
	}
	for _, merge := range c.Removed {
		l.replace(c, &OrderHandoffs{Order: merge.From}, now)
	}
	if now.Sub(l.swept) >= time.Minute {
		l.sweep(now)
	}
}

// replace puts an order's hand-offs in place of those it had.
func (l *Ledger) replace(c *Change, o *OrderHandoffs, now time.Time) {
	old := slices.Clone(l.entries[o.Order])
	for i := range o.Handoffs {
		h := &o.Handoffs[i]
		at := slices.IndexFunc(old, func(x *LedgerEntry) bool { return x.Stage == h.Stage && x.N == h.N })
		if at < 0 {
			l.enter(c, nil, h, now)
			continue
		}
		l.enter(c, old[at], h, now)
		old = slices.Delete(old, at, at+1)
	}
	for _, x := range old {
		l.release(x)
		gone := *x
		gone.State = LedgerGone
		c.Ledger = append(c.Ledger, gone)
	}
}

// enter takes over a hand-off, was being its entry so far. What was settled long ago is not held any more: it
// is told to the store alone, which has it already unless a late fact changed it.
func (l *Ledger) enter(c *Change, was *LedgerEntry, h *Handoff, now time.Time) {
	if was != nil && was.Handoff == *h {
		return
	}
	x := entryOf(h)
	c.Ledger = append(c.Ledger, *x)
	old := x.settled() && x.Minute.Before(now.Add(-LedgerKeep))
	if was != nil || !old {
		l.count(was, x)
	}
	if was != nil {
		l.release(was)
	}
	if !old {
		l.hold(x)
	}
}

func entryOf(h *Handoff) *LedgerEntry {
	x := &LedgerEntry{Handoff: *h, State: h.state(), Minute: h.Published.UTC().Truncate(time.Minute)}
	if h.Published.IsZero() {
		x.Minute = h.Entered.UTC().Truncate(time.Minute)
	}
	return x
}

func (h *Handoff) state() LedgerState {
	switch {
	case h.Ended:
		return LedgerEnded
	case h.Published.IsZero() && !h.Left.IsZero():
		return LedgerUnrecorded
	case h.Published.IsZero() && h.Stuck:
		return LedgerUnpublished
	case h.Published.IsZero():
		return LedgerWaiting
	case !h.Left.IsZero():
		return LedgerArrived
	case !h.Dead.IsZero():
		return LedgerDeadLettered
	case h.Stuck:
		return LedgerLost
	}
	return LedgerPending
}

// settled reports whether nothing but a late fact can change the entry.
func (x *LedgerEntry) settled() bool { return !x.Left.IsZero() }

func (l *Ledger) count(was, x *LedgerEntry) {
	published := func(y *LedgerEntry) bool { return y != nil && !y.Published.IsZero() }
	arrived := func(y *LedgerEntry) bool { return y != nil && y.State == LedgerArrived }
	if totals := l.counts[x.Stage]; totals != nil {
		if published(x) && !published(was) {
			totals.Published++
		}
		if arrived(x) && !arrived(was) {
			totals.Arrived++
		}
	}
}

func (l *Ledger) hold(x *LedgerEntry) {
	l.entries[x.Order] = append(l.entries[x.Order], x)
	minute := ledgerMinute{x.Stage, x.Minute.Unix()}
	if l.minutes[minute] == nil {
		l.minutes[minute] = map[*LedgerEntry]bool{}
	}
	l.minutes[minute][x] = true
	switch x.State {
	case LedgerLost, LedgerDeadLettered, LedgerUnpublished, LedgerUnrecorded:
		l.named[x.Stage][x] = true
	}
}

func (l *Ledger) release(x *LedgerEntry) {
	l.entries[x.Order] = slices.DeleteFunc(l.entries[x.Order], func(y *LedgerEntry) bool { return x == y })
	if len(l.entries[x.Order]) == 0 {
		delete(l.entries, x.Order)
	}
	minute := ledgerMinute{x.Stage, x.Minute.Unix()}
	delete(l.minutes[minute], x)
	if len(l.minutes[minute]) == 0 {
		delete(l.minutes, minute)
	}
	delete(l.named[x.Stage], x)
}

// sweep lets go of what is settled and old.
func (l *Ledger) sweep(now time.Time) {
	l.swept = now
	limit := now.Add(-LedgerKeep).Unix()
	for minute, entries := range l.minutes {
		if minute.at >= limit {
			continue
		}
		for x := range entries {
			if x.settled() {
				l.release(x)
			}
		}
	}
}

func compareEntries(a, b *LedgerEntry) int {
	return cmp.Or(a.Minute.Compare(b.Minute), cmp.Compare(a.Order, b.Order), cmp.Compare(a.N, b.N))
}
