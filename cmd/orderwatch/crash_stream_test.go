package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// crashFlow is a flow of seconds. Every pair of enter and leave shares a key, so that what is said
// of an order does not depend on which of its names became known first.
const crashFlow = `
version: 1
flow: crash
keys: [shop, mes, file]
sources:
  - {name: shop-db, reports: [shop/*]}
  - {name: crm-db, reports: [crm/*]}
  - {name: mes-db, reports: [mes/*]}
stages:
  - {name: shop-to-mes, kind: handoff, enter: [shop/SUBMITTED], leave: [mes/SUBMITTED], within: 30s}
  - {name: calculation, kind: compute, enter: [mes/SUBMITTED], leave: [mes/PRICED], within: 35s}
  - {name: price-to-crm, kind: handoff, enter: [mes/PRICED], leave: [crm/PRICED], within: 30s}
  - {name: approval, kind: human, owner: seller, enter: [crm/PRICED], leave: [crm/APPROVED], within: 40s}
  - {name: approval-to-mes, kind: handoff, enter: [crm/APPROVED], leave: [mes/APPROVED], within: 30s}
  - {name: claim, kind: human, owner: operator, enter: [mes/APPROVED], leave: [mes/STARTED], within: 30s}
  - {name: manufacturing, kind: production, enter: [mes/STARTED], leave: [mes/SHIPPED], within: 40s}
  - {name: closing, kind: carrier, enter: [mes/SHIPPED], leave: [crm/CLOSED], within: 20s}
  - {name: notice, kind: customer, parallel: true, enter: [mes/SHIPPED], leave: [portal/SEEN], within: 15s}
promises:
  - {name: quick, start: [shop/SUBMITTED, mes/SUBMITTED], stop: [mes/SHIPPED], within: 20s, pause_in: [approval]}
  - {name: whole, start: [shop/SUBMITTED], stop: [crm/CLOSED], within: 21d}
finish: [crm/CLOSED]
cancel: [crm/CANCELLED]
`

// portal is the sender without sequence: it proves presence, never absence.
const portal = "portal"

// mesClock is by how much the clock of the MES is ahead.
const mesClock = 1500 * time.Millisecond

// visitKey names a visit by the order's number in the shop.
type visitKey struct {
	order string
	stage string
}

// stream is what the sources send, in order, and what has to come of it. The second part comes
// when everything that the first leaves overdue has been said.
type stream struct {
	parts  [2]map[string][]order.Event // by source, watermarks included
	events int                         // without watermarks
	stuck  map[visitKey]bool           // said to be stuck: all by the end of the first part
	open   [2]map[string]stageCount    // at the end of each part, by stage
	totals map[string]int              // orders by state, and the late ones, at the end
}

type stageCount struct{ open, overdue, unknown int }

// step is one event of a life: who says what after how long (in milliseconds, up to), under which of the order's names.
type step struct {
	source, status string
	keys           []string
	after          int
}

var life = []step{
	{"shop-db", "shop/SUBMITTED", []string{"shop", "file"}, 0},
	{"mes-db", "mes/SUBMITTED", []string{"mes", "file"}, 3000},
	{"mes-db", "mes/PRICED", []string{"mes"}, 6000},
	{"crm-db", "crm/PRICED", []string{"shop", "mes"}, 1000},
	{"crm-db", "crm/APPROVED", []string{"shop"}, 6000},
	{"mes-db", "mes/APPROVED", []string{"mes", "shop"}, 1000},
	{"mes-db", "mes/STARTED", []string{"mes"}, 6000},
	{"mes-db", "mes/SHIPPED", []string{"mes"}, 9000},
	{portal, "portal/SEEN", []string{"mes"}, 3000},
	{"crm-db", "crm/CLOSED", []string{"shop", "mes"}, 3000},
}

// fate is how the life of every twentieth order goes.
type fate struct {
	until  int    // steps taken in the first part
	stuck  string // the stage it is stuck in then
	resume bool   // the other steps follow in the second part
	cancel bool
	again  bool // priced twice: rework
}

// fates of the orders whose number has this remainder; the others are healthy.
var fates = map[int]fate{
	3:  {until: 1, stuck: "shop-to-mes"},
	5:  {until: 2, stuck: "calculation"},
	7:  {until: 4, stuck: "approval"},
	8:  {until: 4, stuck: "approval", resume: true},
	11: {until: 6, stuck: "claim", resume: true},
	13: {until: 8, stuck: "closing"},
	15: {until: 4, cancel: true}, // cancelled by the source that could report the leave, so that none proves absence before
	17: {until: len(life), again: true},
}

