package collector

import (
	"errors"

	"github.com/alexandrite/orderwatch/order"
)

// ErrUnavailable says that nothing is known to be durable: send the same events again later.
var ErrUnavailable = errors.New("collector: unavailable, send again later")

// Reasons for a rejection that depend on what was received before, or on the encoding. The others are order's.
const (
	ReasonStaleEpoch   order.Reason = "stale_epoch"   // the source began anew too often since
	ReasonBadAttribute order.Reason = "bad_attribute" // an attribute of the wrong type, or out of range
)

// Result is what became of an event.
type Result uint8

// The results.
const (
	Accepted  Result = iota + 1 // durable
	Duplicate                   // durable before
	Rejected                    // refused for good, see Reason
	Deferred                    // there is no room to remember it: send it again later
)

// Outcome is what became of one event.
type Outcome struct {
	Result Result
	Reason order.Reason // of a rejection
	Err    error        // the reason in words; wraps Reason
}

func rejected(err error) Outcome {
	return Outcome{Result: Rejected, Reason: order.ReasonOf(err), Err: err}
}

// label is the outcome as the value of a metric label.
func (o *Outcome) label() string {
	switch o.Result {
	case Accepted:
		return "accepted"
	case Duplicate:
		return "duplicate"
	case Rejected:
		return string(o.Reason)
	}
	return "deferred"
}
