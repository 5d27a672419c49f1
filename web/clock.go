package web

import (
	"strings"
	"time"
)

// clock writes instants and spans for one request: in its language, the flow's zone, at its now.
type clock struct {
	*locale
	zone *time.Location
	now  time.Time
}

// instant is a time as pages show it.
type instant struct {
	Machine string // RFC 3339 UTC, for <time datetime>
	Full    string // UTC to the millisecond, on hover
	Text    string // in the flow's zone
	Age     string // "3 h ago", "in 5 min"
}

// At returns how t is shown, nil for the zero time.
func (c clock) At(t time.Time) *instant {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &instant{
		Machine: utc.Format(time.RFC3339Nano),
		Full:    utc.Format("2006-01-02 15:04:05.000") + " UTC",
		Text:    c.Stamp(t),
		Age:     c.Age(t),
	}
}

// Precise is At with seconds and milliseconds in the text, for events.
func (c clock) Precise(t time.Time) *instant {
	at := c.At(t)
	if at != nil {
		at.Text = c.day(t) + t.In(c.zone).Format(" 15:04:05.000")
	}
	return at
}

// Stamp writes day and minute in the flow's zone; the year only where it is not now's.
func (c clock) Stamp(t time.Time) string { return c.day(t) + t.In(c.zone).Format(" 15:04") }

func (c clock) day(t time.Time) string {
	t = t.In(c.zone)
	months := strings.Fields(c.T("time.months"))
	day := t.Format("2") + " " + months[t.Month()-1]
	if t.Year() != c.now.In(c.zone).Year() {
		day += t.Format(" 2006")
	}
	return day
}

// Age writes how far t is from now.
func (c clock) Age(t time.Time) string {
	d := c.now.Sub(t)
	switch {
	case d >= time.Second:
		return c.T("time.ago", "span", c.Span(d))
	case d <= -time.Second:
		return c.T("time.in", "span", c.Span(-d))
	}
	return c.T("time.now")
}

// Since writes the span from t to now, "" for the zero time.
func (c clock) Since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return c.Span(c.now.Sub(t))
}

var spanUnits = []struct {
	size time.Duration
	key  string
}{{24 * time.Hour, "time.day"}, {time.Hour, "time.hour"}, {time.Minute, "time.minute"}, {time.Second, "time.second"}}

// Span writes a duration with its two largest units: "3 d 4 h". Past ten days the hours are noise.
func (l *locale) Span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	if d < time.Second {
		return l.T("time.millisecond", "n", int(d.Milliseconds()))
	}
	for i, u := range spanUnits {
		if d < u.size {
			continue
		}
		out := l.T(u.key, "n", int(d/u.size))
		if d >= 10*24*time.Hour || i+1 == len(spanUnits) {
			return out
		}
		next := spanUnits[i+1]
		if rest := int(d % u.size / next.size); rest > 0 {
			out += " " + l.T(next.key, "n", rest)
		}
		return out
	}
	return ""
}
