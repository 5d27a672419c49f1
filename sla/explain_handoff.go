package sla

// stillQueued: the message was published and the queue is not empty.
func stillQueued(q *inquiry) (Cause, []Evidence) {
	if q.way.published != nil && q.way.depth != nil && q.way.depth.Messages > 0 {
		return CauseBacklog, nil
	}
	return "", nil
}

// notApplied: the message was published, the queue has been seen empty since with somebody reading
// from it, and the receiver's database is proven silent. Whoever consumed it did not apply it.
func notApplied(q *inquiry) (Cause, []Evidence) {
	w := &q.way
	if w.published == nil || w.depth == nil || w.depth.Messages > 0 || w.depth.Consumers == 0 ||
		!w.depthAt.Add(-w.depthBy.Offset).After(w.published.at.time()) {
		return "", nil
	}
	receiver := ""
	if leave := q.stage.Leave; len(leave) > 0 {
		receiver = leave[0].System
	}
	return CauseLostInHandoff, []Evidence{
		{Code: EvidenceNotApplied, At: w.depthAt.UnixNano(), Source: w.depthBy.Name,
			Args: map[string]string{"queue": w.depth.Queue, "message": w.published.note.message.ID, "system": receiver}},
		check("rabbitmqctl list_consumers queue_name channel_pid active | grep " + w.depth.Queue),
	}
}

// lostInHandoff: the receiver's proven silence is what remains. A commit without a message was not
// published, or the broker had no queue for it.
func lostInHandoff(q *inquiry) (Cause, []Evidence) {
	if q.way.silent != nil {
		return CauseLostInHandoff, []Evidence{check("rabbitmqctl list_bindings source_name routing_key destination_name | grep " + q.way.exchange)}
	}
	return CauseLostInHandoff, nil
}
