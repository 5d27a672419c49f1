package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// maxEventRows bounds the events on a page; the API gives all.
const maxEventRows = 500

// eventLine is one event as the page of an order shows it.
type eventLine struct {
	Time, Received *instant
	Delay          string
	Corrected      *instant // where the source's clock is off
	Kind           string
	What           string
	Via            string
	Source         string
	Epoch          int64
	Seq            uint64
	ID             string
	Keys, Attrs    string
	Inferred       bool
}

// eventLines lists events by the time they happened; of too many, the latest.
func eventLines(c clock, records []sla.Record) (lines []eventLine, hidden int) {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b sla.Record) int {
		return a.Event.Time.Add(-a.Offset).Compare(b.Event.Time.Add(-b.Offset))
	})
	hidden = max(0, len(sorted)-maxEventRows)
	for i := range sorted[hidden:] {
		lines = append(lines, eventLineOf(c, &sorted[hidden+i]))
	}
	return lines, hidden
}

func eventLineOf(c clock, r *sla.Record) eventLine {
	e := &r.Event
	line := eventLine{
		Time: c.Precise(e.Time), Received: c.Precise(r.Received), Delay: c.signed(r.Received.Sub(e.Time.Add(-r.Offset))),
		Kind: c.T("event." + kindName(e.Kind)), Source: e.Source, Epoch: e.Epoch, Seq: e.Seq, ID: e.ID,
		Inferred: e.Inferred,
	}
	if r.Offset != 0 {
		line.Corrected = c.Precise(e.Time.Add(-r.Offset))
	}
	if e.Status != "" {
		line.What = order.Status{System: e.System, Name: e.Status}.String()
	}
	if m := e.Message; m.Destination != "" {
		line.Via = m.Destination + " · " + m.RoutingKey
		line.ID = cmp.Or(m.ID, line.ID)
	}
	line.Keys, line.Attrs = joinKeys(e.Keys), joinAttrs(e.Attrs)
	return line
}

// kindName is the wire name without its family: status, message, job.
func kindName(k order.Kind) string {
	_, name, _ := strings.Cut(k.EventName(), ".")
	return name
}

func joinKeys(keys []order.Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.Name + ":" + k.Value
	}
	return strings.Join(parts, ", ")
}

func joinAttrs(attrs []order.Attr) string {
	parts := make([]string, len(attrs))
	for i, a := range attrs {
		parts[i] = a.Name + "=" + a.Value
	}
	return strings.Join(parts, ", ")
}
