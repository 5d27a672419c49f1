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
			if text := t.rows.cells()[c]; len(text) > 0 {
				t.emitAt(t.mapping.Events[i].Column, t.mapping.Events[i].Status, string(text))
			}
		}
		t.emitStates()
		if len(t.queue) == start {
			t.reject(ReasonNoEvent, "")
			return
		}
		if first := earliest(t.queue[start:]); first != nil {
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
