package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// world is a company of the property tests: a flow, and everything its sources ever sent, in the
// order in which it happened.
type world struct {
	flow   *order.Flow
	text   string // of the flow
	sent   []sent
	merges bool // an order is first seen as two
	ends   bool // an order is finished or cancelled
	end    time.Time
}

// sent is one record of a source, or an event of a sender without sequence.
type sent struct {
	event  order.Event
	at     time.Time     // when it happened, by a perfect clock
	offset time.Duration // in force for it
	shift  bool          // a watermark that changes the offset
}

// chance is true once in n.
func chance(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == 1 }

func oneOf[T any](t *rapid.T, what string, list ...T) T { return rapid.SampledFrom(list).Draw(t, what) }

// drawFlow draws a small flow: a chain of serial stages, with hand-offs and parallel stages beside it.
func drawFlow(t *rapid.T) (string, []order.Status) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("version: 1\nflow: drawn\ntimezone: Europe/Moscow\nkeys: [shop, mes]")
	line("calendars:\n  office: {hours: {mon-fri: [\"09:00-13:00\", \"14:00-18:00\"]}, holidays: [\"2026-03-04\"]}")
	line("sources:\n  - {name: shop-db, reports: [shop/*, crm/*]}\n  - {name: mes-db, reports: [mes/*]}")
	if chance(t, 3, "second MES source") {
		line("  - {name: mes-jobs, reports: [mes/*]}")
	}
	if chance(t, 5, "sender is relied on") {
		line("  - {name: sender, reports: [crm/*]}")
	}
	within := func() string {
		span := oneOf(t, "within", "", "", "45s", "10m", "2h", "1d", "calendar: office, within: 4h", "calendar: office, within: 1wd")
		if span != "" && !strings.HasPrefix(span, "calendar") {
			span = "within: " + span
		}
		if span != "" && chance(t, 3, "override") {
			span += ", overrides: [{when: {channel: b2b}, within: 5m}]"
		}
		if span != "" {
			span = ", " + span
		}
		return span
	}
	n := rapid.IntRange(2, 5).Draw(t, "stages")
	var chain []order.Status
	for i := range n + 1 {
		chain = append(chain, order.Status{System: oneOf(t, "system", "shop", "mes", "crm"), Name: fmt.Sprintf("E%d", i)})
	}
	statuses := slices.Clone(chain)
	line("stages:")
	for i := range n {
		leave := chain[i+1].String()
		if chance(t, 4, "leave of its own") {
			own := order.Status{System: chain[i].System, Name: fmt.Sprintf("L%d", i)}
			statuses = append(statuses, own)
			leave = oneOf(t, "leaves", own.String(), own.String()+", "+leave)
		}
		kind := oneOf(t, "kind", "human", "queue", "compute", "production")
		line("  - {name: s%d, kind: %s, enter: [%s], leave: [%s]%s}", i, kind, chain[i], leave, within())
		to := chain[min(n, i+rapid.IntRange(1, 2).Draw(t, "reach"))]
		switch {
		case to.System != chain[i].System && chance(t, 2, "hand-off"):
			line("  - {name: h%d, kind: handoff, enter: [%s], leave: [%s]%s}", i, chain[i], to, within())
		case chance(t, 4, "parallel"):
			line("  - {name: p%d, kind: compute, parallel: true, enter: [%s], leave: [%s]%s}", i, chain[i], to, within())
		}
	}
	line("promises:")
	pause := ""
	if chance(t, 2, "pauses") {
		pause = fmt.Sprintf(", pause_in: [s%d, s%d]", rapid.IntRange(0, n-1).Draw(t, "pause"), n-1)
		pause = strings.Replace(pause, fmt.Sprintf("s%d, s%d", n-1, n-1), fmt.Sprintf("s%d", n-1), 1)
	}
	span := oneOf(t, "promised", "2h", "1d", "3d", "6h, calendar: office", "2wd, calendar: office", "2h, overrides: [{when: {channel: b2b}, within: 1d}]")
	line("  - {name: lead, start: [%s], stop: [%s], within: %s%s}", chain[0], chain[n], span, pause)
	line("  - {name: given, start: [%s, %s], stop: [%s], due: due%s}", chain[0], chain[1], chain[n], oneOf(t, "due at", "", ", due_at: end_of_day"))
	line("finish: [crm/CLOSED]\ncancel: [crm/CANCELLED]\nreopen: %s", oneOf(t, "reopen", "[]", "[crm/REOPENED]"))
	line("incidents: {group_by: [%s], min_orders: %d, close_after: %s}", oneOf(t, "group by", "stage", "channel", "stage, channel"),
		oneOf(t, "min orders", 1, 1, 2), oneOf(t, "close after", "30m", "1d"))
	for _, name := range []string{"crm/CLOSED", "crm/CANCELLED", "crm/REOPENED", "crm/OTHER", "mes/OTHER"} {
		status, _ := order.ParseStatus(name)
		statuses = append(statuses, status)
	}
	return b.String(), statuses
}

