package sla

import (
	"math"
	"time"
)

// nanos is an instant in Unix nanoseconds: a third of a time.Time, and nothing for the garbage
// collector to look at. Millions of them are held.
type nanos int64

// never is no instant: not left, without deadline, not known.
const never nanos = math.MinInt64

// The instants that nanos can name, less what a clock may be off. No clock of an order shows
// others, and a store would not give them back; but a flow may have a deadline of 300 years.
var (
	firstInstant = time.Date(1680, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)
)

// nanosOf returns t, or the nearest instant that can be named. The zero time is never.
func nanosOf(t time.Time) nanos {
	switch {
	case t.IsZero():
		return never
	case t.Before(firstInstant):
		t = firstInstant
	case t.After(lastInstant):
		t = lastInstant
	}
	return nanos(t.UnixNano())
}

// time returns the instant in UTC, the zero time for never.
func (n nanos) time() time.Time {
	if n == never {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}

func (n nanos) sub(m nanos) time.Duration { return time.Duration(n - m) }
