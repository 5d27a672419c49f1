package sla

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

var epochStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func second(n int) time.Time { return epochStart.Add(time.Duration(n) * time.Second) }

func at(epoch int64, seq uint64) order.Position {
	return order.Position{Source: "mes-db", Epoch: epoch, Seq: seq}
}

func statusOf(epoch int64, seq uint64, sec int) order.Event {
	return order.Event{Kind: order.KindStatus, Position: at(epoch, seq), Time: second(sec), Observed: second(sec)}
}

func mark(epoch int64, seq, through uint64, sec int) order.Event {
	return order.Event{Kind: order.KindWatermark, Position: at(epoch, seq), Time: second(sec), Observed: second(sec),
		Watermark: order.Watermark{Through: through}}
}

func gap(epoch int64, seq uint64, from, to int, repaired bool) order.Event {
	return order.Event{Kind: order.KindGap, Position: at(epoch, seq), Time: second(to), Observed: second(to),
		Gap: order.Gap{From: second(from), To: second(to), Reason: "test", Repaired: repaired}}
}

var receivedAt = second(100_000)

func takeAll(t *testing.T, tr *Tracker, events ...order.Event) SourceState {
	t.Helper()
	for i := range events {
		if got := tr.Take(&events[i], receivedAt); got != TakenAccepted {
			t.Fatalf("%+v: taken %d", events[i].Position, got)
		}
	}
	tr.Commit()
	s, _ := tr.State("mes-db")
	return s
}

func TestWatermark(t *testing.T) {
	for name, c := range map[string]struct {
		events []order.Event
		want   int // seconds; 0: none
		gaps   [][2]int
	}{
		"takes effect at once where everything is here":           {[]order.Event{statusOf(1, 1, 10), mark(1, 2, 1, 20)}, 20, nil},
		"waits for a missing record":                              {[]order.Event{statusOf(1, 1, 10), mark(1, 3, 2, 20)}, 0, nil},
		"takes effect when the missing record comes":              {[]order.Event{mark(1, 3, 2, 20), statusOf(1, 2, 11), statusOf(1, 1, 10)}, 20, nil},
		"never moves back":                                        {[]order.Event{mark(1, 1, 0, 20), mark(1, 2, 1, 15)}, 20, nil},
		"a stated gap is open":                                    {[]order.Event{gap(1, 1, 5, 9, false), mark(1, 2, 1, 20)}, 20, [][2]int{{5, 9}}},
		"a repair counts once what follows it is proven":          {[]order.Event{gap(1, 1, 5, 9, false), mark(1, 2, 1, 20), gap(1, 3, 4, 9, true)}, 20, [][2]int{{5, 9}}},
		"a proven repair closes the gap":                          {[]order.Event{gap(1, 1, 5, 9, false), gap(1, 2, 4, 9, true), statusOf(1, 3, 9), mark(1, 4, 3, 20)}, 20, nil},
		"a repair closes only what was stated before it":          {[]order.Event{gap(1, 1, 4, 9, true), gap(1, 2, 5, 9, false), mark(1, 3, 2, 20)}, 20, [][2]int{{5, 9}}},
		"a repair elsewhere closes nothing":                       {[]order.Event{gap(1, 1, 5, 9, false), gap(1, 2, 10, 11, true), mark(1, 3, 2, 20)}, 20, [][2]int{{5, 9}}},
		"a new epoch opens a gap":                                 {[]order.Event{mark(1, 1, 0, 20), statusOf(2, 1, 29), mark(2, 2, 1, 30)}, 30, [][2]int{{20, 30}}},
		"until the new epoch proves something the old one's does": {[]order.Event{mark(1, 1, 0, 20), statusOf(2, 1, 29)}, 20, nil},
		"a repair in the new epoch closes the gap before it":      {[]order.Event{mark(1, 1, 0, 20), gap(2, 1, 20, 29, true), statusOf(2, 2, 12), mark(2, 3, 2, 30)}, 30, nil},
		"a late watermark of the old epoch narrows the gap":       {[]order.Event{mark(1, 1, 0, 20), mark(2, 1, 0, 30), mark(1, 2, 1, 25)}, 30, [][2]int{{25, 30}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := takeAll(t, NewTracker(nil), c.events...)
			want := time.Time{}
			if c.want > 0 {
				want = second(c.want)
			}
			if !s.Watermark.Equal(want) {
				t.Errorf("watermark %v, want %v", s.Watermark, want)
			}
			var gaps [][2]int
			for _, g := range s.Gaps {
				gaps = append(gaps, [2]int{int(g.From.Sub(epochStart).Seconds()), int(g.To.Sub(epochStart).Seconds())})
			}
			if !reflect.DeepEqual(gaps, c.gaps) {
				t.Errorf("gaps %v, want %v", gaps, c.gaps)
			}
		})
	}
}