// drawWorld draws a flow, some orders' lives, and how the sources tell of them.
func drawWorld(t *rapid.T) *world {
	w := &world{}
	text, statuses := drawFlow(t)
	flow, err := order.ParseFlow("flow.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	w.flow, w.text = flow, text
	lives := map[string][]sent{}
	for i := range rapid.IntRange(1, 3).Draw(t, "orders") {
		w.drawLife(t, i, statuses, lives)
	}
	for _, source := range []string{"shop-db", "mes-db", "mes-jobs"} {
		w.tell(t, source, lives[source])
	}
	w.sent = append(w.sent, lives["sender"]...)
	slices.SortStableFunc(w.sent, func(a, b sent) int { return a.at.Compare(b.at) })
	w.end = w.end.Add(oneOf(t, "wait", time.Second, time.Hour, 5*order.Day))
	return w
}

// drawLife draws what happens to one order: mostly what the flow expects, in its order.
func (w *world) drawLife(t *rapid.T, number int, statuses []order.Status, lives map[string][]sent) {
	at := day0.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "begin")) * time.Minute)
	both := chance(t, 2, "linked from the start")
	next := 0
	for i := range rapid.IntRange(1, 9).Draw(t, "events") {
		status := statuses[min(next, len(statuses)-1)]
		if chance(t, 3, "unexpected") {
			status = oneOf(t, "status", statuses...)
		}
		next++
		e := order.Event{Kind: order.KindStatus, System: status.System, Status: status.Name, Inferred: chance(t, 8, "inferred")}
		w.name(t, &e, number, both)
		if chance(t, 4, "channel") {
			e.Attrs = append(e.Attrs, order.Attr{Name: "channel", Value: oneOf(t, "value", "b2b", "b2c")})
		}
		if chance(t, 3, "due") {
			due := at.Add(oneOf(t, "due in", -time.Hour, time.Minute, 3*time.Hour, 30*time.Hour)).Format(time.RFC3339)
			e.Attrs = append(e.Attrs, order.Attr{Name: "due", Value: oneOf(t, "due", due, due, due, "soon")})
		}
		source := map[string]string{"shop": "shop-db", "crm": "shop-db", "mes": "mes-db"}[status.System]
		switch {
		case chance(t, 6, "by the sender"):
			source, e.ID = "sender", fmt.Sprintf("%d-%d", number, i)
			e.Source, e.Time = source, at
		case source == "mes-db" && len(w.flow.Sources) > 2 && w.flow.Sources[2].Name == "mes-jobs" && chance(t, 2, "by the second source"):
			source, e.Kind = "mes-jobs", order.KindJob
		case chance(t, 10, "message"):
			e.Kind, e.Status = order.KindMessage, ""
		}
		w.ends = w.ends || status.Name == "CLOSED" || status.Name == "CANCELLED"
		lives[source] = append(lives[source], sent{event: e, at: at})
		w.end = later(w.end, at)
		at = at.Add(oneOf(t, "then", 0, time.Second, 2*time.Second, 3*time.Second, time.Minute, 10*time.Minute, time.Hour, 5*time.Hour, order.Day))
	}
}

// name gives an event the names that its system knows the order by.
func (w *world) name(t *rapid.T, e *order.Event, number int, both bool) {
	own, other := "shop", "mes"
	if e.System == "mes" {
		own, other = other, own
	}
	e.Keys = []order.Key{{Name: own, Value: fmt.Sprint(number)}}
	if both || chance(t, 3, "link") {
		e.Keys = append(e.Keys, order.Key{Name: other, Value: fmt.Sprint(number)})
	}
	w.merges = w.merges || !both
}

// tell draws how a source tells of its events: numbers, watermarks, gaps, incarnations, its clock.
// Watermarks fall between the seconds at which events happen, so that none vouches for an instant of doubt.
func (w *world) tell(t *rapid.T, source string, events []sent) {
	if !slices.ContainsFunc(w.flow.Sources, func(s order.FlowSource) bool { return s.Name == source }) {
		return
	}
	drifts := chance(t, 2, "clock drifts")
	last := w.end.Add(5 * order.Day)
	for range rapid.IntRange(0, 8).Draw(t, "marks of "+source) {
		after := time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "mark"))*time.Minute + 500*time.Millisecond
		if chance(t, 2, "soon") {
			after = time.Duration(rapid.IntRange(0, 3*60).Draw(t, "mark"))*time.Minute + 500*time.Millisecond
		}
		at := day0.Add(after)
		if at.Before(last) {
			events = append(events, sent{event: order.Event{Kind: order.KindWatermark}, at: at})
		}
	}
	slices.SortStableFunc(events, func(a, b sent) int { return a.at.Compare(b.at) })
	var epoch, seq, offset = int64(1), uint64(0), time.Duration(0)
	var gap *order.Gap
	var marked time.Time
	send := func(x sent) {
		seq++
		x.event.Position = order.Position{Source: source, Epoch: epoch, Seq: seq}
		x.event.Time = x.at.Add(offset)
		x.offset = offset
		if x.event.Kind == order.KindWatermark {
			x.event.Watermark = order.Watermark{Through: seq - uint64(rapid.IntRange(0, 1).Draw(t, "through")), ClockOffset: offset}
		}
		w.sent = append(w.sent, x)
		w.end = later(w.end, x.at)
	}
	for _, x := range events {
		if x.event.Kind == order.KindWatermark && drifts {
			changed := oneOf(t, "offset", offset, 0, time.Second, -2*time.Second, time.Minute)
			x.shift, offset = changed != offset, changed
		}
		if x.event.Kind == order.KindWatermark && !drifts {
			switch rapid.IntRange(0, 6).Draw(t, "trouble") {
			case 0:
				gap = &order.Gap{From: x.at.Add(-200 * time.Millisecond), To: x.at.Add(-100 * time.Millisecond), Reason: "test"}
				if chance(t, 2, "wide gap") { // nobody knows since the last watermark
					gap.From, gap.To = marked.Add(200*time.Millisecond), x.at.Add(time.Hour)
				}
				send(sent{event: order.Event{Kind: order.KindGap, Gap: *gap}, at: x.at})
			case 1, 2:
				if gap != nil {
					repair := *gap
					repair.Repaired = true
					send(sent{event: order.Event{Kind: order.KindGap, Gap: repair}, at: x.at})
				}
			case 3:
				epoch, seq, gap = epoch+1, 0, nil
			}
		}
		send(x)
		if x.event.Kind == order.KindWatermark {
			marked = x.at
		}
	}
}
