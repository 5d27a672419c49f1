package row

import (
	"database/sql"
	"math"
	"time"
)

// The instants that Unix nanoseconds can name, years 1678 to 2262. Others are clamped to these:
// no clock of an order shows them, but a deadline of 300 years can be written in a flow.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// Nanos returns Unix nanoseconds, or nil (NULL) of the zero time.
func Nanos(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return clamped(t)
}

func clamped(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// due is a deadline to sort by: none is later than any.
func due(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return clamped(t)
}

// Time is the inverse of Nanos, in UTC.
func Time(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
