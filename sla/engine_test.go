package sla

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// testFlow has one stage of every kind that folds or explains differently.
const testFlow = `
version: 1
flow: test
timezone: UTC
keys: [shop, mes]
sources:
  - {name: shop-db, reports: [shop/*, crm/*]}
  - {name: mes-db, reports: [mes/*]}
  - {name: tap, reports: []}
stages:
  - {name: handover, kind: handoff, enter: [shop/SUBMITTED], leave: [mes/SUBMITTED], within: 1m}
  - {name: waiting, kind: queue, enter: [mes/SUBMITTED], leave: [mes/STARTED], within: 10m}
  - {name: computing, kind: compute, owner: mes, enter: [mes/STARTED], leave: [mes/PRICED], within: 30m}
  - name: price
    kind: handoff
    via: {exchange: mes.events, routing_keys: [price.*], queue: crm.prices, dead_letter: mes.dead}
    enter: [mes/PRICED]
    leave: [crm/PRICED]
    within: 5m
  - {name: approval, kind: human, owner: seller, enter: [crm/PRICED], leave: [crm/APPROVED], within: 8h}
  - {name: claim, kind: human, owner: operator, enter: [crm/APPROVED], leave: [mes/CLAIMED], within: 4h}
  - {name: making, kind: production, owner: workshop, enter: [mes/CLAIMED], leave: [mes/MADE], within: 2d}
promises:
  - {name: lead, start: [shop/SUBMITTED], stop: [mes/MADE], within: 3d, pause_in: [approval]}
  - {name: due, start: [shop/SUBMITTED], stop: [mes/MADE], due: due}
finish: [crm/CLOSED]
cancel: [crm/CANCELLED]
reopen: [crm/REOPENED]
incidents: {group_by: [stage, cause], min_orders: 1, close_after: 30m}
`

