package replay

import "time"

// clock reads times as a file writes them.
type clock struct {
	layouts []string
	zone    *time.Location
}

// The years whose instants fit into 64 bits of nanoseconds. Placeholders such as 0001-01-01 and 9999-12-31 do not.
const firstYear, lastYear = 1678, 2261

// parse reads a time: the first layout that fits wins. A local time that a change of clocks skips
// or repeats is read as Go's time.Date does.
func (c *clock) parse(text string) (time.Time, bool) {
	for _, layout := range c.layouts {
		t, err := time.ParseInLocation(layout, text, c.zone)
		if err == nil {
			t = t.UTC()
			return t, t.Year() >= firstYear && t.Year() <= lastYear
		}
	}
	return time.Time{}, false
}

// dated reports whether a layout tells year, month and day.
func dated(layout string) bool {
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
