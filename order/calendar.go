package order

import "time"

// Calendar says when time counts. The nil *Calendar is "always": every instant is open.
type Calendar struct {
	Name string
}

// Add returns the instant at which a span that starts at t ends.
func (c *Calendar) Add(t time.Time, s Span) time.Time { return t.Add(s.Amount) }

// Between returns the open time from a to b, 0 where b is not after a.
func (c *Calendar) Between(a, b time.Time) time.Duration { return max(0, b.Sub(a)) }
