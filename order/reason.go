package order

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says why an event is rejected, as the value of a metric label. It is an error, wrapped
// by what Validate and CheckKeys return; ReasonOf finds it.
type Reason string

// The reasons. The first are found by Validate, ReasonUnknownKey by CheckKeys; the others are for whoever decodes events or
// knows when they came.
const (
	ReasonUnknownKind      Reason = "unknown_kind"      // not one of the event names
	ReasonWrongEnvironment Reason = "wrong_environment" // of another environment than this instance's
	ReasonNoStatus         Reason = "no_status"         // no system, or no status where one is needed
	ReasonNoKey            Reason = "no_key"            // belongs to no order
	ReasonBadKey           Reason = "bad_key"           // a key without name or value, or given twice
	ReasonNoSequence       Reason = "no_sequence"       // no source, or neither sequence nor event id
	ReasonReservedSource   Reason = "reserved_source"   // the name is orderwatch's own
	ReasonBadTime          Reason = "bad_time"          // none, before 1970 or after 2261
	ReasonBadWatermark     Reason = "bad_watermark"     // claims what cannot have been sent
	ReasonBadGap           Reason = "bad_gap"           // ends before it starts
	ReasonBadEncoding      Reason = "bad_encoding"      // not UTF-8, or not printable
	ReasonTooLarge         Reason = "too_large"         // a text or the event as a whole

	ReasonUnknownKey    Reason = "unknown_key"     // a key name that the flow does not declare
	ReasonFromTheFuture Reason = "from_the_future" // later than its receipt allows
)

// Error returns the reason in words.
func (r Reason) Error() string { return strings.ReplaceAll(string(r), "_", " ") }

// ReasonOf returns the reason that err wraps, "" for none.
func ReasonOf(err error) Reason {
	var r Reason
	errors.As(err, &r)
	return r
}

func (r Reason) because(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{r}, args...)...)
}
