package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"pgregory.net/rapid"
)

// calendar parses the one calendar of a small flow; hours and holidays are YAML.
func calendar(t testing.TB, zone, hours, holidays string) *order.Calendar {
	t.Helper()
	f, err := order.ParseFlow("flow.yaml", fmt.Appendf(nil, `
version: 1
flow: test
timezone: %s
calendars: {c: {hours: %s, holidays: %s}}
keys: [a]
sources: [{name: s, reports: [a/*]}]
stages: [{name: s, kind: human, enter: [a/A], leave: [a/B]}]
finish: [a/B]
`, zone, hours, holidays))
	if err != nil {
		t.Fatal(err)
	}
	return f.Calendars["c"]
}

func at(t testing.TB, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	out, err := time.ParseInLocation("2006-01-02 15:04", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADeadlineByTheCalendar(t *testing.T) {
	const (
		moscow, berlin, saoPaulo = "Europe/Moscow", "Europe/Berlin", "America/Sao_Paulo"
		office                   = `{mon-fri: ["09:00-18:00"]}`
		lunch                    = `{mon-fri: ["09:00-12:00", "13:00-18:00"]}`
		night                    = `{mon-sun: ["00:00-24:00"]}`
	)
	// 2026-03-06 is a Friday.
	tests := map[string]struct {
		zone, hours, holidays, start, span, want string
	}{
		"open time goes on the next morning":                {moscow, office, "[]", "2026-03-05 17:00", "2h", "2026-03-06 10:00"},
		"open time passes the weekend":                      {moscow, office, "[]", "2026-03-06 17:00", "2h", "2026-03-09 10:00"},
		"open time passes a holiday":                        {moscow, office, `["2026-03-09"]`, "2026-03-06 17:00", "2h", "2026-03-10 10:00"},
		"open time passes a range of holidays":              {moscow, office, `["2026-03-09/2026-03-11"]`, "2026-03-06 17:00", "2h", "2026-03-12 10:00"},
		"open time passes a break":                          {moscow, lunch, "[]", "2026-03-05 11:00", "2h", "2026-03-05 14:00"},
		"open time from before opening starts at opening":   {moscow, office, "[]", "2026-03-05 03:00", "30m", "2026-03-05 09:30"},
		"open time that ends at closing ends at closing":    {moscow, office, "[]", "2026-03-05 17:00", "1h", "2026-03-05 18:00"},
		"open time of many weeks":                           {moscow, office, "[]", "2026-03-02 09:00", "450h", "2026-05-08 18:00"},
		"days ignore the calendar":                          {moscow, office, "[]", "2026-03-06 17:00", "2d", "2026-03-08 17:00"},
		"a day is 24 hours when clocks go forward":          {berlin, office, "[]", "2026-03-28 12:00", "1d", "2026-03-29 13:00"},
		"a working day keeps the wall clock":                {moscow, office, "[]", "2026-03-05 11:20", "1wd", "2026-03-06 11:20"},
		"a working day passes weekend and holiday":          {moscow, office, `["2026-03-09"]`, "2026-03-06 11:20", "1wd", "2026-03-10 11:20"},
		"a working day from a weekend starts at opening":    {moscow, office, "[]", "2026-03-07 15:00", "1wd", "2026-03-10 09:00"},
		"a working day keeps the wall clock over a change":  {berlin, office, "[]", "2026-03-27 11:20", "1wd", "2026-03-30 11:20"},
		"a working day is clipped to a shorter day":         {moscow, `{thu: ["08:00-20:00"], fri: ["10:00-16:00"]}`, "[]", "2026-03-05 19:00", "1wd", "2026-03-06 16:00"},
		"a working day is clipped to a later opening":       {moscow, `{thu: ["08:00-20:00"], fri: ["10:00-16:00"]}`, "[]", "2026-03-05 08:30", "1wd", "2026-03-06 10:00"},
		"a working day into a break ends before it":         {moscow, `{thu: ["08:00-20:00"], fri: ["09:00-12:00", "13:00-18:00"]}`, "[]", "2026-03-05 12:30", "1wd", "2026-03-06 12:00"},
		"ten working days are two weeks":                    {moscow, office, "[]", "2026-03-02 10:00", "10wd", "2026-03-16 10:00"},
		"an hour left out is not worked":                    {berlin, night, "[]", "2026-03-29 01:00", "2h", "2026-03-29 04:00"},
		"an hour shown twice is worked twice":               {berlin, night, "[]", "2026-10-25 01:00", "3h", "2026-10-25 03:00"},
		"an opening that is left out falls on the change":   {berlin, `{sun: ["02:30-05:00"]}`, "[]", "2026-03-29 00:00", "30m", "2026-03-29 03:30"},
		"a day whose midnight is left out opens at one":     {saoPaulo, `{sun: ["00:00-06:00"]}`, "[]", "2018-11-03 12:00", "30m", "2018-11-04 01:30"},
		"a working day to a midnight that is left out":      {saoPaulo, `{sat-sun: ["00:00-06:00"]}`, "[]", "2018-11-03 00:00", "1wd", "2018-11-04 01:00"},
		"a week may begin on sunday":                        {moscow, `{sun-thu: ["09:00-18:00"]}`, "[]", "2026-03-05 17:00", "2h", "2026-03-08 10:00"},
		"days may be listed":                                {moscow, `{"mon,wed,fri": ["09:00-18:00"]}`, "[]", "2026-03-02 17:00", "2h", "2026-03-04 10:00"},
		"a day may be closed by name":                       {moscow, `{mon-sat: ["09:00-18:00"], sun: []}`, "[]", "2026-03-07 17:00", "2h", "2026-03-09 10:00"},
		"intervals that touch are one":                      {moscow, `{mon-fri: ["09:00-12:00", "12:00-18:00"]}`, "[]", "2026-03-05 11:30", "1h", "2026-03-05 12:30"},
		"a night shift is two intervals":                    {moscow, `{mon: ["22:00-24:00"], tue: ["00:00-06:00"]}`, "[]", "2026-03-02 23:00", "2h", "2026-03-03 01:00"},
		"holidays that overlap are closed once":             {moscow, office, `["2026-03-09/2026-03-11", "2026-03-10", "2026-03-12"]`, "2026-03-06 17:00", "2h", "2026-03-13 10:00"},
		"holidays of another year change nothing":           {moscow, office, `["2025-03-09/2025-03-11"]`, "2026-03-06 17:00", "2h", "2026-03-09 10:00"},
		"a deadline before 1970 is by the same rule":        {moscow, office, "[]", "1969-12-31 17:00", "2h", "1970-01-01 10:00"},
		"a deadline past the zone's table is by its rule":   {berlin, office, "[]", "2099-07-01 17:00", "2h", "2099-07-02 10:00"},
		"a zone that moved for good: Moscow in October '14": {moscow, night, "[]", "2014-10-26 00:00", "3h", "2014-10-26 02:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			span, err := order.ParseSpan(test.span)
			if err != nil {
				t.Fatal(err)
			}
			start := at(t, test.zone, test.start)
			got := calendar(t, test.zone, test.hours, test.holidays).Add(start, span)
			if want := at(t, test.zone, test.want); !got.Equal(want) {
				t.Errorf("got %s, want %s", got.In(want.Location()), want)
			}
			if got.Location() != time.UTC {
				t.Errorf("in %s, not in UTC", got.Location())
			}
		})
	}
}

func TestAlwaysIsOpen(t *testing.T) {
	for name, c := range map[string]*order.Calendar{"nil": nil, "without hours": {}} {
		t.Run(name, func(t *testing.T) {
			if !c.IsOpen(noon) || !c.NextOpen(noon).Equal(noon) {
				t.Error("closed")
			}
			if got := c.Between(noon, noon.Add(time.Hour)); got != time.Hour {
				t.Errorf("between: %v", got)
			}
			if got := c.Between(noon, noon.Add(-time.Hour)); got != 0 {
				t.Errorf("backwards: %v", got)
			}
			for _, span := range []order.Span{{Unit: order.OpenTime, Amount: 48 * time.Hour}, {Unit: order.Elapsed, Amount: 48 * time.Hour}, {Unit: order.WorkingDays, Days: 2}} {
				if got := c.Add(noon, span); !got.Equal(noon.AddDate(0, 0, 2)) {
					t.Errorf("%v: %v", span, got)
				}
			}
			if got := c.Add(noon, order.Span{}); !got.Equal(noon) {
				t.Errorf("no span: %v", got)
			}
		})
	}
	if got := (*order.Calendar)(nil).String(); got != "always" {
		t.Errorf("named %q", got)
	}
}

// model is a calendar known by nothing but its wall clock, counted minute by minute.
type model struct {
	zone     *time.Location
	hours    [7][][2]int // minutes from midnight
	holidays map[string]bool
}

func (m model) onDate(t time.Time) [][2]int {
	if m.holidays[t.Format(time.DateOnly)] {
		return nil
	}
	return m.hours[t.Weekday()]
}

func (m model) open(t time.Time) bool {
	t = t.In(m.zone)
	minute := t.Hour()*60 + t.Minute()
	for _, o := range m.onDate(t) {
		if o[0] <= minute && minute < o[1] {
			return true
		}
	}
	return false
}

func (m model) next(t time.Time) time.Time {
	for !m.open(t) {
		t = t.Add(time.Minute)
	}
	return t
}

func (m model) add(t time.Time, minutes int) time.Time {
	for minutes > 0 {
		if m.open(t) {
			minutes--
		}
		t = t.Add(time.Minute)
	}
	return t
}

func (m model) between(a, b time.Time) (d time.Duration) {
	for ; a.Before(b); a = a.Add(time.Minute) {
		if m.open(a) {
			d += time.Minute
		}
	}
	return d
}

// addDays walks to the n-th open date after the start's and there to the last minute before or at the
// clipped wall clock, or to the first minute past a wall clock that is left out.
func (m model) addDays(t time.Time, days int) time.Time {
	t = m.next(t).In(m.zone)
	clock := t.Hour()*60 + t.Minute()
	noon := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC)
	for days > 0 {
		noon = noon.AddDate(0, 0, 1)
		if len(m.onDate(noon)) > 0 {
			days--
		}
	}
	target := m.onDate(noon)[0][0]
	for _, o := range m.onDate(noon) {
		if clock >= o[0] {
			target = min(clock, o[1])
		}
	}
	want := noon.Add(time.Duration(target-12*60) * time.Minute).Format("2006-01-02 15:04")
	for ; t.In(m.zone).Format("2006-01-02 15:04") < want; t = t.Add(time.Minute) {
	}
	return t
}

