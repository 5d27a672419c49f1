package sla

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// trade is what really happens to one order at the hand-off "price".
type trade struct {
	order     string
	committed time.Time
	messages  []time.Time
	dead      time.Time
	arrived   time.Time
	cancelled time.Time
}

// broker is a company of the ledger's property: some trades, told by three sources.
type broker struct {
	trades []trade
	told   map[string][]order.Event
	end    time.Time
}

func drawBroker(t *rapid.T) *broker {
	b := &broker{told: map[string][]order.Event{}, end: day0.Add(2 * time.Hour)}
	for n := range rapid.IntRange(1, 5).Draw(t, "orders") {
		x := trade{order: fmt.Sprint(n + 1), committed: day0.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "committed")) * time.Second)}
		key := []order.Key{{Name: "mes", Value: x.order}}
		b.tell("mes-db", order.Event{Kind: order.KindStatus, System: "mes", Status: "PRICED", Time: x.committed, Keys: key})
		after := func(what string) time.Time {
			return x.committed.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, what)) * time.Second)
		}
		for range rapid.IntRange(0, 2).Draw(t, "messages") {
			x.messages = append(x.messages, after("published"))
			b.tell("tap", order.Event{Kind: order.KindMessage, Time: x.messages[len(x.messages)-1], Keys: key, Message: order.Message{Destination: "mes.events", RoutingKey: "price.new"}})
		}
		slices.SortFunc(x.messages, time.Time.Compare)
		if len(x.messages) > 0 && chance(t, 4, "dead") {
			x.dead = x.messages[0].Add(time.Minute)
			b.tell("tap", order.Event{Kind: order.KindMessage, Time: x.dead, Keys: key, Message: order.Message{Destination: "mes.dead", RoutingKey: "price.new"}})
		}
		switch rapid.IntRange(0, 4).Draw(t, "then") {
		case 0:
			x.cancelled = after("cancelled")
			b.tell("shop-db", order.Event{Kind: order.KindStatus, System: "shop", Status: "WITHDRAWN", Time: x.cancelled, Keys: key})
		case 1, 2:
			x.arrived = after("arrived")
			b.tell("shop-db", order.Event{Kind: order.KindStatus, System: "crm", Status: "PRICED", Time: x.arrived, Keys: key})
		}
		b.trades = append(b.trades, x)
	}
	return b
}

func (b *broker) tell(source string, e order.Event) {
	e.Source = source
	b.told[source] = append(b.told[source], e)
}