func TestTakeRefuses(t *testing.T) {
	tr := NewTracker(nil)
	takeAll(t, tr, statusOf(5, 1, 1), statusOf(5, 3, 1))
	for name, c := range map[string]struct {
		event order.Event
		want  Taken
	}{
		"a duplicate below the mark":     {statusOf(5, 1, 1), TakenDuplicate},
		"a duplicate ahead of the mark":  {statusOf(5, 3, 1), TakenDuplicate},
		"a watermark from the future":    {mark(5, 2, 1, 100_000+301), TakenFuture},
		"a watermark without a sequence": {mark(5, 0, 0, 1), TakenUnsequenced},
	} {
		if got := tr.Take(&c.event, receivedAt); got != c.want {
			t.Errorf("%s: taken %d, want %d", name, got, c.want)
		}
	}
	s, _ := tr.State("mes-db")
	if s.Epochs[0].Through != 3 || !s.Watermark.IsZero() || s.Duplicates != 2 || s.Rejected != 1 {
		t.Errorf("after refusals: %+v", s)
	}
	tr.Rollback()
	if s, _ := tr.State("mes-db"); s.Epochs[0].Through != 1 || s.Duplicates != 0 {
		t.Errorf("after rollback: %+v", s)
	}
}

func TestOldEpochsAreForgotten(t *testing.T) {
	tr := NewTracker(nil)
	for e := int64(1); e <= 20; e++ {
		takeAll(t, tr, mark(e, 1, 0, int(e)*10))
	}
	old, kept := statusOf(4, 2, 1), statusOf(5, 2, 51)
	if got := tr.Take(&old, receivedAt); got != TakenStaleEpoch {
		t.Errorf("epoch 4: taken %d", got)
	}
	if got := tr.Take(&kept, receivedAt); got != TakenAccepted {
		t.Errorf("epoch 5: taken %d", got)
	}
	s, _ := tr.State("mes-db")
	if len(s.Epochs) != maxEpochs || len(s.Gaps) != 19 || !s.Gaps[0].From.Equal(second(10)) {
		t.Errorf("%d epochs, gaps %v", len(s.Epochs), s.Gaps)
	}
}

