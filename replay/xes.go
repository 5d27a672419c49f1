package replay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alexandrite/orderwatch/order"
)

// The standard keys of XES.
const (
	xesName       = "concept:name"
	xesTime       = "time:timestamp"
	xesTransition = "lifecycle:transition"
	xesComplete   = "complete"
)

// xes reads an event log in XES, a trace an order. It looks at traces and events and at the attributes that
// stand directly in them; everything else is passed over.
type xes struct {
	file   string
	m      *Mapping
	text   *markup
	words  *words
	values *values
	clock  clock
	wanted map[string]bool // transitions; nil: all
	traces []AttributeColumn
	events []AttributeColumn

	statusKey, timeKey, traceKey string
	charset                      *charset

	level   level
	inner   int // open elements inside the current trace, event or log that are none of these
	key     string
	attrs   []order.Attr // of the trace, not yet handed out
	current xesEvent
	queue   []result
	at      int
	log     bool // one was there
	done    error
}

type level uint8

const (
	outside level = iota
	inLog
	inTrace
	inEvent
)

// xesEvent is the event that is being read.
type xesEvent struct {
	row        int
	status     string
	transition string
	ns         int64
	timed      bool
	orphan     bool // outside a trace
	wrong      Reason
	detail     string
	attrs      []order.Attr
}

// maxQueued bounds the events of one trace that wait for the trace's end.
const maxQueued = 1 << 16

// NewXES returns the Reader of an XES event log after a mapping of layout xes, or long with XES keys as its
// columns. A status is the event's name, or name/transition where its lifecycle transition is another than
// complete. dues is as for NewCSV, file serves the messages only.
func NewXES(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	if m.Layout != LayoutXES && m.Layout != LayoutLong {
		return nil, fmt.Errorf("%s is XES: the mapping's layout must be %s", file, LayoutXES)
	}
	x := &xes{
		file: file, m: m, text: newMarkup(r), words: newWords(),
		clock: clock{append([]string{"2006-01-02T15:04:05"}, m.TimeLayouts...), m.Timezone},
	}
	x.values = newValues(&x.clock, dues)
	x.statusKey, x.timeKey = cmp.Or(m.StatusColumn, xesName), cmp.Or(m.TimeColumn, xesTime)
	x.traceKey = cmp.Or(strings.TrimPrefix(m.Key.Column, "case:"), xesName)
	if len(m.Lifecycle) > 0 {
		x.wanted = map[string]bool{}
		for _, t := range m.Lifecycle {
			x.wanted[t] = true
		}
	}
	for _, a := range m.Attributes {
		if name, ok := strings.CutPrefix(a.Column, "case:"); ok && m.Layout == LayoutLong {
			a.Column, a.Scope = name, ScopeTrace
		}
		if a.Scope == ScopeTrace {
			x.traces = append(x.traces, a)
		} else {
			x.events = append(x.events, a)
		}
	}
	return x, nil
}

func (x *xes) Next() (Event, error) {
	for x.at == len(x.queue) {
		if x.done != nil {
			return Event{}, x.done
		}
		x.queue, x.at = x.queue[:0], 0
		x.read()
	}
	next := &x.queue[x.at]
	x.at++
	if next.err != nil {
		return Event{}, next.err
	}
	return next.event, nil
}

// read queues what the next trace holds.
func (x *xes) read() {
	for {
		switch err := x.text.next(); {
		case err == nil:
			if x.tag() {
				return
			}
		case errors.Is(err, errMarkup):
			x.broken()
		default:
			x.end(err)
			return
		}
	}
}

// tag takes in the current tag and reports whether the queue is to be handed out.
func (x *xes) tag() bool {
	t := x.text
	switch name := string(t.name); {
	case name == "event":
		x.finishEvent(!t.end)
		if !t.end {
			x.beginEvent()
			if t.empty {
				x.finishEvent(false)
			}
		}
		if len(x.queue) < maxQueued || x.key == "" || x.level == inEvent {
			return false
		}
		x.handOut()
		return true
	case name == "trace":
		x.finishEvent(true)
		if x.level == inTrace {
			x.finishTrace()
		}
		if !t.end && !t.empty {
			x.level, x.inner = inTrace, 0
		}
		return len(x.queue) > 0
	case t.end:
		x.close(name)
	case name == "log" && x.level == outside:
		x.log = true
		if !t.empty {
			x.level = inLog
		}
	case x.inner == 0 && t.key != nil && x.level == inEvent:
		x.eventAttribute()
		x.open()
	case x.inner == 0 && t.key != nil && x.level == inTrace:
		x.traceAttribute()
		x.open()
	default:
		x.open()
	}
	return false
}

