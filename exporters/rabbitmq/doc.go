// Package rabbitmq reads messages about orders from RabbitMQ 3.10 and later, and the depth of its
// queues, without changing anything of the application's.
//
// # The tap
//
// For each tapped exchange it owns a queue beside the application's, orderwatch.tap.SOURCE.EXCHANGE,
// bound with the keys that the application's queue is bound with: with "#" a message that reaches
// none of the application's queues would look routed. The tap is non-durable and bounded in
// messages, bytes and time; when it is full the broker drops its oldest messages, never refuses a
// publisher's. Without a reader it vanishes after its ttl. Its dead-letter exchange is our own, so
// that a catch-all policy cannot send what it drops to the application's dead letters.
//
// Messages are acknowledged after the stream has made them durable, at most 1000 a tap are
// outstanding. Automatic acknowledgement would cost the broker less, but a connection that breaks
// takes along what is on its way, and a spool that is full could not hold the broker back: what
// is on its way would pile up here without a bound. What is delivered again after a reconnect or
// a restart and was appended before is recognised and left out.
//
// Only what the mapping allows leaves the sidecar. A message that names no order is counted with
// the reason and is no event.
//
// # Watermarks
//
// A watermark (N, T) says that every message which the broker routed to a tap before T, our clock,
// has been appended with a sequence ≤ N or lies inside a gap recorded before. The proof is two
// markers, which go through an exchange of our own to queues of our own and nowhere else:
//
//  1. T is read. Then a marker is published to each tap. A queue is first in, first out, and a
//     message requeued by a broken connection goes back to its old place. So when the marker
//     comes back, every message that the tap's queue took before T has been delivered before it,
//     unless the broker dropped it (x-max-length, x-max-length-bytes, ttl, a policy's limits).
//  2. What a tap drops it dead-letters to orderwatch.dropped.SOURCE, at the moment of dropping and
//     thus before the marker behind it left the tap. A second marker, published to that queue when
//     all first ones are back, comes behind all such messages. Any that came since the last
//     watermark makes a gap that begins at the last watermark.
//
// A tap over 80 % full at the inspection that comes with each watermark makes a gap also.
//
// A publisher's confirm is sent after every queue has taken the message, the tap included: all
// that was confirmed before T is within N. Not proven is what at T was on the way from a publisher
// to the queues, unconfirmed. Such a message is appended later with its receipt as Time, or with
// its own timestamp where that is later than the last watermark: no event has a Time at or before
// a watermark that was given earlier, so the statement holds without a margin. The second step
// relies on one broker process's message to another arriving before what the first causes
// elsewhere, which is so within a node; our queues are all declared through one connection, hence
// on one node.
//
// The shorter way, a passive declare that answers 0 ready messages, proves nothing: the broker
// answers it before deliveries that it has already handed to the channel, and before messages
// that stand in the queue's mailbox (rabbit_channel waits for the answer selectively, and
// rabbit_amqqueue_process gives "stat" priority 7).
//
// # Gaps
//
// A session is one consuming connection, and one that publishes the markers since a broker short
// of memory stops reading from publishers. When either closes, or a consumer is cancelled, all is
// torn down and built anew after a jittered pause. If the tap is still there, so are its messages:
// no gap, unless some were dropped meanwhile, which the next round finds. If it is gone (a
// restarted broker, an absence longer than the ttl) the gap reaches from the last proven T to the
// moment it is bound again. Gaps are never repaired: such messages cannot be had again.
//
// A missing exchange is waited for, never created; a gap spans the time between its creation and
// the tap's binding. Not noticed are: an exchange deleted and created again within one watermark
// interval or while the sidecar is away (its bindings are restored within 10 s), a tap emptied or
// unbound by hand. A key that the application binds anew is mirrored within 30 s, with a gap.
//
// A Source's Run is for one goroutine at a time; Preflight may be called at any time.
package rabbitmq