func TestARejectedRecordHoldsNothingBack(t *testing.T) {
	tr := NewTracker(nil)
	takeAll(t, tr, statusOf(1, 1, 1), mark(1, 3, 2, 20))
	if !tr.Reject(at(1, 2), receivedAt) {
		t.Fatal("not remembered")
	}
	if s, _ := tr.State("mes-db"); !s.Watermark.Equal(second(20)) || s.Rejected != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOffsetIsInForceAfterItsWatermark(t *testing.T) {
	m := mark(1, 2, 1, 20)
	m.Watermark.ClockOffset = time.Second
	later := mark(1, 6, 5, 30)
	later.Watermark.ClockOffset = 2 * time.Second
	tr := NewTracker(nil)
	takeAll(t, tr, m, later)
	for seq, want := range map[uint64]time.Duration{1: 0, 2: 0, 3: time.Second, 6: time.Second, 7: 2 * time.Second} {
		if got := tr.OffsetAt(at(1, seq)); got != want {
			t.Errorf("seq %d: %v, want %v", seq, got, want)
		}
	}
	if got := tr.OffsetAt(at(2, 1)); got != 2*time.Second {
		t.Errorf("a new epoch goes on with the last offset, got %v", got)
	}
}

func TestExpireGivesUpHoles(t *testing.T) {
	tr := NewTracker(nil)
	takeAll(t, tr, mark(1, 1, 0, 10), statusOf(1, 3, 15), mark(1, 4, 3, 20), statusOf(1, 6, 25), mark(1, 7, 6, 30))
	if n := tr.Expire(receivedAt.Add(time.Minute), 15*time.Minute); n != 0 || len(tr.Touched()) != 0 {
		t.Fatalf("gave up %d too early", n)
	}
	if n := tr.Expire(receivedAt.Add(15*time.Minute), 15*time.Minute); n != 2 {
		t.Fatalf("gave up %d holes, want 2", n)
	}
	s := tr.Touched()[0]
	if !s.Watermark.Equal(second(30)) || len(s.Gaps) != 2 || !s.Gaps[0].From.Equal(second(10)) || !s.Gaps[1].To.Equal(second(30)) {
		t.Fatalf("%v %v", s.Watermark, s.Gaps)
	}
	tr.Commit()
	late := statusOf(1, 2, 12)
	if got := tr.Take(&late, receivedAt); got != TakenAccepted {
		t.Errorf("a record given up that comes after all: taken %d", got)
	}
	if got := tr.Take(&late, receivedAt); got != TakenDuplicate {
		t.Errorf("its duplicate: taken %d", got)
	}
}

func TestExpireWithoutAWatermarkClaimsNothing(t *testing.T) {
	tr := NewTracker(nil)
	takeAll(t, tr, mark(1, 1, 0, 10), statusOf(1, 3, 15))
	now := receivedAt.Add(time.Hour)
	if n := tr.Expire(now, 15*time.Minute); n != 1 {
		t.Fatalf("gave up %d", n)
	}
	s := tr.Touched()[0]
	if len(s.Gaps) != 1 || !s.Gaps[0].From.Equal(second(10)) || !s.Gaps[0].To.Equal(now) || s.Epochs[0].Through != 3 {
		t.Errorf("%+v", s)
	}
}

func TestBounds(t *testing.T) {
	tr := NewTracker(nil)
	for i := range uint64(maxAhead) {
		e := statusOf(1, 2*i+3, 1)
		if got := tr.Take(&e, receivedAt); got != TakenAccepted {
			t.Fatalf("hole %d: taken %d", i, got)
		}
	}
	over, fill := statusOf(1, 1<<40, 1), statusOf(1, 4, 1)
	if got := tr.Take(&over, receivedAt); got != TakenOverflow {
		t.Errorf("one hole too many: taken %d", got)
	}
	if got := tr.Take(&fill, receivedAt); got != TakenAccepted {
		t.Errorf("a record that fills a hole: taken %d", got)
	}
	tr = NewTracker(nil)
	for i := range uint64(maxGaps + 50) {
		takeAll(t, tr, gap(1, i+1, int(i)*10, int(i)*10+5, false))
	}
	s, _ := tr.State("mes-db")
	if len(s.Gaps) != maxGaps || !s.Gaps[0].From.Equal(second(0)) || !s.Gaps[0].To.Equal(second(50*10+5)) {
		t.Errorf("%d gaps, first %v", len(s.Gaps), s.Gaps[0])
	}
	for i := range maxSources + 5 {
		e := statusOf(1, 1, 1)
		e.Source = fmt.Sprint("source-", i)
		if got := tr.Take(&e, receivedAt); (got == TakenOverflow) != (i >= maxSources-1) {
			t.Fatalf("source %d: taken %d", i, got)
		}
	}
}

func TestTouchedAreCopies(t *testing.T) {
	tr := NewTracker(nil)
	e := mark(1, 5, 4, 20)
	tr.Take(&e, receivedAt)
	touched := tr.Touched()
	touched[0].Epochs[0].Ahead[0] = Range{1, 100}
	touched[0].Epochs[0].Pending[0].Mark.Through = 0
	if s := tr.Touched()[0]; s.Epochs[0].Ahead[0] != (Range{5, 5}) || s.Epochs[0].Pending[0].Mark.Through != 4 {
		t.Errorf("a caller reached the tracker's own state: %+v", s.Epochs[0])
	}
}

// stream is a simulated source: the records that it sent, and the facts that no record tells of
// but a snapshot that came later.
type stream struct {
	sent    []order.Event
	missed  []missedFact
	repairs []order.Position
}

type missedFact struct {
	at     time.Time
	before int // repairs[before:] stand in for it
}

func (s *stream) miss(sec int) {
	s.missed = append(s.missed, missedFact{second(sec), len(s.repairs)})
}

func (s *stream) repair(e int64, seq uint64, from, to int) {
	s.sent = append(s.sent, gap(e, seq, from, to, true))
	s.repairs = append(s.repairs, at(e, seq))
}

func simulate(rng *rand.Rand) stream {
	var s stream
	clock := 10
	for e := int64(1); e <= int64(1+rng.IntN(3)); e++ {
		seq := uint64(0)
		next := func() uint64 { seq++; return seq }
		if e > 1 { // between incarnations nobody listened
			began := clock
			for range rng.IntN(3) {
				clock++
				s.miss(clock)
			}
			clock++
			if rng.IntN(2) == 0 {
				s.repair(e, next(), began, clock)
			}
		}
		start := clock
		for range 5 + rng.IntN(25) {
			clock++
			switch rng.IntN(6) {
			case 0, 1:
				through := seq
				m := mark(e, next(), through, max(start, clock-rng.IntN(3))) // it may lag behind the facts before it
				m.Observed = second(clock)
				m.Watermark.ClockOffset = time.Duration(rng.IntN(3)) * time.Millisecond
				m.Watermark.Queues = []order.QueueDepth{{Queue: "q", Messages: int64(clock)}}
				s.sent = append(s.sent, m)
			case 2:
				from := clock
				s.miss(clock + 1)
				clock += 2
				s.sent = append(s.sent, gap(e, next(), from, clock, false))
				if rng.IntN(2) == 0 {
					s.repair(e, next(), from, clock)
				}
			default:
				s.sent = append(s.sent, statusOf(e, next(), clock))
			}
		}
	}
	return s
}

// proves is the oracle's question: does the state claim that everything that happened at t is here?
func proves(s *SourceState, t time.Time) bool {
	return !t.After(s.Watermark) && !slices.ContainsFunc(s.Gaps, func(g order.Gap) bool {
		return !t.Before(g.From) && !t.After(g.To)
	})
}

func TestAnyArrivalGivesOneStateAndNeverClaimsTooMuch(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := simulate(rng)
		var want string
		for round := range 4 {
			arrival := slices.Clone(s.sent)
			if round > 0 { // the first comes in the order of sending
				for range rng.IntN(10) {
					arrival = append(arrival, s.sent[rng.IntN(len(s.sent))])
				}
				rng.Shuffle(len(arrival), func(i, j int) { arrival[i], arrival[j] = arrival[j], arrival[i] })
			}
			got := deliver(t, seed, rng, s, arrival)
			got.Duplicates = 0
			for i := range got.Epochs { // which records came before their offset was known is a matter of arrival
				got.Epochs[i].Offsets = nil
			}
			text := fmt.Sprintf("%+v", got)
			if round == 0 {
				want = text
			} else if text != want {
				t.Fatalf("seed %d round %d:\nin order  %s\nthis time %s", seed, round, want, text)
			}
		}
	}
}

