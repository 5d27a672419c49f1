package order

import "time"

// Kind says what sort of fact an Event is. The wire names are DESIGN's OTLP EventNames.
type Kind uint8

// The kinds of event. The zero Kind is invalid.
const (
	KindStatus    Kind = iota + 1 // an order reached a status
	KindMessage                   // a message about an order was seen on a broker
	KindJob                       // a job for an order started or ended
	KindWatermark                 // everything through (N, T) of a source has been sent
	KindGap                       // a source knows that it may have missed something

	// These are only in orderwatch's own journal: a sender cannot say them.
	KindLink   // a person said that two orders are one
	KindUnlink // a person undid a link
)

// SourceSelf is the source of the records that orderwatch writes into its journal itself.
const SourceSelf = "orderwatch"

// Key is one name an order goes by: {shop 1042}. Names are declared by the flow's `keys`.
type Key struct{ Name, Value string }

// Attr is one allow-listed attribute of an order: channel, partner, polygons, a due instant.
// Values travel as text; whoever uses one as a number or an instant parses it.
type Attr struct{ Name, Value string }

// Position is an event's place in its source's stream.
// Seq is contiguous from 1 within an Epoch; an Epoch is one incarnation of the stream's memory
// and grows from incarnation to incarnation. A zero Seq means a sender without sequence.
type Position struct {
	Source string
	Epoch  int64
	Seq    uint64
}

// Event is one fact about one order, seen by one source, or (watermark, gap) a statement of a
// source about itself. It is the decoded form of one OTLP log record.
type Event struct {
	Kind        Kind
	Time        time.Time // when it happened, by the watched system's clock; never rewritten
	Observed    time.Time // when the sidecar saw it, by the sidecar's clock
	Service     string    // resource service.name
	Environment string    // resource deployment.environment.name: dev, release or prod
	Position
	ID       string // order.event_id of a sender without sequence
	System   string // who says it: shop, crm, mes
	Status   string // what it says; for a job its state; for a message empty or the status it announces
	Keys     []Key
	Attrs    []Attr
	Inferred bool // synthesised after a gap or from a poll

	Message   Message   // KindMessage
	Watermark Watermark // KindWatermark
	Gap       Gap       // KindGap
}

// Message describes an `order.message` event.
type Message struct {
	Destination string // exchange or queue
	RoutingKey  string
	Operation   string // messaging.operation.type: "send", "receive", "settle"
	ID          string // messaging.message.id
}

// Watermark says: every event of the source with Time ≤ the watermark's Event.Time was sent with a sequence ≤ Through.
type Watermark struct {
	Through     uint64
	ClockOffset time.Duration // the watched system's clock less the sidecar's reference clock
	Approximate bool          // from a poll: verdicts resting on it make tickets, never pages
	Queues      []QueueDepth  // what the source saw standing in queues at that time, if it watches queues
}

// QueueDepth is the number of messages ready and unacknowledged in one queue.
type QueueDepth struct {
	Queue     string
	Messages  int64
	Consumers int64
}

// Gap says that facts between From and To (the watched system's clock) may be missing.
// Repaired means that a snapshot sent after it, in the same epoch, stands in for what was missed.
type Gap struct {
	From, To time.Time
	Reason   string
	Repaired bool
}

// Attr returns the value of the named attribute and whether the event has it.
func (e *Event) Attr(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// Key returns the value of the named key and whether the event has it.
func (e *Event) Key(name string) (string, bool) {
	for _, k := range e.Keys {
		if k.Name == name {
			return k.Value, true
		}
	}
	return "", false
}