func parseFlow(t testing.TB, text string) *order.Flow {
	t.Helper()
	flow, err := order.ParseFlow("flow.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

var day0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// timeline plays a story to an engine, a line a step:
//
//	+1h30m shop/SUBMITTED due=2026-03-04T09:00:00Z   an event of order 1 at day0+1h30m
//	+2h mes/STARTED @2                                of order 2
//	+3h tap mes.events price.new                      a message of order 1
//	+3h depth crm.prices 4 c1                         the tap's watermark with a queue's depth and consumers
//	+4h watermark mes-db                              the source is proven through there
//	+4h blind tap                                     and it has missed everything until then
//	+4h now                                           the clock moves; a line of any kind moves it too
//	+2h late mes/STARTED                              an event of then that arrives now
type timeline struct {
	t       *testing.T
	engine  machine
	seq     int64
	sources map[string]*SourceState
	clock   time.Time
	audit   []AuditEntry
	orders  map[OrderID]Order
	group   *Incidents
	grouped []string // what was said of incidents, and how they stood
	watch   func(*Change)
}

func newTimeline(t *testing.T) *timeline { return newTimelineOf(t, testFlow) }

func newTimelineOf(t *testing.T, flow string) *timeline {
	parsed := parseFlow(t, flow)
	return &timeline{t: t, engine: New(Options{Flow: parsed}), sources: map[string]*SourceState{}, clock: day0, orders: map[OrderID]Order{},
		group: NewIncidents(parsed, IncidentMemory{})}
}

func (l *timeline) play(story string) {
	l.t.Helper()
	for line := range strings.Lines(story) {
		if words := strings.Fields(line); len(words) > 0 {
			l.step(words)
		}
	}
}

func (l *timeline) step(words []string) {
	l.t.Helper()
	after, err := time.ParseDuration(words[0])
	if err != nil {
		l.t.Fatal(err)
	}
	at := day0.Add(after)
	b := &Batch{}
	switch words[1] {
	case "now":
	case "watermark":
		b.Sources = []SourceState{l.watermark(words[2], at)}
	case "blind":
		s := l.watermark(words[2], at)
		s.Gaps = []order.Gap{{To: at}}
		b.Sources = []SourceState{s}
	case "depth":
		s := l.watermark("tap", at)
		s.Queues, s.QueuesAt = []order.QueueDepth{{Queue: words[2], Messages: int64(words[3][0] - '0'), Consumers: int64(len(words) - 4)}}, at
		b.Sources = []SourceState{s}
	case "tap":
		b.Records = []Record{l.record(at, order.Event{Kind: order.KindMessage, Position: order.Position{Source: "tap"},
			Message: order.Message{Destination: words[2], RoutingKey: words[3]}}, words[4:])}
	case "late":
		at, words = day0.Add(after), words[1:]
		fallthrough
	default:
		status, ok := order.ParseStatus(words[1])
		if !ok {
			l.t.Fatalf("%q is no status", words[1])
		}
		source := "shop-db"
		if status.System == "mes" {
			source = "mes-db"
		}
		b.Records = []Record{l.record(at, order.Event{Kind: order.KindStatus, System: status.System, Status: status.Name,
			Position: order.Position{Source: source}}, words[2:])}
	}
	if at.After(l.clock) {
		l.clock = at
	}
	b.At = l.clock
	l.engine.Apply(b)
	l.engine.Advance(l.clock)
	c := l.engine.Flush()
	l.take(c)
	l.takeIncidents(c)
	if l.watch != nil {
		l.watch(c)
	}
}

func (l *timeline) take(c *Change) {
	l.audit = append(l.audit, c.Audit...)
	for _, o := range c.Orders {
		l.orders[o.ID] = o
	}
	for _, m := range c.Removed {
		delete(l.orders, m.From)
	}
}

func (l *timeline) watermark(source string, at time.Time) SourceState {
	s := SourceState{Name: source, Watermark: at, Through: uint64(l.seq), LastSeen: at}
	l.sources[source] = &s
	return s
}

func (l *timeline) record(at time.Time, e order.Event, rest []string) Record {
	l.seq++
	e.Time, e.Observed, e.Epoch, e.Seq = at, at, 1, uint64(l.seq)
	r := Record{Seq: l.seq, Order: 1, Received: l.clock}
	for _, word := range rest {
		if id, ok := strings.CutPrefix(word, "@"); ok {
			r.Order = OrderID(id[0] - '0')
		} else if name, value, ok := strings.Cut(word, "="); ok {
			e.Attrs = append(e.Attrs, order.Attr{Name: name, Value: value})
		}
	}
	e.Keys = []order.Key{{Name: "shop", Value: fmt.Sprint(r.Order)}}
	r.Event = e
	return r
}

// visits tells an order's visits: stage#n entered..left verdict cause.
func visits(o Order) string {
	var lines []string
	for _, v := range o.Visits {
		line := fmt.Sprintf("%s#%d %s..", v.Stage, v.N, v.Entered.Sub(day0))
		if !v.Open() {
			line += v.Left.Sub(day0).String()
		}
		line += " " + string(v.Verdict)
		if v.Cause != "" {
			line += " " + string(v.Cause)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func promises(o Order) string {
	var lines []string
	for _, p := range o.Promises {
		line := p.Name + " " + string(p.Verdict)
		if !p.Due.IsZero() {
			line += " due " + p.Due.Sub(day0).String()
		}
		if p.Paused {
			line += " paused"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (l *timeline) said() string {
	var lines []string
	for _, a := range l.audit {
		lines = append(lines, fmt.Sprintf("%s %s#%d", a.Kind, a.Stage, a.N))
	}
	return strings.Join(lines, "\n")
}

func TestOneOrdersTimeline(t *testing.T) {
	tests := map[string]struct{ story, visits, promises, said string }{
		"an order that goes straight through meets every deadline": {
			story: `
				0s shop/SUBMITTED
				30s mes/SUBMITTED
				1m mes/STARTED
				5m mes/PRICED
				6m crm/PRICED
				1h crm/APPROVED
				2h mes/CLAIMED
				24h mes/MADE`,
			visits: `
				approval#1 6m0s..1h0m0s met
				claim#1 1h0m0s..2h0m0s met
				computing#1 1m0s..5m0s met
				handover#1 0s..30s met
				making#1 2h0m0s..24h0m0s met
				price#1 5m0s..6m0s met
				waiting#1 30s..1m0s met`,
			promises: "lead kept due 72h54m0s\ndue kept",
		},
		"a passed deadline is unknown while its source is silent and stuck once it is proven": {
			story:  "0s shop/SUBMITTED\n2m now",
			visits: "handover#1 0s.. unknown", promises: "lead on_track due 72h0m0s\ndue on_track",
		},
		"a watermark that stops short of the deadline proves nothing": {
			story:  "0s shop/SUBMITTED\n59s watermark mes-db\n2m now",
			visits: "handover#1 0s.. unknown", promises: "lead on_track due 72h0m0s\ndue on_track",
		},
		"a watermark at the deadline proves the absence": {
			story:  "0s shop/SUBMITTED\n2m now\n1m watermark mes-db",
			visits: "handover#1 0s.. stuck lost_in_handoff", promises: "lead on_track due 72h0m0s\ndue on_track",
			said: "stuck handover#1",
		},
		"another source's watermark proves nothing": {
			story:  "0s shop/SUBMITTED\n5m watermark shop-db",
			visits: "handover#1 0s.. unknown", promises: "lead on_track due 72h0m0s\ndue on_track",
		},
		"a leave after the deadline closes late and takes nothing back": {
			story:  "0s shop/SUBMITTED\n2m watermark mes-db\n3m mes/SUBMITTED",
			visits: "handover#1 0s..3m0s late lost_in_handoff\nwaiting#1 3m0s.. open", promises: "lead on_track due 72h0m0s\ndue on_track",
			said: "stuck handover#1",
		},
		"a leave in time that arrives late retracts the verdict": {
			story:  "0s shop/SUBMITTED\n2m watermark mes-db\n3m now\n50s late mes/SUBMITTED",
			visits: "handover#1 0s..50s met\nwaiting#1 50s.. open", promises: "lead on_track due 72h0m0s\ndue on_track",
			said: "stuck handover#1\nretracted handover#1",
		},
		"a hung calculation is slow compute": {
			story:  "0s mes/STARTED\n31m watermark mes-db",
			visits: "computing#1 0s.. stuck slow_compute", said: "stuck computing#1",
		},
		"a queue nobody leaves is stalled": {
			story:  "0s mes/SUBMITTED\n31m watermark mes-db",
			visits: "waiting#1 0s.. stuck stalled", said: "stuck waiting#1",
		},
		"a queue others leave has a backlog": {
			story:  "0s mes/SUBMITTED\n1s mes/SUBMITTED @2\n5m mes/STARTED @2\n31m watermark mes-db",
			visits: "waiting#1 0s.. stuck backlog", said: "stuck waiting#1",
		},
		"an order nobody claims waits for a person": {
			story:  "0s crm/APPROVED\n5h watermark mes-db",
			visits: "claim#1 0s.. stuck waiting_for_person", said: "stuck claim#1",
		},
		"an order that three later ones overtook is starved": {
			story: `0s crm/APPROVED
				1m crm/APPROVED @2
				1m crm/APPROVED @3
				1m crm/APPROVED @4
				2m mes/CLAIMED @2
				2m mes/CLAIMED @3
				2m mes/CLAIMED @4
				5h watermark mes-db`,
			visits: "claim#1 0s.. stuck starved", said: "stuck claim#1",
		},
		"a message still in its queue is a backlog": {
			story:  "0s mes/PRICED\n1s tap mes.events price.new\n6m depth crm.prices 3\n6m watermark shop-db",
			visits: "price#1 0s.. stuck backlog", said: "stuck price#1",
		},
		"a message gone from its queue is lost": {
			story:  "0s mes/PRICED\n1s tap mes.events price.new\n6m depth crm.prices 0\n6m watermark shop-db",
			visits: "price#1 0s.. stuck lost_in_handoff", said: "stuck price#1",
		},
		"a later status of the receiver closes a hand-off, inferred": {
			story:  "0s mes/PRICED\n4m crm/APPROVED",
			visits: "claim#1 4m0s.. open\nprice#1 0s..4m0s met",
		},
		"turning up further on skips": {
			story:  "0s mes/SUBMITTED\n1m crm/APPROVED",
			visits: "claim#1 1m0s.. open\nwaiting#1 0s..1m0s skipped",
		},
		"turning up further back is rework": {
			story:  "0s mes/STARTED\n1m mes/SUBMITTED",
			visits: "computing#1 0s..1m0s met\nwaiting#1 1m0s.. open",
		},
		"a repeated status does not move the deadline": {
			story:  "0s mes/SUBMITTED\n9m mes/SUBMITTED\n10m watermark mes-db",
			visits: "waiting#1 0s.. stuck stalled", said: "stuck waiting#1",
		},
		"a leave two seconds before its enter closes it at once": {
			story:  "0s mes/SUBMITTED\n2s shop/SUBMITTED",
			visits: "handover#1 2s..2s met\nwaiting#1 0s.. open", promises: "lead on_track due 72h0m2s\ndue on_track",
		},
		"a leave three seconds before its enter is another story": {
			story:  "0s mes/SUBMITTED\n3s shop/SUBMITTED",
			visits: "handover#1 3s.. open\nwaiting#1 0s.. open", promises: "lead on_track due 72h0m3s\ndue on_track",
		},
		"an end closes what is open and stops the promise": {
			story:  "0s shop/SUBMITTED\n30s mes/SUBMITTED\n1h crm/CLOSED",
			visits: "handover#1 0s..30s met\nwaiting#1 30s..1h0m0s skipped", promises: "lead kept due 72h0m0s\ndue kept",
		},
		"a promise is paused while the customer decides": {
			story:  "0s shop/SUBMITTED\n1s mes/SUBMITTED\n1h crm/PRICED\n2h now",
			visits: "approval#1 1h0m0s.. open\nhandover#1 0s..1s met\nwaiting#1 1s..1h0m0s skipped", promises: "lead on_track paused\ndue on_track",
		},
		"a promise is breached after its due without any event": {
			story:    "0s shop/SUBMITTED\n1s mes/SUBMITTED\n73h now",
			visits:   "handover#1 0s..1s met\nwaiting#1 1s.. unknown",
			promises: "lead breached due 72h0m0s\ndue on_track",
		},
		"the due that was in force when it passed binds": {
			story:    "0s shop/SUBMITTED due=2026-03-02T10:00:00Z\n1s mes/SUBMITTED\n2h mes/STARTED due=2026-03-05T10:00:00Z\n3h mes/MADE",
			visits:   "computing#1 2h0m0s.. unknown\nhandover#1 0s..1s met\nwaiting#1 1s..2h0m0s late",
			promises: "lead kept due 72h0m0s\ndue late due 1h0m0s",
		},
		"a due that moves in time counts as it stands at the stop": {
			story:    "0s shop/SUBMITTED due=2026-03-02T10:00:00Z\n1s mes/SUBMITTED\n30m mes/SUBMITTED due=2026-03-05T10:00:00Z\n3h mes/MADE",
			visits:   "handover#1 0s..1s met\nwaiting#1 1s.. unknown",
			promises: "lead kept due 72h0m0s\ndue kept due 73h0m0s",
		},
		"an early leave does not take the order out of the stage it is in": {
			story:  "0s mes/STARTED\n2s mes/SUBMITTED\n31m watermark mes-db",
			visits: "computing#1 0s.. stuck slow_compute\nwaiting#1 2s..2s met", said: "stuck computing#1",
		},
		"a promise that was late before its pause began stays late": {
			story:    "0s shop/SUBMITTED\n1s mes/SUBMITTED\n73h crm/PRICED\n74h mes/MADE",
			visits:   "approval#1 73h0m0s.. open\nhandover#1 0s..1s met\nwaiting#1 1s..73h0m0s skipped",
			promises: "lead late due 72h0m0s\ndue kept",
		},
		"a pause that lasts at the stop counts up to it": {
			story:    "0s shop/SUBMITTED\n1s mes/SUBMITTED\n71h crm/PRICED\n74h mes/MADE",
			visits:   "approval#1 71h0m0s.. open\nhandover#1 0s..1s met\nwaiting#1 1s..71h0m0s skipped",
			promises: "lead kept due 75h0m0s\ndue kept",
		},
		"cancelled in time is outside the objective, cancelled late is late": {
			story:    "0s shop/SUBMITTED due=2026-03-02T10:00:00Z\n1s mes/SUBMITTED\n2h crm/CANCELLED",
			visits:   "handover#1 0s..1s met\nwaiting#1 1s..2h0m0s skipped",
			promises: "lead cancelled due 72h0m0s\ndue late due 1h0m0s",
		},
	}
	for name, test := range tests {
		for _, shards := range []int{0, 1, 8} {
			t.Run(fmt.Sprintf("%s, shards=%d", name, shards), func(t *testing.T) {
				l := newTimeline(t)
				l.engine = newMachine(Options{Flow: parseFlow(t, testFlow)}, shards, 0)
				l.play(test.story)
				got := l.orders[1]
				for _, check := range []struct{ what, got, want string }{
					{"visits", visits(got), test.visits}, {"promises", promises(got), test.promises}, {"said", l.said(), test.said},
				} {
					if want := trimLines(check.want); check.got != want {
						t.Errorf("%s:\n%s\nwant:\n%s", check.what, check.got, want)
					}
				}
			})
		}
	}
}

func trimLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