func deliver(t *testing.T, seed uint64, rng *rand.Rand, s stream, arrival []order.Event) SourceState {
	tr := NewTracker(nil)
	here := map[order.Position]bool{}
	for len(arrival) > 0 {
		n := min(len(arrival), 1+rng.IntN(4))
		batch := map[order.Position]bool{}
		for i := range arrival[:n] {
			p := arrival[i].Position
			before := tr.Seen(p)
			taken := tr.Take(&arrival[i], receivedAt)
			if want := here[p] || batch[p]; before != want || (taken == TakenDuplicate) != want || !tr.Seen(p) {
				t.Fatalf("seed %d: %+v is told apart wrongly: taken %d", seed, p, taken)
			}
			batch[p] = true
		}
		if rng.IntN(5) == 0 {
			tr.Rollback()
			continue
		}
		states := tr.Touched()
		tr.Commit()
		if rng.IntN(5) == 0 {
			tr = NewTracker(states) // a restart
		}
		for i := range arrival[:n] {
			here[arrival[i].Position] = true
		}
		arrival = arrival[n:]
		if states[0].Epochs[0].Epoch != 1 {
			continue // nobody can know of a stream of which nothing came
		}
		for _, e := range s.sent {
			standIn := slices.ContainsFunc(s.repairs, func(p order.Position) bool { return p.Epoch > e.Epoch && here[p] })
			if e.Kind == order.KindStatus && !here[e.Position] && !standIn && proves(&states[0], e.Time) {
				t.Fatalf("seed %d: %+v at %v is not here, and the watermark %v claims it is", seed, e.Position, e.Time, states[0].Watermark)
			}
		}
		for _, m := range s.missed {
			standIn := slices.ContainsFunc(s.repairs[m.before:], func(p order.Position) bool { return here[p] })
			if !standIn && proves(&states[0], m.at) {
				t.Fatalf("seed %d: what happened at %v was never told, and watermark %v, gaps %v claim it was", seed, m.at, states[0].Watermark, states[0].Gaps)
			}
		}
	}
	state, _ := tr.State("mes-db")
	return state
}