func (x *xes) open() {
	if !x.text.empty {
		x.inner++
	}
}

func (x *xes) close(name string) {
	switch {
	case name == "log" && x.inner == 0:
		x.finishEvent(true)
		if x.level == inTrace {
			x.finishTrace()
		}
		x.level = outside
	case x.inner > 0:
		x.inner--
	}
}

func (x *xes) beginEvent() {
	x.current = xesEvent{row: x.text.line(), orphan: x.level != inTrace}
	x.level, x.inner = inEvent, 0
}

// finishEvent queues the event that is open, if one is. One that is cut by something else than its end is broken.
func (x *xes) finishEvent(cut bool) {
	if x.level != inEvent {
		return
	}
	e := &x.current
	x.level, x.inner = inTrace, 0
	if e.orphan {
		x.level = inLog
	}
	if cut && e.wrong == "" {
		e.wrong, e.detail = ReasonMarkup, "the event has no end"
	}
	switch {
	case e.wrong != "":
	case e.orphan:
		e.wrong, e.detail = ReasonKey, "an event outside a trace"
	case e.status == "":
		e.wrong = ReasonStatus
	case !e.timed:
		e.wrong, e.detail = ReasonTime, "it has none"
	case x.wanted != nil && !x.wanted[e.transitionName()]:
		e.wrong, e.detail = ReasonLifecycle, e.transition
	}
	if e.wrong != "" {
		x.reject(e.row, e.wrong, e.detail)
		return
	}
	x.queue = append(x.queue, result{event: Event{
		Key: x.key, Status: x.status(), Time: unixNano(e.ns), Attrs: e.attrs, Row: e.row,
	}})
}

func (e *xesEvent) transitionName() string {
	if e.transition == "" {
		return xesComplete
	}
	return e.transition
}

// status names what happened: an activity's completion by the activity alone.
func (x *xes) status() string {
	e := &x.current
	if e.transitionName() == xesComplete {
		return e.status
	}
	return x.words.join(e.status, e.transition)
}

// finishTrace gives the queued events what their trace says.
func (x *xes) finishTrace() {
	x.handOut()
	x.level, x.inner, x.key = inLog, 0, ""
}

func (x *xes) handOut() {
	for i := range x.queue {
		r := &x.queue[i]
		switch {
		case r.err != nil:
		case x.key == "":
			r.err = &Rejection{File: x.file, Row: r.event.Row, Reason: ReasonKey, Detail: "the trace has no name"}
		default:
			r.event.Key = x.key
		}
	}
	if first := earliest(x.queue); first != nil && x.attrs != nil {
		first.Attrs = append(x.attrs, first.Attrs...)
	}
	x.attrs = nil
}

func (x *xes) reject(row int, reason Reason, detail string) {
	x.queue = append(x.queue, result{err: &Rejection{File: x.file, Row: row, Reason: reason, Detail: detail}})
}

// broken notes a tag that cannot be read: it loses the event it is in.
func (x *xes) broken() {
	detail := "near " + quote(x.text.shown)
	if x.level == inEvent {
		if x.current.wrong == "" {
			x.current.wrong, x.current.detail = ReasonMarkup, detail
		}
		return
	}
	x.reject(x.text.line(), ReasonMarkup, detail)
}

// end ends the reading: what is whole of the last trace stays.
func (x *xes) end(err error) {
	cut := !errors.Is(err, io.EOF) || x.level != outside
	if x.level == inEvent { // no event of its own: the file's end says it all
		x.level = inTrace
	}
	if x.level == inTrace {
		x.finishTrace()
	}
	x.done = io.EOF
	if !x.log {
		x.reject(1, ReasonMarkup, "the file has no log in it")
	}
	if cut {
		if errors.Is(err, io.EOF) {
			err = errors.New("the log has no end")
		}
		x.reject(x.text.line(), ReasonCut, err.Error())
	}
}
