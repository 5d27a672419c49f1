package replay

import (
	"math"
	"strconv"
	"time"
)

// clock reads times as a file writes them.
type clock struct {
	layouts []string
	zone    *time.Location
}

// The years whose instants fit into 64 bits of nanoseconds. Placeholders such as 0001-01-01 and 9999-12-31 do not.
const firstYear, lastYear = 1678, 2261

// epochUnits are the layouts of times that are counts since 1970.
var epochUnits = map[string]time.Duration{"unix": time.Second, "unix_ms": time.Millisecond, "unix_us": time.Microsecond}

// parse reads a time: the first layout that fits wins. A local time that a change of clocks skips
// or repeats is read as Go's time.Date does.
func (c *clock) parse(text string) (time.Time, bool) {
	for _, layout := range c.layouts {
		if unit := epochUnits[layout]; unit != 0 {
			n, err := strconv.ParseInt(text, 10, 64)
			if err == nil && n >= math.MinInt64/int64(unit) && n <= math.MaxInt64/int64(unit) {
				return unixNano(n * int64(unit)), true
			}
			continue
		}
		t, err := time.ParseInLocation(layout, text, c.zone)
		if err == nil {
			t = t.UTC()
			return t, t.Year() >= firstYear && t.Year() <= lastYear
		}
	}
	return time.Time{}, false
}

// instant reads a time in Unix nanoseconds: as ISO 8601 has it, as most files write it, or by the layouts.
func (c *clock) instant(text []byte) (int64, bool) {
	if ns, ok := c.iso(text); ok {
		return ns, true
	}
	t, ok := c.parse(string(text))
	if !ok {
		return 0, false
	}
	return t.UnixNano(), true
}

// iso reads 2006-01-02T15:04:05, with an optional fraction and with Z or an offset. It refuses whatever
// else there is, and leaves it to the layouts.
func (c *clock) iso(b []byte) (int64, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(b[:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	ns, rest := fraction(b[19:])
	offset, ok7 := zoneOffset(rest)
	whole := ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7
	if !whole || year < firstYear || year > lastYear ||
		month < 1 || month > 12 || day < 1 || day > monthDays(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	seconds := civilDays(year, month, day)*86_400 + hour*3_600 + minute*60 + second - offset
	return seconds*1e9 + ns, true
}

func digits(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// fraction reads .123 as nanoseconds and returns what follows; digits past the ninth are dropped.
func fraction(b []byte) (ns int64, rest []byte) {
	if len(b) < 2 || b[0] != '.' || b[1] < '0' || b[1] > '9' {
		return 0, b
	}
	scale := int64(1e8)
	for b = b[1:]; len(b) > 0 && b[0] >= '0' && b[0] <= '9'; b = b[1:] {
		ns += int64(b[0]-'0') * scale
		scale /= 10
	}
	return ns, b
}

// zoneOffset reads Z, +03:00 or +0300 as seconds east of UTC.
func zoneOffset(b []byte) (int64, bool) {
	switch {
	case len(b) == 1 && b[0] == 'Z':
		return 0, true
	case len(b) == 6 && b[3] == ':':
		b = []byte{b[0], b[1], b[2], b[4], b[5]}
	case len(b) != 5:
		return 0, false
	}
	hours, ok1 := digits(b[1:3])
	minutes, ok2 := digits(b[3:5])
	if !ok1 || !ok2 || hours > 24 || minutes > 59 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	offset := hours*3_600 + minutes*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func monthDays(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// civilDays counts the days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant,
// "chrono-compatible low-level date algorithms", days_from_civil), for years from 0 on.
func civilDays(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146_097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719_468
}

func unixNano(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// dated reports whether a layout tells year, month and day.
func dated(layout string) bool {
	if epochUnits[layout] != 0 {
		return true
	}
	probe := time.Date(2021, time.November, 23, 10, 11, 12, 0, time.UTC)
	t, err := time.ParseInLocation(layout, probe.Format(layout), time.UTC)
	return err == nil && t.Year() == 2021 && t.YearDay() == probe.YearDay()
}

// stamp writes a time as RFC 3339 in UTC, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
