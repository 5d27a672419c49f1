package remaining

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Event is one thing that happened to an order. Calendar features read the wall clock of Time's own
// location: pass instants in the zone in which the people work.
type Event struct {
	Time   time.Time
	Status string       // what was reached; where a log has life cycles, their transition is part of it
	Attrs  []order.Attr // known from this event on
}

// Case is an order's history, or the part of it seen so far. The end of a case is its last event.
type Case struct {
	Key    string
	Attrs  []order.Attr // known from the first event on; what is learned later belongs to an event
	Events []Event
}

const secondsADay = 24 * 60 * 60

// days returns the days from a to b. Unlike b.Sub(a) it does not saturate.
func days(a, b time.Time) float64 {
	return (float64(b.Unix()-a.Unix()) + float64(b.Nanosecond()-a.Nanosecond())/1e9) / secondsADay
}

// duration is the inverse of days, saturated.
func duration(days float64) time.Duration {
	ns := days * float64(24*time.Hour)
	switch {
	case math.IsNaN(ns):
		return 0
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}

// ordered returns the events that have a time, by time; equal times keep their order. The result may
// share memory with events, which are left as they are.
func ordered(events []Event) []Event {
	timeless := func(e Event) bool { return e.Time.IsZero() }
	byTime := func(a, b Event) int { return a.Time.Compare(b.Time) }
	if slices.ContainsFunc(events, timeless) {
		events = slices.DeleteFunc(slices.Clone(events), timeless)
	}
	if !slices.IsSortedFunc(events, byTime) {
		events = slices.Clone(events)
		slices.SortStableFunc(events, byTime)
	}
	return events
}

// byStart returns the cases that have events, ordered by their first one, each with its events in order.
func byStart(cases []Case) []Case {
	out := make([]Case, 0, len(cases))
	for _, c := range cases {
		c.Events = ordered(c.Events)
		if len(c.Events) > 0 {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Case) int {
		return cmp.Or(a.Events[0].Time.Compare(b.Events[0].Time), cmp.Compare(a.Key, b.Key))
	})
	return out
}
