package collector

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

func TestCommitTellsWhatBecameOfEachEvent(t *testing.T) {
	unsequenced := func(id string) order.Event {
		e := statusEvent(0, "7")
		e.Source, e.ID = "app", id
		return e
	}
	change := func(e order.Event, f func(*order.Event)) order.Event { f(&e); return e }
	for name, c := range map[string]struct {
		events []order.Event
		want   []string // labels
		stored int
	}{
		"new events are accepted":                   {[]order.Event{statusEvent(1, "1"), statusEvent(2, "2")}, []string{"accepted", "accepted"}, 2},
		"a sequence met again is a duplicate":       {[]order.Event{statusEvent(1, "1"), statusEvent(1, "1")}, []string{"accepted", "duplicate"}, 1},
		"an id met again is a duplicate":            {[]order.Event{unsequenced("a"), unsequenced("a"), unsequenced("b")}, []string{"accepted", "duplicate", "accepted"}, 2},
		"watermarks are no records":                 {[]order.Event{statusEvent(1, "1"), watermark(2, 1)}, []string{"accepted", "accepted"}, 1},
		"a bad event does not cost the good ones":   {[]order.Event{statusEvent(1, "1"), change(statusEvent(2, "2"), func(e *order.Event) { e.Keys = nil }), statusEvent(3, "3")}, []string{"accepted", "no_key", "accepted"}, 2},
		"another environment is rejected":           {[]order.Event{change(statusEvent(1, "1"), func(e *order.Event) { e.Environment = "prod" })}, []string{"wrong_environment"}, 0},
		"a key that the flow does not name":         {[]order.Event{change(statusEvent(1, "1"), func(e *order.Event) { e.Keys[0].Name = "crm" })}, []string{"unknown_key"}, 0},
		"an event from the future":                  {[]order.Event{change(statusEvent(1, "1"), func(e *order.Event) { e.Time = now.Add(5*time.Minute + 1) })}, []string{"from_the_future"}, 0},
		"a clock ahead by less is no future":        {[]order.Event{change(statusEvent(1, "1"), func(e *order.Event) { e.Time = now.Add(5 * time.Minute) })}, []string{"accepted"}, 1},
		"a watermark from the future":               {[]order.Event{change(watermark(1, 0), func(e *order.Event) { e.Time = now.Add(time.Hour) })}, []string{"from_the_future"}, 0},
		"a watermark that vouches for what follows": {[]order.Event{watermark(1, 5)}, []string{"bad_watermark"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, newMemory(), nil)
			outcomes, err := h.Commit(t.Context(), c.events)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range outcomes {
				got = append(got, outcomes[i].label())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if n := len(h.journal.stored()); n != c.stored {
				t.Errorf("%d records stored, want %d", n, c.stored)
			}
		})
	}
}

func TestTheClockOffsetInForceCorrectsAndIsStamped(t *testing.T) {
	h := start(t, newMemory(), nil)
	ahead := func(e order.Event) order.Event { e.Time = now.Add(time.Hour); return e }
	mark := ahead(watermark(1, 0))
	mark.Watermark.ClockOffset = time.Hour
	outcomes, err := h.Commit(t.Context(), []order.Event{mark, ahead(statusEvent(2, "1"))})
	if err != nil || outcomes[0].Result != Accepted || outcomes[1].Result != Accepted {
		t.Fatalf("%+v %v", outcomes, err)
	}
	if r := h.journal.stored()[0]; r.Offset != time.Hour || !r.Event.Time.Equal(now.Add(time.Hour)) {
		t.Errorf("offset %v, time %v", r.Offset, r.Event.Time)
	}
}

func TestARejectedSequenceHoldsNoWatermarkBack(t *testing.T) {
	h := start(t, newMemory(), nil)
	bad := statusEvent(2, "2")
	bad.Status = "\xff"
	if _, err := h.Commit(t.Context(), []order.Event{statusEvent(1, "1"), bad, watermark(3, 2)}); err != nil {
		t.Fatal(err)
	}
	if s := h.journal.source("mes-db"); !s.Watermark.Equal(now.Add(-time.Minute)) || s.Rejected != 1 {
		t.Errorf("watermark %v, rejected %d", s.Watermark, s.Rejected)
	}
}

