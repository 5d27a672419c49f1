package order

// Names of the OTLP log records that carry events, and of their attributes. Senders and the
// collector share these constants; docs/events.md describes them for other senders.
const (
	EventNameStatus    = "order.status"
	EventNameMessage   = "order.message"
	EventNameJob       = "order.job"
	EventNameWatermark = "source.watermark"
	EventNameGap       = "source.gap"

	eventNameLink   = "order.link" // never sent
	eventNameUnlink = "order.unlink"

	AttrServiceName = "service.name"                // resource
	AttrEnvironment = "deployment.environment.name" // resource

	AttrSource   = "order.source"       // string
	AttrEpoch    = "order.source_epoch" // int
	AttrSeq      = "order.source_seq"   // int
	AttrEventID  = "order.event_id"     // string
	AttrSystem   = "order.system"       // string
	AttrStatus   = "order.status"       // string
	AttrInferred = "order.inferred"     // bool

	PrefixKey  = "order.key."  // string
	PrefixAttr = "order.attr." // string, int, double or bool; read as text

	AttrDestination = "messaging.destination.name"
	AttrRoutingKey  = "messaging.rabbitmq.destination.routing_key"
	AttrOperation   = "messaging.operation.type"
	AttrMessageID   = "messaging.message.id"

	// Of source.watermark; the record's Time is T.
	AttrThrough     = "order.watermark.through"         // int: N
	AttrClockOffset = "order.watermark.clock_offset_ns" // int
	AttrApproximate = "order.watermark.approximate"     // bool
	PrefixDepth     = "order.queue.depth."              // int, by queue
	PrefixConsumers = "order.queue.consumers."          // int, by queue

	// Of source.gap.
	AttrGapFrom     = "order.gap.from_unix_nano" // int
	AttrGapTo       = "order.gap.to_unix_nano"   // int
	AttrGapReason   = "order.gap.reason"         // string
	AttrGapRepaired = "order.gap.repaired"       // bool
)

// MaxEventBytes bounds one encoded event; larger ones are rejected singly.
const MaxEventBytes = 64 << 10

// MaxTextBytes bounds each text that is indexed: key names and values, event ids, and the names of
// sources, services, environments, systems and statuses. Events with longer ones, like those with
// a NUL or broken UTF-8 in any text, cannot be stored and are rejected singly.
const MaxTextBytes = 1024

// EventName returns the wire name of a kind, "" for an unknown one. Kinds that are never sent have a
// name too, for who reads the journal.
func (k Kind) EventName() string {
	switch k {
	case KindStatus:
		return EventNameStatus
	case KindMessage:
		return EventNameMessage
	case KindJob:
		return EventNameJob
	case KindWatermark:
		return EventNameWatermark
	case KindGap:
		return EventNameGap
	case KindLink:
		return eventNameLink
	case KindUnlink:
		return eventNameUnlink
	}
	return ""
}

// KindOf returns the kind with that wire name, 0 for one that is unknown or never sent.
func KindOf(eventName string) Kind {
	for k := KindStatus; k <= KindGap; k++ {
		if k.EventName() == eventName {
			return k
		}
	}
	return 0
}
