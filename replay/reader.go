package replay

import (
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Reader hands out the events of one file in reading order. Next returns io.EOF at the end and a
// *Rejection for what it could not use, after which reading goes on; any other error is final.
type Reader interface {
	Next() (Event, error)
}

// Event is one event as a file has it, before it is sorted.
type Event struct {
	Key    string // the order's name, of the mapping's key
	Status string
	Time   time.Time
	Last   bool         // no time of its own: it follows the order's last event
	Attrs  []order.Attr // immutable
	Row    int          // line of the file on which its row starts, from 1
}

// Reason says why a row, an event or a value was not used.
type Reason string

// The reasons of a Rejection.
const (
	ReasonFields   Reason = "wrong number of fields"
	ReasonQuotes   Reason = "unbalanced quotes"
	ReasonTooLong  Reason = "row too long"
	ReasonEncoding Reason = "not UTF-8"
	ReasonKey      Reason = "empty key"
	ReasonStatus   Reason = "empty status"
	ReasonTime     Reason = "unreadable time"
	ReasonNoEvent  Reason = "no event in the row"
	ReasonNoTime   Reason = "a state of an order without events"
	ReasonMarkup   Reason = "broken XML"
	ReasonJSON     Reason = "broken JSON"

	// These lose an attribute, not its event.
	ReasonDue       Reason = "unreadable due time"
	ReasonAttribute Reason = "unreadable attribute"

	// These are events that the mapping leaves out on purpose: counted, not listed.
	ReasonLifecycle Reason = "a lifecycle transition that the mapping does not name"
	ReasonNoOrder   Reason = "about no order"

	// What was read before stays; what comes after is not known.
	ReasonCut Reason = "the file breaks off"
)

// Rejection is one thing in a file that could not be used. As an error of a Reader it is not final.
type Rejection struct {
	File   string
	Row    int // line of the file on which the row starts, from 1
	Reason Reason
	Detail string
}

func (r *Rejection) Error() string {
	text := fmt.Sprintf("%s:%d: %s", r.File, r.Row, r.Reason)
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

// event reports whether the rejection lost an event that was to be used.
func (r *Rejection) event() bool {
	switch r.Reason {
	case ReasonDue, ReasonAttribute, ReasonCut:
		return false
	default:
		return !r.leftOut()
	}
}

// leftOut reports whether the mapping does not want the event.
func (r *Rejection) leftOut() bool { return r.Reason == ReasonLifecycle || r.Reason == ReasonNoOrder }