func TestCalendarsAgreeWithAModelThatCountsMinutes(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/Sao_Paulo", "Europe/Moscow", "Australia/Lord_Howe", "Pacific/Apia", "UTC"}
	// Around changes of offset, forward and back, some of them at midnight, one of a whole date.
	around := []string{"2026-03-28", "2026-10-24", "2018-11-03", "2018-02-17", "2011-03-26", "2014-10-25", "2011-12-29", "2019-10-05", "2026-06-10"}
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		base, err := time.Parse(time.DateOnly, rapid.SampledFrom(around).Draw(rt, "around"))
		if err != nil {
			rt.Fatal(err)
		}
		m, hours, holidays := drawCalendar(rt, base)
		c := calendar(t, zone, hours, holidays)
		if m.zone, err = time.LoadLocation(zone); err != nil {
			rt.Fatal(err)
		}
		a := base.Add(time.Duration(rapid.IntRange(-2*24*60, 2*24*60).Draw(rt, "start")) * time.Minute)
		b := a.Add(time.Duration(rapid.IntRange(0, 6*24*60).Draw(rt, "length")) * time.Minute)
		minutes := rapid.IntRange(1, 1500).Draw(rt, "open minutes")
		days := rapid.IntRange(1, 4).Draw(rt, "working days")

		if got, want := c.IsOpen(a), m.open(a); got != want {
			rt.Errorf("open at %s: %v, want %v", a.In(m.zone), got, want)
		}
		if got, want := c.Between(a, b), m.between(a, b); got != want {
			rt.Errorf("between %s and %s: %v, want %v", a.In(m.zone), b.In(m.zone), got, want)
		}
		same := func(what string, got, want time.Time) {
			if !got.Equal(want) {
				rt.Errorf("%s from %s: %s, want %s", what, a.In(m.zone), got.In(m.zone), want.In(m.zone))
			}
		}
		same("next open", c.NextOpen(a), m.next(a))
		same("open time", c.Add(a, order.Span{Unit: order.OpenTime, Amount: time.Duration(minutes) * time.Minute}), m.add(a, minutes))
		same("working days", c.Add(a, order.Span{Unit: order.WorkingDays, Days: days}), m.addDays(a, days))
	})
}

