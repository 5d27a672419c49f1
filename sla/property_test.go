package sla

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/order"
)

// Whatever the arrival, the batches and the restarts, the same facts give the same orders, and
// those are the reference's. To look longer: go test ./sla -run TestSameFacts -rapid.checks=100000
func TestSameFactsGiveOneResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		i := newInstance(w.flow)
		i.awake = rapid.IntRange(0, 1).Draw(t, "awake")
		i.shards = rapid.IntRange(0, 8).Draw(t, "shards")
		i.restart()
		deliverAll(t, i, w.shuffle(t))
		w.check(t, i)
	})
}

// Where everything comes in order and an order's names are known from the start, nothing that was
// said is ever taken back.
func TestNothingIsRetractedOfWhatComesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		i := newInstance(w.flow)
		deliverAll(t, i, w.inOrder())
		w.check(t, i)
		if n := i.memory.retracted(); n > 0 && !w.merges {
			t.Fatalf("%d verdicts were taken back in\n%s\n%s", n, w.text, w)
		}
	})
}

// However many shards there are, they say what one engine says, causes and evidence included.
func TestShardsSayWhatOneEngineSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		one, many := newInstance(w.flow), newInstance(w.flow)
		many.shards = rapid.IntRange(1, 8).Draw(t, "shards") // in which every order may fall asleep
		many.restart()
		for list := w.shuffle(t); len(list) > 0; {
			n := min(len(list), rapid.IntRange(1, 5).Draw(t, "batch"))
			then := rapid.IntRange(0, 9).Draw(t, "then")
			for _, i := range []*instance{one, many} {
				var events []order.Event
				for _, a := range list[:n] {
					events = append(events, a.event)
					i.now = later(i.now, a.at)
				}
				i.commit(events)
				switch then {
				case 0:
					i.restart()
				case 1: // the queue grows
				default:
					i.apply(len(i.queue))
				}
			}
			list = list[n:]
		}
		for _, i := range []*instance{one, many} {
			i.now = later(i.now, w.end.Add(10*order.Day))
			i.apply(len(i.queue))
		}
		if got, want := tellAll(many), tellAll(one); got != want {
			t.Fatalf("%d shards say\n%s\nand one engine\n%s\nin\n%s\n%s", many.shards, got, want, w.text, w)
		}
	})
}

// tellAll tells everything that an instance has said.
func tellAll(i *instance) string {
	var lines []string
	for _, o := range i.memory.orders {
		lines = append(lines, fmt.Sprintf("%+v", o))
	}
	for _, a := range i.memory.audit {
		lines = append(lines, fmt.Sprintf("%+v", a))
	}
	slices.Sort(lines)
	return strings.Join(append(lines, fmt.Sprintf("%+v", i.engine.Overview())), "\n")
}

// arrival is a record on its way to us.
type arrival struct {
	event order.Event
	at    time.Time
}

func (w *world) inOrder() []arrival {
	list := make([]arrival, len(w.sent))
	for i, s := range w.sent {
		list[i] = arrival{s.event, s.at}
	}
	return list
}

// shuffle lets records come late, twice and out of order. Only an incarnation of a source is not
// overtaken by the next: of what comes of it later nobody could have known. And where orders end, a
// watermark that changes its source's clock offset is not: an order that was let go is not moved.
func (w *world) shuffle(t *rapid.T) []arrival {
	var list []arrival
	first, last := map[string]time.Time{}, map[string]time.Time{}
	previous := map[string]sent{}
	for _, s := range w.sent {
		before := previous[s.event.Source]
		previous[s.event.Source] = s
		if s.event.Seq == 1 || before.shift && w.ends {
			first[s.event.Source] = last[s.event.Source]
		}
		for again := true; again; again = chance(t, 6, "again") {
			at := s.at.Add(oneOf(t, "delay", 0, time.Second, time.Hour, 4*order.Day))
			at = later(at, first[s.event.Source])
			list = append(list, arrival{s.event, at})
			last[s.event.Source] = later(last[s.event.Source], at)
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.at.Compare(b.at) })
	return list
}

// deliverAll hands records to an instance, in batches, with everything that may happen in between.
func deliverAll(t *rapid.T, i *instance, list []arrival) {
	for len(list) > 0 {
		n := min(len(list), rapid.IntRange(1, 5).Draw(t, "batch"))
		for _, a := range list[:n] {
			i.now = later(i.now, a.at)
		}
		i.commit(events(list[:n]))
		list = list[n:]
		switch rapid.IntRange(0, 9).Draw(t, "then") {
		case 0:
			i.restart()
		case 1:
			i.crash()
		case 2, 3: // the queue grows
		default:
			i.apply(rapid.IntRange(1, len(i.queue)).Draw(t, "apply"))
		}
	}
}

func events(list []arrival) []order.Event {
	events := make([]order.Event, len(list))
	for i, a := range list {
		events[i] = a.event
	}
	return events
}

