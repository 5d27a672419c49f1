package sla

import (
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// ledgerNames bounds how many orders of one hand-off the ledger names for each state.
const ledgerNames = 20

// LedgerOverview is the balance of every hand-off whose exchange the flow names.
type LedgerOverview struct {
	AsOf     time.Time
	Handoffs []HandoffLedger         // in flow order
	Keys     map[OrderID][]order.Key // of the orders that are named, where a reader was asked for them
}

// HandoffLedger is the balance of one hand-off over the last LedgerKeep and all that is not settled.
type HandoffLedger struct {
	Stage    string
	Exchange string
	Queue    string
	Tap      string // the source that watches the exchange; "": none has told of a message yet
	LedgerBalance
	Totals  LedgerTotals
	Minutes []LedgerMinute    // oldest first, without empty ones
	Named   []LedgerEntry     // lost, dead-lettered, unpublished, unrecorded: of each the oldest, bounded
	Depth   *order.QueueDepth // nil: nobody watches the queue
	DepthAt time.Time
}

// LedgerBalance counts hand-offs. Published is always the sum of the four that follow it.
type LedgerBalance struct {
	Published    int
	Arrived      int
	DeadLettered int
	Pending      int
	Lost         int // in complete minutes; in others what would be lost is pending
	Unpublished  int // the sender committed and the tap proves that no message followed: not published, or unroutable
	Unrecorded   int // arrived, though the tap proves that no message was published
	Ended        int // published, but the order ended before it arrived; in no other count
	Copies       int // messages beyond the first of each
}

// LedgerMinute is the balance of what was published in one minute.
type LedgerMinute struct {
	Minute time.Time
	LedgerBalance
	Incomplete bool // the tap may have missed messages: no loss is claimed
}

// View balances every hand-off, as of an overview of the engine.
func (l *Ledger) View(o *Overview) LedgerOverview {
	var list []HandoffLedger
	index := map[string]int{}
	for i := range l.flow.Stages {
		s := &l.flow.Stages[i]
		totals := l.counts[s.Name]
		if totals == nil {
			continue
		}
		view := HandoffLedger{Stage: s.Name, Exchange: s.Via.Exchange, Queue: s.Via.Queue, Tap: o.Taps[s.Via.Exchange], Totals: *totals}
		view.Depth, view.DepthAt = o.depth(s.Via.Queue)
		index[s.Name] = len(list)
		list = append(list, view)
	}
	for minute, entries := range l.minutes {
		view := &list[index[minute.stage]]
		view.Minutes = append(view.Minutes, balanceMinute(o.source(view.Tap), time.Unix(minute.at, 0).UTC(), entries))
	}
	for i := range list {
		view := &list[i]
		slices.SortFunc(view.Minutes, func(a, b LedgerMinute) int { return a.Minute.Compare(b.Minute) })
		for n := range view.Minutes {
			view.add(&view.Minutes[n].LedgerBalance)
		}
		view.Named = nameEntries(o.source(view.Tap), l.named[view.Stage])
	}
	return LedgerOverview{AsOf: o.AsOf, Handoffs: list}
}

func balanceMinute(tap *SourceState, at time.Time, entries map[*LedgerEntry]bool) LedgerMinute {
	m := LedgerMinute{Minute: at, Incomplete: tap == nil || tap.firstGap(at, at.Add(time.Minute)) != nil}
	for x := range entries {
		if !x.Published.IsZero() && x.State != LedgerEnded {
			m.Published++
		}
		m.Copies += max(0, x.Copies-1)
		switch {
		case x.State == LedgerArrived:
			m.Arrived++
		case x.State == LedgerDeadLettered:
			m.DeadLettered++
		case x.State == LedgerLost && !m.Incomplete:
			m.Lost++
		case x.State == LedgerPending, x.State == LedgerLost:
			m.Pending++
		case x.State == LedgerEnded && !x.Published.IsZero():
			m.Ended++
		case x.State == LedgerUnpublished && tap.provesNone(&x.Handoff):
			m.Unpublished++
		case x.State == LedgerUnrecorded && tap.provesNone(&x.Handoff):
			m.Unrecorded++
		}
	}
	return m
}

func (b *LedgerBalance) add(m *LedgerBalance) {
	b.Published += m.Published
	b.Arrived += m.Arrived
	b.DeadLettered += m.DeadLettered
	b.Pending += m.Pending
	b.Lost += m.Lost
	b.Unpublished += m.Unpublished
	b.Unrecorded += m.Unrecorded
	b.Ended += m.Ended
	b.Copies += m.Copies
}

// nameEntries returns the oldest entries of each state that is to be named, as far as the tap bears it out.
func nameEntries(tap *SourceState, entries map[*LedgerEntry]bool) []LedgerEntry {
	byState := map[LedgerState][]*LedgerEntry{}
	for x := range entries {
		bare := x.State == LedgerUnpublished || x.State == LedgerUnrecorded
		switch {
		case bare && !tap.provesNone(&x.Handoff):
		case x.State == LedgerLost && (tap == nil || tap.firstGap(x.Minute, x.Minute.Add(time.Minute)) != nil):
		default:
			byState[x.State] = append(byState[x.State], x)
		}
	}
	var named []LedgerEntry
	for _, state := range []LedgerState{LedgerLost, LedgerDeadLettered, LedgerUnpublished, LedgerUnrecorded} {
		list := byState[state]
		slices.SortFunc(list, compareEntries)
		for _, x := range list[:min(len(list), ledgerNames)] {
			named = append(named, *x)
		}
	}
	return named
}

// provesNone reports whether the tap would have told of the hand-off's message by now.
func (s *SourceState) provesNone(h *Handoff) bool {
	until := h.Deadline
	if !h.Left.IsZero() {
		until = h.Left
	}
	return s != nil && !s.Watermark.Add(-s.Offset).Before(until.Add(tapSkew)) && s.firstGap(h.Entered.Add(-tapSkew), until) == nil
}

func (o *Overview) source(name string) *SourceState {
	for i := range o.Sources {
		if o.Sources[i].Name == name && name != "" {
			return &o.Sources[i]
		}
	}
	return nil
}

// depth returns the newest statement about a queue, or nil.
func (o *Overview) depth(queue string) (depth *order.QueueDepth, at time.Time) {
	for i := range o.Sources {
		s := &o.Sources[i]
		n := slices.IndexFunc(s.Queues, func(q order.QueueDepth) bool { return q.Queue == queue })
		if n >= 0 && s.QueuesAt.After(at) {
			depth, at = &s.Queues[n], s.QueuesAt
		}
	}
	return depth, at
}
