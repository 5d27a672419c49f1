// Package order owns what an order is to orderwatch: events, the keys orders go by, the flow file
// and calendars. It is pure: no I/O, no clock, no goroutine. Its values are immutable after
// construction and safe for concurrent use.
package order
