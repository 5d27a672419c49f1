package replay

// wide reads a row an order: every column of events that is not empty is one.
func (t *table) wide(column func(string) int) func() {
	columns := make([]int, len(t.mapping.Events))
	for i, e := range t.mapping.Events {
		columns[i] = column(e.Column)
	}
	return func() {
		attrs := t.attributes()
		start := len(t.queue)
		for i, c := range columns {
			if text := t.scan.fields[c]; len(text) > 0 {
				t.emitAt(t.mapping.Events[i].Column, t.mapping.Events[i].Status, string(text))
			}
		}
		t.emitStates()
		if len(t.queue) == start {
			t.reject(ReasonNoEvent, "")
			return
		}
		if first := t.earliest(start); first != nil {
			first.Attrs = attrs
		}
	}
}

// emitAt queues an event, or the rejection of its time.
func (t *table) emitAt(column, status, text string) {
	at, ok := t.clock.parse(text)
	if !ok {
		t.rejectTime(column, text)
		return
	}
	t.emit(Event{Status: status, Time: at})
}

// earliest returns the first event by time from start on in the queue, a state only if there is no other.
func (t *table) earliest(start int) *Event {
	var first *Event
	for i := start; i < len(t.queue); i++ {
		if t.queue[i].err != nil {
			continue
		}
		e := &t.queue[i].event
		if first == nil || !e.Last && (first.Last || e.Time.Before(first.Time)) {
			first = e
		}
	}
	return first
}
