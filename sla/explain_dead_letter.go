package sla

// deadLettered: the broker gave the message up and moved it aside. It says where.
func deadLettered(q *inquiry) (Cause, []Evidence) {
	dead := q.way.dead
	if dead == nil {
		return "", nil
	}
	m := dead.note.message
	return CauseLostInHandoff, []Evidence{
		dead.seen(EvidenceDeadLettered, map[string]string{"exchange": m.Destination, "routing_key": m.RoutingKey, "message": m.ID}),
		check("rabbitmqctl list_bindings source_name destination_name | grep " + m.Destination),
	}
}
