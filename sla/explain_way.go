package sla

import (
	"strconv"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// way is what the taps saw of a hand-off's message.
type way struct {
	published *fact // nil: no message was seen
	copies    int
	dead      *fact        // the message at the dead-letter exchange
	silent    *SourceState // the tap, where it proves that there was no message
	exchange  string
	depth     *order.QueueDepth // nil: nobody watches the queue
	depthAt   time.Time
	depthBy   *SourceState
}

func (q *inquiry) findWay() way {
	via := &q.stage.Via
	w := way{exchange: via.Exchange}
	w.published, w.copies = q.order.published(q.visit, via)
	if w.published != nil {
		w.dead = q.order.deadLettered(w.published, via)
	} else {
		w.silent = q.silentTap()
	}
	for _, s := range q.engine.sources {
		for i := range s.Queues {
			if s.Queues[i].Queue == via.Queue && s.QueuesAt.After(w.depthAt) {
				w.depth, w.depthAt, w.depthBy = &s.Queues[i], s.QueuesAt, s
			}
		}
	}
	return w
}

// evidence says what was seen of the message and what was not, and what stands in the queue. Where no
// tap watches the way, the receiver's proven silence is all there is.
func (w *way) evidence() []Evidence {
	var evidence []Evidence
	switch {
	case w.published != nil:
		m := w.published.note.message
		evidence = append(evidence, w.published.seen(EvidencePublished, map[string]string{"exchange": m.Destination, "routing_key": m.RoutingKey, "message": m.ID}))
	case w.silent != nil:
		evidence = append(evidence, Evidence{Code: EvidenceNotPublished, At: nano(w.silent.Watermark), Source: w.silent.Name, Seq: w.silent.Through,
			Args: map[string]string{"exchange": w.exchange}})
	}
	if w.depth != nil {
		evidence = append(evidence,
			Evidence{Code: EvidenceQueueDepth, At: w.depthAt.UnixNano(), Source: w.depthBy.Name, Args: map[string]string{
				"queue": w.depth.Queue, "messages": strconv.FormatInt(w.depth.Messages, 10), "consumers": strconv.FormatInt(w.depth.Consumers, 10)}},
			check("rabbitmqctl list_queues name messages consumers | grep "+w.depth.Queue))
	}
	return evidence
}

// silentTap returns the tap of the hand-off's exchange where every message through the deadline is
// here, so that one that is not was not published there.
func (q *inquiry) silentTap() *SourceState {
	tap := q.engine.sources[q.engine.known.taps[q.stage.Via.Exchange].source]
	entered, deadline := q.visit.entered.time(), q.visit.deadline.time()
	if tap == nil || tap.Watermark.Add(-tap.Offset).Before(deadline) || tap.firstGap(entered.Add(-tapSkew), deadline) != nil {
		return nil
	}
	return tap
}
