package order

import (
	"iter"
	"math"
	"slices"
	"time"
)

const daySeconds = 24 * 60 * 60

// Calendar says when time counts. The nil *Calendar is "always": every instant is open.
//
// An instant is open exactly when the wall clock of the flow's time zone shows an open time of that
// weekday and the date is no holiday. So where a daylight-saving change leaves out an hour, what was
// open of it is not worked, a boundary inside it falls on the change; an hour shown twice counts twice.
//
// Only ParseFlow makes one with hours; a Calendar without hours is always open. It is immutable.
type Calendar struct {
	Name string

	zone     *time.Location
	week     [7][]opening // by time.Weekday; sorted, apart from each other
	holidays []dateRange  // sorted, apart from each other
}

// opening is an open interval of a day in seconds from midnight, without its end.
type opening struct{ From, To int64 }

// dateRange is a range of dates, both included, in days since 1970-01-01.
type dateRange struct{ First, Last int64 }

// String returns the calendar's name, "always" for nil.
func (c *Calendar) String() string {
	if c == nil {
		return "always"
	}
	return c.Name
}

// Add returns the instant, in UTC, at which a span that starts at t ends. Open time that runs out
// exactly at closing ends at closing. Elapsed days ignore the calendar. Working days move to the next
// open instant and then advance open dates at the same wall clock, clipped to that date's hours: before
// opening to opening, after closing or in a break to the closing before it. Always has
// no working days: there they are elapsed days. A zero or negative span ends at t.
func (c *Calendar) Add(t time.Time, s Span) time.Time {
	t = t.Round(0).UTC()
	switch {
	case s.Unit == WorkingDays && c.always():
		return t.Add(time.Duration(max(0, s.Days)) * Day)
	case s.Unit == WorkingDays:
		return c.addDays(t, s.Days)
	case s.Amount <= 0:
		return t
	case s.Unit == Elapsed || c.always():
		return t.Add(s.Amount)
	}
	left := s.Amount
	for from, to := range c.openings(t) {
		if open := to.Sub(from); open < left {
			left -= open
			continue
		}
		return from.Add(left)
	}
	return t.Add(s.Amount) // not reached: openings do not end
}

// Between returns the open time from a to b, 0 where b is not after a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	a, b = a.Round(0), b.Round(0)
	whole := max(0, b.Sub(a))
	if c.always() || whole == 0 {
		return whole
	}
	if whole == math.MaxInt64 { // b.Sub saturated; keep the sum below it
		a = b.Add(-whole)
	}
	sum := time.Duration(0)
	for from, to := range c.openings(a) {
		if !from.Before(b) {
			break
		}
		if to.After(b) {
			to = b
		}
		sum += to.Sub(from)
	}
	return sum
}

// IsOpen reports whether time counts at t.
func (c *Calendar) IsOpen(t time.Time) bool {
	if c.always() {
		return true
	}
	day, clock := c.wall(t)
	return slices.ContainsFunc(c.on(day), func(o opening) bool { return o.From <= clock && clock < o.To })
}

// NextOpen returns the first open instant at or after t, in UTC.
func (c *Calendar) NextOpen(t time.Time) time.Time {
	t = t.Round(0).UTC()
	if c.always() {
		return t
	}
	for from := range c.openings(t) {
		return from
	}
	return t // not reached: openings do not end
}

func (c *Calendar) always() bool {
	return c == nil || !slices.ContainsFunc(c.week[:], func(day []opening) bool { return len(day) > 0 })
}

// slow reports whether so much open time takes longer than a span may be, holidays aside.
func (c *Calendar) slow(amount time.Duration) bool {
	if c.always() {
		return false
	}
	week := int64(0)
	for _, day := range c.week {
		for _, o := range day {
			week += o.To - o.From
		}
	}
	return int64(amount/time.Second)/week > maxSpanDays/7
}

// on returns the hours of a date.
func (c *Calendar) on(day int64) []opening {
	_, holiday := slices.BinarySearchFunc(c.holidays, day, func(r dateRange, day int64) int {
		switch {
		case r.Last < day:
			return -1
		case r.First > day:
			return 1
		}
		return 0
	})
	if holiday {
		return nil
	}
	return c.week[((day+4)%7+7)%7] // 1970-01-01 was a Thursday
}

// wall returns the date and the second of the day that the wall clock shows at t.
func (c *Calendar) wall(t time.Time) (day, clock int64) {
	_, offset := t.In(c.zone).Zone()
	return split(t.Unix() + int64(offset))
}

func split(wall int64) (day, clock int64) {
	day = wall / daySeconds
	if wall < day*daySeconds {
		day--
	}
	return day, wall - day*daySeconds
}

// openings yields the open periods from t on, in UTC and in order, none of them empty. Two may touch.
// It goes period by period of the time zone's offset, within which wall clock and time run alike.
func (c *Calendar) openings(t time.Time) iter.Seq2[time.Time, time.Time] {
	return func(yield func(from, to time.Time) bool) {
		for at := t.In(c.zone); ; {
			_, change := at.ZoneBounds()
			if !c.openingsUntil(at, change, yield) || change.IsZero() {
				return
			}
			at = change.In(c.zone)
		}
	}
}

// openingsUntil yields the open periods from t to the next change of offset, zero for none.
func (c *Calendar) openingsUntil(t, change time.Time, yield func(from, to time.Time) bool) bool {
	_, offset := t.Zone()
	t = t.UTC()
	for day, _ := split(t.Unix() + int64(offset)); ; day++ {
		midnight := day*daySeconds - int64(offset)
		if !change.IsZero() && midnight >= change.Unix() {
			return true
		}
		for _, o := range c.on(day) {
			from, to := time.Unix(midnight+o.From, 0).UTC(), time.Unix(midnight+o.To, 0).UTC()
			if from.Before(t) {
				from = t
			}
			if !change.IsZero() && to.After(change) {
				to = change.UTC()
			}
			if from.Before(to) && !yield(from, to) {
				return false
			}
		}
	}
}

func (c *Calendar) addDays(t time.Time, days int) time.Time {
	t = c.NextOpen(t)
	if days <= 0 {
		return t
	}
	day, clock := c.wall(t)
	for ; days > 0; days-- {
		for day++; len(c.on(day)) == 0; day++ {
		}
	}
	clipped, same := clip(c.on(day), clock)
	end := c.instant(day, clipped)
	if same {
		end = end.Add(time.Duration(t.Nanosecond()))
	}
	return end
}

// clip moves a wall clock into a day's hours and reports whether it stayed.
func clip(hours []opening, clock int64) (int64, bool) {
	end := hours[0].From
	for _, o := range hours {
		if clock < o.From {
			break
		}
		if clock < o.To {
			return clock, true
		}
		end = o.To
	}
	return end, false
}

// instant returns the first instant at which the wall clock shows the time or, where it
// never does, the change of offset that leaves it out.
func (c *Calendar) instant(day, clock int64) time.Time {
	wall := day*daySeconds + clock
	at := time.Unix(wall-2*daySeconds, 0).In(c.zone) // before it in every zone there is
	for {
		_, change := at.ZoneBounds()
		_, offset := at.Zone()
		t := time.Unix(wall-int64(offset), 0).UTC()
		if change.IsZero() || t.Before(change) {
			if t.Before(at) {
				return at.UTC()
			}
			return t
		}
		at = change.In(c.zone)
	}
}
