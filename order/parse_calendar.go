package order

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

func (p *flowReader) calendars(f field) {
	p.flow.Calendars = map[string]*Calendar{"always": nil}
	names, members := f.pairs()
	for _, name := range names {
		entry := members[name]
		switch {
		case name == "always":
			entry.fail("is built in and cannot be changed")
		case !namePattern.MatchString(name):
			entry.fail("%q is not a name", name)
		default:
			p.flow.Calendars[name] = p.calendar(name, entry)
		}
	}
}

// calendarNamed reads the name of a calendar, which is always where absent, and reports whether there is one.
func (p *flowReader) calendarNamed(f field) (*Calendar, bool) {
	name := f.text()
	if name == "" {
		return nil, !f.present()
	}
	c, ok := p.flow.Calendars[name]
	if !ok {
		f.fail("no calendar is named %q%s", name, suggest(name, slices.Sorted(maps.Keys(p.flow.Calendars))))
	}
	return c, ok
}

func (p *flowReader) calendar(name string, f field) *Calendar {
	o := f.object("hours", "holidays")
	c := &Calendar{Name: name, zone: p.flow.Timezone}
	before := len(p.problems)
	c.hours(o.need("hours"))
	if c.always() && len(p.problems) == before {
		o.get("hours").fail("the calendar never opens")
	}
	for _, entry := range o.get("holidays").list() {
		if r, ok := entry.dates(); ok {
			c.holidays = append(c.holidays, r)
		}
	}
	c.holidays = mergeDates(c.holidays)
	return c
}

// hours reads the openings of each weekday; a day not named is closed.
func (c *Calendar) hours(f field) {
	var given [7]int // the line that named the day
	names, members := f.pairs()
	for _, name := range names {
		entry := members[name]
		openings := entry.openings()
		days, ok := parseDays(name)
		if !ok {
			entry.fail("%q names no days: use mon, mon-fri or mon,wed,fri of %s", name, strings.Join(weekdays, ", "))
		}
		for _, day := range days {
			if given[day] > 0 {
				entry.fail("%s has its hours on line %d already", weekdays[day], given[day])
				continue
			}
			given[day], c.week[day] = entry.line, openings
		}
	}
}

// parseDays reads weekdays: `mon`, `mon-fri`, `mon,wed-fri`. A range may pass the week's end: `sun-thu`, `sat-mon`.
func parseDays(text string) ([]int, bool) {
	var days []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, last := slices.Index(weekdays, from), slices.Index(weekdays, to)
		if !ranged {
			last = first
		}
		if first < 0 || last < 0 {
			return nil, false
		}
		for day := first; ; day = (day + 1) % 7 {
			days = append(days, day)
			if day == last {
				break
			}
		}
	}
	return days, true
}

// openings reads a day's intervals, sorted and with those that touch made one.
func (f field) openings() []opening {
	type interval struct {
		opening
		field
	}
	var all []interval
	for _, entry := range f.list() {
		if o, ok := entry.opening(); ok {
			all = append(all, interval{o, entry})
		}
	}
	slices.SortStableFunc(all, func(a, b interval) int { return cmp.Compare(a.From, b.From) })
	var out []opening
	for i, next := range all {
		switch {
		case i > 0 && next.From < out[len(out)-1].To:
			next.fail("%q overlaps %q", next.node.Value, all[i-1].node.Value)
		case i > 0 && next.From == out[len(out)-1].To:
			out[len(out)-1].To = next.To
			continue
		}
		out = append(out, next.opening)
	}
	return out
}

func (f field) opening() (opening, bool) {
	text := f.text()
	if text == "" {
		return opening{}, false
	}
	begin, end, _ := strings.Cut(text, "-")
	from, okFrom := parseClock(begin)
	to, okTo := parseClock(end)
	switch {
	case !okFrom || !okTo:
		f.fail("%q is not an interval of hours: write 09:00-18:00, from 00:00 to 24:00", text)
	case to == from:
		f.fail("%q is empty", text)
	case to < from:
		f.fail("%q ends before it starts: split it at midnight, %s-24:00 and 00:00-%s the day after", text, begin, end)
	default:
		return opening{from, to}, true
	}
	return opening{}, false
}

// parseClock reads HH:MM up to 24:00 as seconds from midnight.
func parseClock(text string) (int64, bool) {
	if text == "24:00" {
		return daySeconds, true
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return int64(t.Hour()*60+t.Minute()) * 60, true
}

// maxHolidayDays bounds one range of holidays, where a wrong year would close a calendar for ages.
const maxHolidayDays = 366

func (f field) dates() (dateRange, bool) {
	text := f.text()
	if text == "" {
		return dateRange{}, false
	}
	begin, end, ranged := strings.Cut(text, "/")
	if !ranged {
		end = begin
	}
	first, errFirst := parseDate(begin)
	last, errLast := parseDate(end)
	switch {
	case errFirst != nil || errLast != nil:
		f.fail("%q is not a date: write 2026-01-01, or 2026-01-01/2026-01-08 for a range", text)
	case last < first:
		f.fail("%q ends before it starts", text)
	case last-first >= maxHolidayDays:
		f.fail("%q is longer than a year", text)
	default:
		return dateRange{first, last}, true
	}
	return dateRange{}, false
}

func parseDate(text string) (int64, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("read date: %w", err)
	}
	day, _ := split(t.Unix())
	return day, nil
}

// mergeDates sorts ranges and joins those that overlap or touch.
func mergeDates(ranges []dateRange) []dateRange {
	slices.SortFunc(ranges, func(a, b dateRange) int { return cmp.Compare(a.First, b.First) })
	var out []dateRange
	for _, r := range ranges {
		if n := len(out); n > 0 && r.First <= out[n-1].Last+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}