// drawCalendar draws hours and holidays, as a model and as YAML. Some day opens.
func drawCalendar(rt *rapid.T, base time.Time) (model, string, string) {
	m := model{holidays: map[string]bool{}}
	var hours, holidays []string
	for day, name := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		least := 0
		if day == 3 {
			least = 1
		}
		clock := 0
		var intervals []string
		for range rapid.IntRange(least, 3).Draw(rt, name) {
			from := clock + rapid.IntRange(0, 400).Draw(rt, "from")
			to := min(24*60, from+rapid.IntRange(1, 600).Draw(rt, "for"))
			if from >= to {
				break
			}
			m.hours[day] = append(m.hours[day], [2]int{from, to})
			intervals = append(intervals, fmt.Sprintf(`"%02d:%02d-%02d:%02d"`, from/60, from%60, to/60, to%60))
			clock = to + 1
		}
		hours = append(hours, fmt.Sprintf("%s: [%s]", name, strings.Join(intervals, ", ")))
	}
	for _, offset := range rapid.SliceOfN(rapid.IntRange(-4, 9), 0, 4).Draw(rt, "holidays") {
		date := base.AddDate(0, 0, offset).Format(time.DateOnly)
		m.holidays[date] = true
		holidays = append(holidays, date)
	}
	return m, "{" + strings.Join(hours, ", ") + "}", "[" + strings.Join(holidays, ", ") + "]"
}

func BenchmarkAddHalfAYearOfOpenTime(b *testing.B) {
	c := calendar(b, "Europe/Berlin", `{mon-fri: ["09:00-18:00"]}`, "[]")
	for b.Loop() {
		c.Add(noon, order.Span{Unit: order.OpenTime, Amount: 1170 * time.Hour})
	}
}