func TestAFailedBatchIsNotThereAndCanComeAgain(t *testing.T) {
	m := newMemory()
	m.fail = 1
	h := start(t, m, nil)
	events := []order.Event{statusEvent(1, "1"), watermark(2, 1)}
	if _, err := h.Commit(t.Context(), events); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	outcomes, err := h.Commit(t.Context(), events)
	if err != nil || outcomes[0].Result != Accepted || outcomes[1].Result != Accepted {
		t.Fatalf("sent again: %+v %v", outcomes, err)
	}
	_ = h.stop()
	if len(m.stored()) != 1 || len(h.handedOn()) != 1 || m.stored()[0].Order != 1 {
		t.Errorf("stored %v, handed on %v", m.stored(), h.handedOn())
	}
}

func TestALostAnswerMakesNoDuplicateAndReachesTheEngine(t *testing.T) {
	m := newMemory()
	m.loseAnswer = 1
	h := start(t, m, nil)
	events := []order.Event{statusEvent(1, "1"), statusEvent(2, "2")}
	if _, err := h.Commit(t.Context(), events); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	outcomes, err := h.Commit(t.Context(), append(events, statusEvent(3, "1")))
	if err != nil || outcomes[0].Result != Duplicate || outcomes[2].Result != Accepted {
		t.Fatalf("sent again: %+v %v", outcomes, err)
	}
	_ = h.stop()
	if len(m.stored()) != 3 || len(h.handedOn()) != 3 || h.handedOn()[2].Seq != 3 {
		t.Errorf("stored %d, handed on %v", len(m.stored()), h.handedOn())
	}
}

func TestAJournalMovedByAnotherEndsTheCommitter(t *testing.T) {
	m := newMemory()
	m.fail = 1
	h := start(t, m, nil)
	_, _ = h.Commit(t.Context(), []order.Event{statusEvent(1, "1")})
	m.mu.Lock()
	m.records = make([]sla.Record, 7)
	m.mu.Unlock()
	if _, err := h.Commit(t.Context(), []order.Event{statusEvent(1, "1")}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := h.stop(); !errors.Is(err, errMoved) {
		t.Errorf("run returned %v", err)
	}
	if _, err := h.Commit(t.Context(), []order.Event{statusEvent(1, "1")}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
}

func TestARestartRemembers(t *testing.T) {
	m := newMemory()
	h := start(t, m, nil)
	_, _ = h.Commit(t.Context(), []order.Event{statusEvent(1, "1"), statusEvent(3, "2")})
	_ = h.stop()
	h = start(t, m, nil)
	linked := statusEvent(2, "1")
	linked.Keys = append(linked.Keys, order.Key{Name: "shop", Value: "9"})
	outcomes, err := h.Commit(t.Context(), []order.Event{statusEvent(1, "1"), linked, statusEvent(3, "2"), statusEvent(4, "3")})
	if err != nil || outcomes[0].Result != Duplicate || outcomes[1].Result != Accepted || outcomes[2].Result != Duplicate {
		t.Fatalf("%+v %v", outcomes, err)
	}
	if r := m.stored(); len(r) != 4 || r[2].Order != 1 || r[3].Order != 3 {
		t.Errorf("%+v", r)
	}
}

func TestRequestsThatWaitShareABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.block = make(chan struct{})
		h := start(t, m, nil)
		var wg sync.WaitGroup
		send := func(seq uint64) {
			wg.Go(func() {
				if _, err := h.Commit(t.Context(), []order.Event{statusEvent(seq, fmt.Sprint(seq))}); err != nil {
					t.Error(err)
				}
			})
		}
		send(1)
		synctest.Wait() // the first is in the journal's hands
		for seq := uint64(2); seq <= 20; seq++ {
			send(seq)
		}
		synctest.Wait() // the others wait
		close(m.block)
		wg.Wait()
		_ = h.stop()
		if len(h.out) != 2 || m.lookups != 2 {
			t.Errorf("%d batches and %d look-ups, want 2 and 2", len(h.out), m.lookups)
		}
	})
}

func TestARequestThatCanNeverBeStoredFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h := start(t, m, nil)
		for round := range 2 {
			m.mu.Lock()
			m.block = make(chan struct{})
			m.mu.Unlock()
			answers := map[string]chan error{}
			for i, key := range []string{"first", poison, "good"} { // the first holds the journal while the others gather
				answers[key] = make(chan error, 1)
				go func() {
					_, err := h.Commit(t.Context(), []order.Event{statusEvent(uint64(10*round+i+1), key)})
					answers[key] <- err
				}()
				synctest.Wait()
			}
			close(m.block)
			if err := <-answers["first"]; err != nil {
				t.Errorf("round %d: first: %v", round, err)
			}
			if err := <-answers[poison]; !errors.Is(err, ErrUnavailable) {
				t.Errorf("round %d: poison: %v", round, err)
			}
			if err := <-answers["good"]; (err == nil) != (round == 1) {
				t.Errorf("round %d: good: %v", round, err)
			}
		}
		_ = h.stop()
	})
}

