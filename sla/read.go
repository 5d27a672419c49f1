package sla

import "time"

// OrderFilter selects orders of the read model. Zero fields do not filter.
type OrderFilter struct {
	Stage   string // an open visit there
	Verdict Verdict
	Channel string
	Partner string
	State   State
	Prefix  string // of any key's value
	Cursor  string // from OrderPage.Next
	Limit   int    // 1..500, 50 where zero
}

// OrderPage is one page of a list of orders, the longest overdue first, then the oldest.
type OrderPage struct {
	Items []OrderRow
	Next  string // "" at the end
}

// OrderRow is one order in a list: its most pressing open visit stands for it.
type OrderRow struct {
	ID       OrderID
	Keys     map[string]string
	Channel  string
	Partner  string
	State    State
	Stage    string // "" where no visit is open
	Entered  time.Time
	Deadline time.Time
	Verdict  Verdict
	Cause    Cause
	Created  time.Time
	Updated  time.Time
}

// Overview is the state of the whole flow at one instant, for the first page and the gauges.
type Overview struct {
	AsOf        time.Time
	Orders      OrderTotals
	Quarantined int             // orders whose fold failed; they are in no other count
	Stages      []StageOverview // in flow order
	Sources     []SourceState
	Taps        map[string]string // exchange → the source that has told of a message there
}

// OrderTotals counts orders by state, and the open ones that are late somewhere.
type OrderTotals struct{ Open, Finished, Cancelled, Late int }

// StageOverview counts the open visits of a stage.
type StageOverview struct {
	Stage   string
	Open    int // all of those below
	AtRisk  int
	Stuck   int
	Unknown int
	Oldest  time.Time // entered; zero where none is open
	Closed  int       // since the engine began to count
	// LostSeconds is the elapsed time that the stuck and unknown visits have spent past their
	// deadlines: the stage's share of the lost time.
	LostSeconds int64
	ByCause     map[Cause]int
	Channels    map[string]ChannelOverview
}

// ChannelOverview is a stage's share of one channel.
type ChannelOverview struct {
	Open    int
	Overdue map[Cause]int
}
