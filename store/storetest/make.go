package storetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

var start = time.Date(2024, 3, 1, 9, 0, 0, 123456789, time.UTC)

// at is n seconds and some nanoseconds after start.
func at(n int) time.Time { return start.Add(time.Duration(n)*time.Second + time.Duration(n)) }

// Record returns a plain record of a sequenced source, as most are.
func Record(seq int64, id sla.OrderID) sla.Record {
	return sla.Record{
		Seq: seq, Order: id, Received: at(int(seq)), Offset: 3 * time.Millisecond,
		Event: order.Event{
			Kind: order.KindStatus, Time: at(int(seq) - 1), Observed: at(int(seq)), Service: "mes", Environment: "prod",
			Position: order.Position{Source: "mes-db", Epoch: 7, Seq: uint64(seq)},
			System:   "mes", Status: [...]string{"SUBMITTED", "PRICE_CALCULATED", "SHIPPED"}[seq%3],
			Keys:  []order.Key{{Name: "mes", Value: fmt.Sprintf("M-%d", id)}},
			Attrs: []order.Attr{{Name: "channel", Value: "b2b"}, {Name: "polygons", Value: "120000"}},
		},
	}
}

// Batch returns n plain records from a sequence on, spread over that many orders, with their keys.
func Batch(from int64, n, orders int) *sla.Batch {
	b := &sla.Batch{At: at(int(from)), Sources: []sla.SourceState{{Name: "mes-db", LastSeen: at(int(from))}}}
	named := map[sla.OrderID]bool{}
	for i := range n {
		r := Record(from+int64(i), sla.OrderID(1+(from+int64(i))%int64(orders)))
		b.Records = append(b.Records, r)
		if !named[r.Order] {
			named[r.Order] = true
			b.Keys = append(b.Keys, sla.KeyOwner{Key: r.Event.Keys[0], Order: r.Order})
		}
	}
	return b
}

// Order returns an order in the middle of its way: some visits over, one open.
func Order(id sla.OrderID, step int) sla.Order {
	o := sla.Order{
		ID: id, State: sla.StateOpen, Created: at(0), Updated: at(step), FlowHash: "f00d",
		Keys:     []order.Key{{Name: "shop", Value: fmt.Sprintf("S-%d", id)}, {Name: "mes", Value: fmt.Sprintf("M-%d", id)}},
		Attrs:    []order.Attr{{Name: "channel", Value: "b2b"}, {Name: "partner", Value: "acme"}},
		Statuses: []order.Status{{System: "mes", Name: "SUBMITTED"}},
		Counts:   sla.Counts{Events: step},
		Promises: []sla.Promise{{Name: "three-weeks", Start: at(0), Due: at(1_000_000), Verdict: sla.PromiseOnTrack}},
	}
	for i := range step {
		o.Visits = append(o.Visits, sla.Visit{Stage: fmt.Sprintf("stage-%d", i), N: 1, Entered: at(i), Left: at(i + 1), Deadline: at(i + 60), Verdict: sla.VerdictMet})
	}
	last := &o.Visits[step-1]
	last.Left, last.Verdict = time.Time{}, sla.VerdictOpen
	return o
}

// maker makes random but repeatable values.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](m maker, items ...T) T { return items[m.IntN(len(items))] }

func (m maker) maybe(t time.Time) time.Time {
	if m.IntN(3) == 0 {
		return time.Time{}
	}
	return t
}

func (m maker) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(' ' + m.IntN('~'-' '))
	}
	return string(b)
}

func (m maker) moment() time.Time { return at(m.IntN(1_000_000)).Add(time.Duration(m.IntN(1000))) }

var stages = []string{"calculation-queue", "calculation", "approval", "price-to-crm"}

// order makes an order with at most one open visit a stage, as the engine does.
func (m maker) order(id sla.OrderID) sla.Order {
	o := sla.Order{
		ID: id, State: pick(m, sla.StateOpen, sla.StateOpen, sla.StateFinished, sla.StateCancelled),
		Created: m.moment(), Updated: m.moment(), FlowHash: pick(m, "aa", "bb", ""),
		Keys:   []order.Key{{Name: "shop", Value: fmt.Sprintf("%02d-%d", m.IntN(30), id)}},
		Counts: sla.Counts{Events: m.IntN(9), Repeats: m.IntN(3), Unexpected: m.IntN(3), AfterTerminal: m.IntN(3), Rework: m.IntN(3)},
	}
	if m.IntN(2) == 0 {
		o.Keys = append(o.Keys, order.Key{Name: "mes", Value: fmt.Sprintf("%c é\"\\\n-%d", 'A'+m.IntN(4), id)})
	}
	if m.IntN(4) > 0 {
		o.Attrs = append(o.Attrs, order.Attr{Name: "channel", Value: pick(m, "b2b", "b2c")})
	}
	if m.IntN(2) == 0 {
		o.Attrs = append(o.Attrs, order.Attr{Name: "partner", Value: pick(m, "acme", "globex")})
	}
	if m.IntN(2) == 0 {
		o.Statuses = []order.Status{{System: "a/b", Name: "X"}, {System: "mes", Name: "SHIPPED/2"}}
		o.Absorbed = []sla.OrderID{id + 100_000}
		o.Refused = []order.Key{{Name: "mes", Value: "M-0"}}
	}
	if o.State != sla.StateOpen {
		o.Ended = m.moment()
	}
	m.addVisits(&o)
	for i := range m.IntN(3) {
		o.Promises = append(o.Promises, sla.Promise{Name: pick(m, "three-weeks", "two-days"), Start: m.moment(), Due: m.maybe(m.moment()),
			Stop: m.maybe(m.moment()), Verdict: pick(m, sla.PromiseOnTrack, sla.PromiseBreached, sla.PromiseKept), Paused: i == 1})
	}
	return o
}

func (m maker) addVisits(o *sla.Order) {
	for n := 1; n <= 2; n++ {
		for _, stage := range stages {
			if m.IntN(2) == 0 {
				continue
			}
			v := sla.Visit{Stage: stage, N: n, Entered: m.moment(), Deadline: m.maybe(m.moment()), Rework: m.IntN(2) == 0,
				Inferred: m.IntN(2) == 0, StuckAt: m.maybe(m.moment()), Approximate: m.IntN(2) == 0}
			if n == 1 || m.IntN(2) == 0 || o.State != sla.StateOpen {
				v.Left, v.Verdict = m.moment(), pick(m, sla.VerdictMet, sla.VerdictLate, sla.VerdictSkipped)
			} else {
				v.Verdict = pick(m, sla.VerdictOpen, sla.VerdictAtRisk, sla.VerdictStuck, sla.VerdictUnknown)
				v.Cause = pick(m, sla.CauseBacklog, sla.CauseStalled, "")
				v.Evidence = []sla.Evidence{{Code: sla.EvidenceProof, At: v.Entered.UnixNano(), Source: "mes-db", Seq: 1 << 60, Args: map[string]string{"n": "1"}}}
			}
			o.Visits = append(o.Visits, v)
		}
	}
}
