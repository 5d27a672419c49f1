package order

import "time"

// Unit is the unit of a Span.
type Unit uint8

// The units of a Span. The zero Unit belongs to the zero Span: none given.
const (
	OpenTime    Unit = iota + 1 // s, m, h: open time in a calendar
	Elapsed                     // d: 24 h elapsed each, whatever the calendar
	WorkingDays                 // wd: n open dates at the same wall clock
)

// Span is a duration of a flow file: an amount of open time, of elapsed days or of working days.
type Span struct {
	Unit   Unit
	Amount time.Duration // OpenTime and Elapsed
	Days   int           // WorkingDays
}

// IsZero reports whether no span was given.
func (s Span) IsZero() bool { return s == Span{} }