// check lets time pass to the end and holds what the instance says to the reference.
func (w *world) check(t *rapid.T, i *instance) {
	i.now = later(i.now, w.end.Add(10*order.Day))
	i.apply(len(i.queue))
	sources := w.sources()
	want := map[string]Order{}
	var told []string
	for keys, records := range w.partition() {
		want[keys] = referenceOrder(w.flow, records, i.now, sources)
		told = append(told, keys+" "+tellOrder(want[keys]))
	}
	var got []string
	for _, o := range i.memory.orders {
		got = append(got, keysText(o.Keys)+" "+tellOrder(o))
	}
	slices.Sort(told)
	slices.Sort(got)
	if !slices.Equal(told, got) {
		t.Fatalf("the reference says\n%s\nand the engine\n%s\nin\n%s\n%s\nsources %+v", strings.Join(told, "\n"), strings.Join(got, "\n"), w.text, w, sources)
	}
	w.checkVerdicts(t, i)
	w.checkOverview(t, i, want)
}

// tellOrder leaves out what depends on when a verdict was reached, and in whose company.
func tellOrder(o Order) string {
	var b strings.Builder
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("02T15:04:05.999")
	}
	fmt.Fprintf(&b, "%s %s..%s ended %s %v %+v\n", o.State, stamp(o.Created), stamp(o.Updated), stamp(o.Ended), o.Attrs, o.Counts)
	for _, v := range o.Visits {
		fmt.Fprintf(&b, "  %s#%d %s..%s deadline %s %s rework=%t inferred=%t\n", v.Stage, v.N, stamp(v.Entered), stamp(v.Left), stamp(v.Deadline), v.Verdict, v.Rework, v.Inferred)
	}
	for _, p := range o.Promises {
		fmt.Fprintf(&b, "  %s %s..%s due %s %s paused=%t\n", p.Name, stamp(p.Start), stamp(p.Stop), stamp(p.Due), p.Verdict, p.Paused)
	}
	return b.String()
}

// checkVerdicts holds what was said to what stands in the read model, and to the truth.
func (w *world) checkVerdicts(t *rapid.T, i *instance) {
	marked := map[claim]bool{}
	for _, o := range i.memory.orders {
		for _, v := range o.Visits {
			if v.StuckAt.IsZero() {
				continue
			}
			marked[claim{o.ID, v.Stage, v.N}] = true
			if !v.Open() && !v.Left.After(v.Deadline) {
				t.Fatalf("%s#%d of %s stands as stuck and ended in time", v.Stage, v.N, keysText(o.Keys))
			}
		}
	}
	if said := i.memory.standing(); !maps.Equal(said, marked) {
		t.Fatalf("standing is what was said of %v, marked is %v in\n%s\n%s", said, marked, w.text, w)
	}
}

// checkOverview holds the running counters to a count of the orders.
func (w *world) checkOverview(t *rapid.T, i *instance, orders map[string]Order) {
	view := i.engine.Overview()
	for s, stage := range w.flow.Stages {
		var open, stuck, unknown int
		for _, o := range orders {
			for _, v := range o.Visits {
				if v.Stage == stage.Name && v.Open() {
					open++
					stuck += btoi(v.Verdict == VerdictStuck)
					unknown += btoi(v.Verdict == VerdictUnknown)
				}
			}
		}
		if got := view.Stages[s]; got.Open != open || got.Stuck != stuck || got.Unknown != unknown {
			t.Fatalf("stage %s: the overview counts open %d, stuck %d, unknown %d; there are %d, %d, %d",
				stage.Name, got.Open, got.Stuck, got.Unknown, open, stuck, unknown)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sources returns what the sources prove in the end.
func (w *world) sources() map[string]SourceState {
	tracker := NewTracker(nil)
	for _, s := range w.sent {
		tracker.Take(&s.event, s.at)
	}
	tracker.Commit()
	states := map[string]SourceState{}
	for _, s := range w.flow.Sources {
		states[s.Name], _ = tracker.State(s.Name)
	}
	return states
}

// partition tells orders apart by the names that link them.
func (w *world) partition() map[string][]Record {
	group := map[order.Key]int{} // every key's group, a number
	var groups []map[order.Key]bool
	for _, s := range w.sent {
		joined := map[order.Key]bool{}
		for _, k := range s.event.Keys {
			joined[k] = true
			if g, ok := group[k]; ok {
				for other := range groups[g] {
					joined[other] = true
				}
			}
		}
		groups = append(groups, joined)
		for k := range joined {
			group[k] = len(groups) - 1
		}
	}
	orders := map[string][]Record{}
	for _, s := range w.sent {
		if len(s.event.Keys) == 0 {
			continue
		}
		var keys []order.Key
		for _, name := range w.flow.Keys {
			for k := range groups[group[s.event.Keys[0]]] {
				if k.Name == name {
					keys = append(keys, k)
				}
			}
		}
		text := keysText(keys)
		orders[text] = append(orders[text], Record{Event: s.event, Offset: s.offset})
	}
	return orders
}

// String tells what happened, for the report of a failure.
func (w *world) String() string {
	var b strings.Builder
	for _, s := range w.sent {
		e := &s.event
		fmt.Fprintf(&b, "%s %s %d.%d%s %s/%s %s %v", s.at.Format("02T15:04:05.0"), e.Source, e.Epoch, e.Seq, e.ID, e.System, e.Status, keysText(e.Keys), e.Attrs)
		if e.Inferred {
			b.WriteString(" inferred")
		}
		switch e.Kind {
		case order.KindWatermark:
			fmt.Fprintf(&b, " watermark through %d offset %s", e.Watermark.Through, e.Watermark.ClockOffset)
		case order.KindGap:
			fmt.Fprintf(&b, " gap %v", e.Gap)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
