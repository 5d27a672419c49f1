package order

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is the unit of a Span.
type Unit uint8

// The units of a Span. The zero Unit belongs to the zero Span: none given.
const (
	OpenTime    Unit = iota + 1 // s, m, h: open time in a calendar
	Elapsed                     // d: 24 h elapsed each, whatever the calendar
	WorkingDays                 // wd: n open dates at the same wall clock
)

// Day is the length of one `d`.
const Day = 24 * time.Hour

// maxSpanDays bounds a span to ten years, so that no calendar walk is long and no sum overflows.
const maxSpanDays = 3650

// Span is a duration of a flow file: an amount of open time, of elapsed days or of working days.
type Span struct {
	Unit   Unit
	Amount time.Duration // OpenTime and Elapsed
	Days   int           // WorkingDays
}

// IsZero reports whether no span was given.
func (s Span) IsZero() bool { return s == Span{} }

// String writes the span as a flow file does: 1h30m, 3d, 2wd; the zero span is "".
func (s Span) String() string {
	switch {
	case s.IsZero():
		return ""
	case s.Unit == WorkingDays:
		return strconv.Itoa(s.Days) + "wd"
	case s.Unit == Elapsed && s.Amount%Day == 0:
		return strconv.FormatInt(int64(s.Amount/Day), 10) + "d"
	case s.Amount%time.Second != 0:
		return s.Amount.String() // no flow file holds one; a computed span may
	}
	var b strings.Builder
	rest := s.Amount
	for _, u := range openUnits {
		if n := rest / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.length
		}
	}
	return b.String()
}

var openUnits = []struct {
	name   string
	length time.Duration
}{{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// ParseSpan reads a duration of a flow file: seconds, minutes and hours (`90s`, `30m`, `1h30m`) are
// open time, `3d` is elapsed days, `2wd` working days. It must be positive and at most ten years.
func ParseSpan(text string) (Span, error) {
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		if _, err := ParseSpan(rest); err == nil {
			return Span{}, fmt.Errorf("%q is negative: a duration must be longer than zero", text)
		}
	}
	span, ok := scanSpan(text)
	switch {
	case !ok:
		return Span{}, fmt.Errorf("%q is not a duration: use 30m, 2h, 3d or 2wd", text)
	case span.Amount > maxSpanDays*Day || span.Days > maxSpanDays:
		return Span{}, fmt.Errorf("%q is too long: the longest duration is %dd", text, maxSpanDays)
	case span.Amount == 0 && span.Days == 0:
		return Span{}, fmt.Errorf("%q is zero: a duration must be longer than zero", text)
	}
	return span, nil
}

// scanSpan reads the notation alone; sums too large stay above maxSpanDays instead of overflowing.
func scanSpan(text string) (Span, bool) {
	n, unit, rest, ok := scanPart(text)
	if !ok {
		return Span{}, false
	}
	switch {
	case unit == "wd" && rest == "":
		return Span{Unit: WorkingDays, Days: int(n)}, true
	case unit == "d" && rest == "":
		return Span{Unit: Elapsed, Amount: time.Duration(n) * Day}, true
	}
	sum := time.Duration(0)
	for _, u := range openUnits {
		if unit != u.name {
			continue
		}
		sum = min(sum+time.Duration(min(n, int64(maxSpanDays*Day/u.length)+1))*u.length, 2*maxSpanDays*Day)
		if rest == "" {
			return Span{Unit: OpenTime, Amount: sum}, true
		}
		if n, unit, rest, ok = scanPart(rest); !ok {
			return Span{}, false
		}
	}
	return Span{}, false
}

// scanPart cuts the first number and its unit off; n is capped where a day count would be too long.
func scanPart(text string) (n int64, unit, rest string, ok bool) {
	const days = maxSpanDays + 1
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	tail := text[digits:]
	letters := len(tail) - len(strings.TrimLeft(tail, "smhdw"))
	if digits == 0 || letters == 0 {
		return 0, "", "", false
	}
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil {
		n = days * 24 * 60 * 60
	}
	unit, rest = tail[:letters], tail[letters:]
	if unit == "d" || unit == "wd" {
		n = min(n, days)
	}
	return n, unit, rest, true
}
