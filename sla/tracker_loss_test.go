package sla

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Records that never come are given up in the end, and nothing is claimed of their time.
func TestWhatIsLostForGoodIsNeverClaimed(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 4))
		s := simulate(rng)
		lost := map[order.Position]bool{}
		var arrival []order.Event
		for _, e := range s.sent {
			if rng.IntN(8) == 0 && e.Kind == order.KindStatus {
				lost[e.Position] = true
				continue
			}
			arrival = append(arrival, e)
		}
		rng.Shuffle(len(arrival), func(i, j int) { arrival[i], arrival[j] = arrival[j], arrival[i] })
		tr := NewTracker(nil)
		for i := range arrival {
			clock := receivedAt.Add(time.Duration(i) * time.Minute)
			tr.Take(&arrival[i], clock)
			if rng.IntN(3) == 0 {
				tr.Expire(clock, 15*time.Minute)
			}
			tr.Commit()
		}
		tr.Expire(receivedAt.Add(24*time.Hour), 15*time.Minute)
		tr.Expire(receivedAt.Add(25*time.Hour), 15*time.Minute) // what came last was not old enough before
		got := tr.Touched()
		tr.Commit()
		if len(got) == 0 {
			state, _ := tr.State("mes-db")
			got = []SourceState{state}
		}
		for _, ep := range got[0].Epochs {
			if len(ep.Pending)+len(ep.Ahead) > 0 {
				t.Fatalf("seed %d: still waits: %+v", seed, ep)
			}
		}
		for _, e := range s.sent {
			standIn := slices.ContainsFunc(s.repairs, func(p order.Position) bool {
				return p.Epoch > e.Epoch || p.Epoch == e.Epoch && p.Seq > e.Seq
			})
			if lost[e.Position] && !standIn && proves(&got[0], e.Time) {
				t.Fatalf("seed %d: %+v at %v was lost, and watermark %v, gaps %v claim it is here", seed, e.Position, e.Time, got[0].Watermark, got[0].Gaps)
			}
		}
	}
}

func TestRepairsPastTheBoundStillCount(t *testing.T) {
	tr := NewTracker(nil)
	events := []order.Event{mark(1, 1, 0, 5)}
	seq, sec := uint64(0), 10
	next := func() uint64 { seq++; return seq }
	events = append(events, gap(2, next(), 5, sec, true))
	for range maxRepairs + 10 {
		events = append(events, gap(2, next(), sec, sec+2, false), gap(2, next(), sec, sec+2, true))
		through := seq
		sec += 10
		events = append(events, mark(2, next(), through, sec-5))
	}
	if s := takeAll(t, tr, events...); len(s.Gaps) != 0 || len(s.Epochs[1].Repairs) != maxRepairs {
		t.Errorf("%d repairs kept, gaps %v", len(s.Epochs[1].Repairs), s.Gaps)
	}
}

func TestWatermarksPastTheBoundKeepTheFirstAndTheLast(t *testing.T) {
	tr := NewTracker(nil)
	var events []order.Event
	for i := range maxPending + 20 {
		seq := uint64(i + 2) // 1 is missing
		events = append(events, mark(1, seq, seq-1, i+10))
	}
	s := takeAll(t, tr, events...)
	ep := s.Epochs[0]
	if n := len(ep.Pending); n != maxPending || ep.Pending[0].Seq != 2 || ep.Pending[n-1].Seq != maxPending+21 || len(ep.Offsets) > maxPending {
		t.Errorf("%d wait, first %d; %d offsets", n, ep.Pending[0].Seq, len(ep.Offsets))
	}
	if s = takeAll(t, tr, statusOf(1, 1, 9)); !s.Watermark.Equal(second(maxPending + 29)) {
		t.Errorf("watermark %v", s.Watermark)
	}
}

func TestReject(t *testing.T) {
	for name, c := range map[string]struct {
		p    order.Position
		kept bool
		want uint64 // rejected records counted
	}{
		"a number that is new counts":           {at(1, 2), true, 1},
		"a number that is here does not":        {at(1, 1), true, 0},
		"no number at all still counts":         {at(0, 0), true, 1},
		"an epoch nobody remembers counts":      {at(-5, 1), true, 1},
		"a stranger without a number is nobody": {order.Position{Source: "stranger"}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tr := NewTracker(nil)
			takeAll(t, tr, statusOf(1, 1, 1))
			for e := int64(2); e <= maxEpochs; e++ {
				takeAll(t, tr, statusOf(e, 1, 1))
			}
			kept := tr.Reject(c.p, receivedAt)
			if s, _ := tr.State("mes-db"); kept != c.kept || s.Rejected != c.want {
				t.Errorf("kept %v, rejected %d", kept, s.Rejected)
			}
			if _, known := tr.State("stranger"); known {
				t.Error("a state was made for nothing")
			}
		})
	}
}

func TestDuplicatesFoundByIDAreCounted(t *testing.T) {
	tr := NewTracker(nil)
	tr.Duplicate("app")
	if s, ok := tr.State("app"); !ok || s.Duplicates != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAForgottenEpochLeavesItsOffset(t *testing.T) {
	tr := NewTracker(nil)
	m := mark(1, 1, 0, 10)
	m.Watermark.ClockOffset = time.Second
	takeAll(t, tr, m)
	for e := int64(2); e <= maxEpochs+1; e++ {
		takeAll(t, tr, statusOf(e, 1, 10))
	}
	if got := tr.OffsetAt(at(maxEpochs+1, 2)); got != time.Second {
		t.Errorf("offset %v", got)
	}
}
