package capacity

import (
	"time"

	"github.com/alexandrite/orderwatch/forecast/queueing"
	"github.com/alexandrite/orderwatch/order"
)

// Open is how much of each hour of the week (UTC) a calendar is open, on average over the year from
// the Monday before a date: holidays thin the week out.
func Open(c *order.Calendar, from time.Time) [queueing.HoursInWeek]float64 {
	const weeks = 52
	var out [queueing.HoursInWeek]float64
	from = from.UTC().Truncate(24 * time.Hour)
	from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
	for w := range weeks {
		for h := range out {
			at := from.Add(time.Duration(w*queueing.HoursInWeek+h) * time.Hour)
			out[h] += c.Between(at, at.Add(time.Hour)).Hours() / weeks
		}
	}
	for h := range out {
		out[h] = min(1, out[h])
	}
	return out
}

// Arrive counts arrivals by the hour of the week (UTC).
func Arrive(at []time.Time) [queueing.HoursInWeek]float64 {
	var out [queueing.HoursInWeek]float64
	for _, t := range at {
		t = t.UTC()
		out[(int(t.Weekday())+6)%7*24+t.Hour()]++
	}
	return out
}