func TestNothingIsAcknowledgedWhileTheEngineIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		out := make(chan *sla.Batch)
		c, err := NewCommitter(CommitterOptions{Journal: m, Position: m.Position, Flow: testFlow(), Out: out, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ran, answered := make(chan error, 1), make(chan error, 1)
		go func() { ran <- c.Run(ctx) }()
		go func() {
			_, err := c.Commit(t.Context(), []order.Event{statusEvent(1, "1")})
			answered <- err
		}()
		synctest.Wait()
		select {
		case <-answered:
			t.Error("acknowledged")
		default:
		}
		<-out
		if err := <-answered; err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

func TestAHoleIsGivenUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h := start(t, m, func(o *CommitterOptions) { o.Now = time.Now })
		lost := statusEvent(1, "1")
		lost.Time = time.Now()
		mark := watermark(3, 2)
		mark.Time = time.Now()
		if _, err := h.Commit(t.Context(), []order.Event{lost, mark}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		synctest.Wait()
		if s := m.source("mes-db"); !s.Watermark.IsZero() {
			t.Errorf("watermark %v too early", s.Watermark)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := m.source("mes-db"); s.Watermark.IsZero() || len(s.Gaps) != 1 || s.Gaps[0].Reason != sla.ReasonLost {
			t.Errorf("watermark %v, gaps %v", s.Watermark, s.Gaps)
		}
		_ = h.stop()
	})
}

func TestManySendersWithRetriesAndFailuresLoseAndDoubleNothing(t *testing.T) {
	m := newMemory()
	h := start(t, m, func(o *CommitterOptions) { o.MaxWaiting = 4 })
	const senders, each = 8, 150
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(s), 3))
			for seq := uint64(1); seq <= each; seq += 5 {
				var events []order.Event
				for i := range uint64(5) {
					e := statusEvent(seq+i, fmt.Sprint(rng.IntN(50)))
					e.Source = fmt.Sprint("source-", s)
					events = append(events, e)
				}
				m.mu.Lock()
				m.fail, m.loseAnswer = rng.IntN(8)/7, rng.IntN(8)/7
				m.mu.Unlock()
				for {
					if _, err := h.Commit(t.Context(), events); err == nil && rng.IntN(4) > 0 {
						break // else the answer was lost: send again
					}
				}
			}
		})
	}
	wg.Wait()
	_ = h.stop()
	stored, handed := m.stored(), h.handedOn()
	if len(stored) != senders*each || len(handed) != len(stored) {
		t.Fatalf("stored %d, handed on %d, want %d", len(stored), len(handed), senders*each)
	}
	owner := map[order.Key]sla.OrderID{}
	for i, r := range stored {
		if r.Seq != int64(i+1) || handed[i].Seq != r.Seq {
			t.Fatalf("record %d has sequence %d, handed on %d", i, r.Seq, handed[i].Seq)
		}
		if id, ok := owner[r.Event.Keys[0]]; ok && id != r.Order {
			t.Fatalf("key %v is of order %d and %d", r.Event.Keys[0], id, r.Order)
		}
		owner[r.Event.Keys[0]] = r.Order
	}
	for name, s := range m.sources {
		if s.Epochs[0].Through != each {
			t.Errorf("%s through %d", name, s.Epochs[0].Through)
		}
	}
}

func TestEventsAreCountedBySourceOfTheFlow(t *testing.T) {
	h := start(t, newMemory(), nil)
	stranger := statusEvent(1, "2")
	stranger.Source = "stranger"
	bad := statusEvent(2, "")
	if _, err := h.Commit(t.Context(), []order.Event{statusEvent(1, "1"), statusEvent(1, "1"), stranger, bad}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"duplicate [mes-db] 1", "duplicate [other] 0", "duplicate [shop-db] 0",
		"events [accepted mes-db] 1", "events [accepted other] 1", "events [accepted shop-db] 0",
		"events [bad_key mes-db] 1",
		"events [duplicate mes-db] 1", "events [duplicate other] 0", "events [duplicate shop-db] 0",
	}
	if got := h.counters(t); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
