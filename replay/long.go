package replay

// long reads a row an event.
func (t *table) long(column func(string) int) func() {
	status, at := column(t.mapping.StatusColumn), column(t.mapping.TimeColumn)
	return func() {
		fields := t.rows.cells()
		if len(fields[status]) == 0 {
			t.reject(ReasonStatus, "")
			return
		}
		when, ok := t.clock.parse(string(fields[at]))
		if !ok {
			t.rejectTime(t.mapping.TimeColumn, string(fields[at]))
			return
		}
		t.emit(Event{Status: t.words.word(fields[status]), Time: when, Attrs: t.attributes()})
		t.emitStates()
	}
}