// arrivals numbers what each source tells, ends it with a watermark, and lets all of it come in any order, some of it twice.
func (b *broker) arrivals(t *rapid.T) []arrival {
	var list []arrival
	for _, source := range []string{"mes-db", "shop-db", "tap"} {
		events := b.told[source]
		slices.SortStableFunc(events, func(a, b order.Event) int { return a.Time.Compare(b.Time) })
		mark := order.Event{Kind: order.KindWatermark, Time: b.end, Position: order.Position{Source: source}, Watermark: order.Watermark{Through: uint64(len(events))}}
		for n, e := range append(events, mark) {
			e.Epoch, e.Seq = 1, uint64(n+1)
			for again := true; again; again = chance(t, 6, "again") {
				at := e.Time.Add(oneOf(t, "delay", 0, time.Second, time.Minute, time.Hour))
				list = append(list, arrival{e, at})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.at.Compare(b.at) })
	return list
}

// state says, slowly and plainly, what the ledger must say in the end.
func (x *trade) state() LedgerState {
	ended := !x.cancelled.IsZero()
	switch {
	case ended:
		return LedgerEnded
	case len(x.messages) == 0 && !x.arrived.IsZero():
		return LedgerUnrecorded
	case len(x.messages) == 0:
		return LedgerUnpublished
	case !x.arrived.IsZero():
		return LedgerArrived
	case !x.dead.IsZero():
		return LedgerDeadLettered
	}
	return LedgerLost
}

func checkBalance(t *rapid.T, view []HandoffLedger) HandoffLedger {
	t.Helper()
	if len(view) != 1 || view[0].Stage != "price" {
		t.Fatalf("view %+v", view)
	}
	sum := LedgerBalance{}
	for _, m := range view[0].Minutes {
		if m.Published != m.Arrived+m.DeadLettered+m.Pending+m.Lost {
			t.Fatalf("minute %+v does not balance", m)
		}
		sum.add(&m.LedgerBalance)
	}
	if sum != view[0].LedgerBalance || sum.Published != sum.Arrived+sum.DeadLettered+sum.Pending+sum.Lost {
		t.Fatalf("in total %+v, by minute %+v", view[0].LedgerBalance, sum)
	}
	return view[0]
}

func TestLedgerBalancesWhateverArrives(t *testing.T) {
	flow := parseFlow(t, strings.Replace(testFlow, "cancel: [", "cancel: [shop/WITHDRAWN, ", 1))
	rapid.Check(t, func(t *rapid.T) {
		b := drawBroker(t)
		i := newInstance(flow)
		i.drawMachine(t)
		list := b.arrivals(t)
		for len(list) > 0 {
			n := min(len(list), rapid.IntRange(1, 4).Draw(t, "batch"))
			deliverAll(t, i, list[:n])
			list = list[n:]
			o := i.engine.Overview()
			checkBalance(t, i.ledger.View(&o).Handoffs)
		}
		i.now = later(i.now, b.end)
		i.apply(len(i.queue))
		o := i.engine.Overview()
		got, want := checkBalance(t, i.ledger.View(&o).Handoffs), LedgerBalance{}
		var named []string
		for n := range b.trades {
			x := &b.trades[n]
			state := x.state()
			if len(x.messages) > 0 && state != LedgerEnded {
				want.Published++
			}
			want.Copies += max(0, len(x.messages)-1)
			for of, count := range map[LedgerState]*int{LedgerArrived: &want.Arrived, LedgerDeadLettered: &want.DeadLettered, LedgerLost: &want.Lost,
				LedgerUnpublished: &want.Unpublished, LedgerUnrecorded: &want.Unrecorded} {
				if of == state {
					*count++
				}
			}
			if state == LedgerEnded && len(x.messages) > 0 {
				want.Ended++
			}
			switch state {
			case LedgerLost, LedgerDeadLettered, LedgerUnpublished, LedgerUnrecorded:
				named = append(named, x.order+" "+string(state))
			}
		}
		if got.LedgerBalance != want && got.Tap != "" {
			t.Fatalf("the ledger says\n%+v\nwant\n%+v\nof %+v", got.LedgerBalance, want, b.trades)
		}
		var said []string
		for _, x := range got.Named {
			said = append(said, i.memory.orders[x.Order].Keys[0].Value+" "+string(x.State))
		}
		slices.Sort(named)
		slices.Sort(said)
		if !slices.Equal(said, named) && got.Tap != "" {
			t.Fatalf("named are %v, want %v", said, named)
		}
	})
}

func TestLedgerTimeline(t *testing.T) {
	tests := map[string]struct{ story, want string }{
		"a published message is pending until its deadline is proven, then lost": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n2m now", want: "9h0m0s published 1 pending 1",
		},
		"lost": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n6m watermark shop-db\n6m watermark tap", want: "9h0m0s published 1 lost 1; 1 lost",
		},
		"what arrives late is arrived": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n6m watermark shop-db\n7m crm/PRICED", want: "9h0m0s published 1 arrived 1",
		},
		"a message at the dead-letter exchange": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n2m tap mes.dead price.new", want: "9h0m0s published 1 dead 1; 1 dead_lettered",
		},
		"no message though the sender committed": {
			story: "0s tap mes.events other @1\n1s mes/PRICED\n7m watermark shop-db\n7m watermark tap", want: "9h0m0s unpublished 1; 1 unpublished",
		},
		"the tap has proven nothing yet": {
			story: "0s tap mes.events other @1\n1s mes/PRICED\n7m watermark shop-db\n5m watermark tap", want: "9h0m0s",
		},
		"arrived though no message was seen": {
			story: "0s tap mes.events other @1\n1s mes/PRICED\n2m crm/PRICED\n7m watermark tap", want: "9h0m0s unrecorded 1; 1 unrecorded",
		},
		"a message twice": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n2s tap mes.events price.new\n3s crm/PRICED", want: "9h0m0s published 1 arrived 1 copies 1",
		},
		"a minute in which the tap was blind claims no loss": {
			story: "0s mes/PRICED\n1s tap mes.events price.new\n6m watermark shop-db\n6m blind tap", want: "9h0m0s published 1 pending 1 incomplete",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			ledger := NewLedger(parseFlow(t, testFlow), nil)
			l.watch = func(c *Change) { ledger.Fold(c, l.clock) }
			l.play(test.story)
			o := l.engine.Overview()
			if got := tellLedger(ledger.View(&o).Handoffs[0]); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func tellLedger(v HandoffLedger) string {
	var b strings.Builder
	for _, m := range v.Minutes {
		b.WriteString(m.Minute.Sub(m.Minute.Truncate(24 * time.Hour)).String())
		for _, x := range []struct {
			word string
			n    int
		}{{"published", m.Published}, {"arrived", m.Arrived}, {"dead", m.DeadLettered}, {"pending", m.Pending}, {"lost", m.Lost},
			{"unpublished", m.Unpublished}, {"unrecorded", m.Unrecorded}, {"ended", m.Ended}, {"copies", m.Copies}} {
			if x.n > 0 {
				fmt.Fprintf(&b, " %s %d", x.word, x.n)
			}
		}
		if m.Incomplete && v.Tap != "" {
			b.WriteString(" incomplete")
		}
	}
	for _, x := range v.Named {
		fmt.Fprintf(&b, "; %d %s", x.Order, x.State)
	}
	return b.String()
}

func TestLedgerLetsGoOfWhatIsSettledAndOld(t *testing.T) {
	l := NewLedger(parseFlow(t, testFlow), nil)
	settled := Handoff{Order: 1, Stage: "price", N: 1, Entered: day0, Published: day0, Copies: 1, Left: day0}
	open := Handoff{Order: 2, Stage: "price", N: 1, Entered: day0, Published: day0, Copies: 1}
	told := func() *Change {
		return &Change{Handoffs: []OrderHandoffs{{Order: 1, Handoffs: []Handoff{settled}}, {Order: 2, Handoffs: []Handoff{open}}}}
	}
	l.Fold(told(), day0)
	now := day0.Add(LedgerKeep + 2*time.Minute)
	l.Fold(&Change{}, now)
	l.Fold(told(), now)
	view := l.View(&Overview{}).Handoffs[0]
	if view.Published+view.Pending != 2 || view.Totals != (LedgerTotals{Published: 2, Arrived: 1}) || len(l.entries) != 1 {
		t.Errorf("%+v, %d entries", view, len(l.entries))
	}
}