// newStream makes at least so many events about orders that lived in the five minutes before now.
// Some deadlines are up to a quarter of a minute ahead.
func newStream(seed uint64, events int, now time.Time) *stream {
	b := &streamBuilder{stream: stream{stuck: map[visitKey]bool{}, totals: map[string]int{}}, now: now,
		end: now.Add(20 * time.Second), random: rand.New(rand.NewPCG(seed, 0))}
	for part := range b.parts {
		b.parts[part], b.open[part] = map[string][]order.Event{}, map[string]stageCount{}
	}
	orders := events / 9
	for i := 0; b.events < events || i < orders; i++ {
		b.live(i, now.Add(-40*time.Second-time.Duration(b.random.Int64N(int64(5*time.Minute)))))
	}
	for part, until := range []time.Time{b.end, b.end.Add(2 * time.Minute)} {
		for source, events := range b.parts[part] {
			slices.SortFunc(events, func(a, b order.Event) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
			if source != portal {
				b.parts[part][source] = b.number(part, source, events, until)
			}
		}
	}
	return &b.stream
}

type streamBuilder struct {
	stream
	now    time.Time
	end    time.Time // through which the first part's last watermarks prove
	random *rand.Rand
}

// live adds the events of one order.
func (b *streamBuilder) live(i int, at time.Time) {
	f, special := fates[i%20]
	if !special {
		f.until = len(life)
	}
	part := 0
	for n, s := range life {
		if n == f.until && f.resume {
			part, at = 1, b.end.Add(time.Duration(1+b.random.IntN(20_000))*time.Millisecond)
		} else if n >= f.until && !f.resume {
			break
		}
		at = b.after(at, s.after)
		b.add(part, i, &s, at)
		if f.again && s.status == "mes/PRICED" {
			for _, again := range life[1:3] {
				at = b.after(at, 2000)
				b.add(part, i, &again, at)
			}
		}
	}
	if f.cancel {
		b.add(0, i, &step{source: "crm-db", status: "crm/CANCELLED", keys: []string{"shop"}}, b.after(at, 3000))
	}
	b.expect(i, &f)
}

func (b *streamBuilder) after(at time.Time, milliseconds int) time.Time {
	return at.Add(time.Duration(1+b.random.Int64N(1+int64(milliseconds)*1e6)) * time.Nanosecond)
}

func (b *streamBuilder) add(part, i int, s *step, at time.Time) {
	status, _ := order.ParseStatus(s.status)
	e := order.Event{
		Kind: order.KindStatus, Time: at, Observed: b.now, Service: status.System, Environment: "prod",
		Position: order.Position{Source: s.source}, System: status.System, Status: status.Name,
		Attrs: []order.Attr{{Name: "channel", Value: []string{"b2b", "b2c", "b2c"}[i%3]}},
	}
	for _, name := range s.keys {
		e.Keys = append(e.Keys, order.Key{Name: name, Value: fmt.Sprintf("%s-%d", name[:1], i)})
	}
	switch s.source {
	case portal:
		e.ID = fmt.Sprintf("seen-%d", i)
	case "mes-db":
		e.Time = at.Add(mesClock)
	}
	b.parts[part][s.source] = append(b.parts[part][s.source], e)
	b.events++
}

// expect notes what has to be said of an order.
func (b *streamBuilder) expect(i int, f *fate) {
	switch {
	case f.cancel:
		b.totals["cancelled"]++
	case f.stuck == "" || f.resume:
		b.totals["finished"]++
	default:
		b.totals["open"]++
		b.totals["late"]++
	}
	if f.stuck == "" {
		return
	}
	b.stuck[visitKey{fmt.Sprintf("s-%d", i), f.stuck}] = true
	for part := range b.open {
		if part == 1 && f.resume {
			continue
		}
		c := b.open[part][f.stuck]
		c.open++
		c.overdue++
		b.open[part][f.stuck] = c
		if f.stuck == "closing" { // nobody can prove that the customer has not looked
			c := b.open[part]["notice"]
			c.open++
			c.unknown++
			b.open[part]["notice"] = c
		}
	}
}

// number puts a watermark before, between and after the events of a source and numbers all.
func (b *streamBuilder) number(part int, source string, events []order.Event, until time.Time) []order.Event {
	offset := time.Duration(0)
	if source == "mes-db" {
		offset = mesClock
	}
	seq := uint64(0)
	if part == 1 {
		seq = uint64(len(b.parts[0][source]))
	}
	var out []order.Event
	watermark := func(at time.Time) {
		out = append(out, order.Event{Kind: order.KindWatermark, Time: at, Observed: b.now, Service: source, Environment: "prod",
			Position:  order.Position{Source: source, Epoch: 1, Seq: seq + 1},
			Watermark: order.Watermark{Through: seq, ClockOffset: offset}})
		seq++
	}
	for i := range events {
		if i%400 == 0 {
			watermark(events[i].Time.Add(-time.Nanosecond))
		}
		seq++
		events[i].Epoch, events[i].Seq = 1, seq
		out = append(out, events[i])
	}
	watermark(until.Add(offset))
	return out
}
