package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/testbed"
	"github.com/alexandrite/orderwatch/testbed/customer"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// detection is how long after its deadline an order may stay unnoticed.
const detection = 2 * time.Second

// TestEveryFaultIsFoundAndNothingElse runs the company with an order of each fault among healthy
// ones, and holds what orderwatch says to what the applications did.
func TestEveryFaultIsFoundAndNothingElse(t *testing.T) {
	s := startStack(t, testbed.Options{Seed: 7, Operators: 4})
	faults := []struct {
		fault, stage string
		causes       []string
	}{
		{truth.MessageLost, "price-to-crm", []string{"lost_in_handoff"}},
		{truth.CalculationHangs, "calculation", []string{"slow_compute"}},
		{truth.NobodyClaims, "claim", []string{"waiting_for_person", "starved"}},
	}
	var faulty, healthy []string
	for i := range 12 {
		file := fmt.Sprintf("healthy-%d", i)
		healthy = append(healthy, file)
		s.place(file, i, "")
		if i < 2*len(faults) {
			file = fmt.Sprintf("faulty-%d", i)
			faulty = append(faulty, file)
			s.place(file, i, faults[i%len(faults)].fault)
		}
	}

	for i, file := range faulty {
		want := faults[i%len(faults)]
		s.eventually(90*time.Second, file+" is stuck", func() bool {
			o, _ := s.order(file)
			return o.last(want.stage).Verdict == "stuck"
		})
		o, _ := s.order(file)
		v := o.last(want.stage)
		if !slices.Contains(want.causes, v.Cause) {
			t.Errorf("%s is stuck in %s for %s, want one of %v", file, v.Stage, v.Cause, want.causes)
		}
		if late := v.StuckAt.Sub(v.Deadline); late < 0 || late > detection {
			t.Errorf("%s was found %s after its deadline, want 0 to %s", file, late, detection)
		}
		for _, other := range o.Visits {
			if other.Stage != want.stage && !other.StuckAt.IsZero() {
				t.Errorf("%s is said to be stuck in %s too", file, other.Stage)
			}
		}
	}
	for _, file := range healthy {
		s.eventually(90*time.Second, file+" is closed", func() bool {
			o, _ := s.order(file)
			return o.State == "finished"
		})
		o, _ := s.order(file)
		for _, v := range o.Visits {
			if !v.StuckAt.IsZero() {
				t.Errorf("%s, which is healthy, was said to be stuck in %s", file, v.Stage)
			}
		}
	}
	s.holdToTruth(append(healthy, faulty...))
}

// place places an order, every third one by a partner.
func (s *stack) place(file string, i int, fault string) {
	s.t.Helper()
	o := customer.Order{FileID: file, Polygons: int64(20_000 * (i + 1))}
	if i%3 == 2 {
		o.Partner = "acme"
	}
	if err := s.company.Place(s.t.Context(), o, fault); err != nil {
		s.t.Fatal(err)
	}
}

// holdToTruth checks that each order is one order for us, whatever names it has, with every status that
// the applications gave it, no more and no less.
func (s *stack) holdToTruth(files []string) {
	s.t.Helper()
	all, err := s.company.Truth()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range files {
		want := all.Order(file)
		if want == nil {
			s.t.Errorf("the truth does not know %s", file)
			continue
		}
		var o struct {
			Keys     map[string]string `json:"keys"`
			Statuses map[string]string `json:"statuses"`
		}
		if !s.get("/api/v1/orders/file:"+file, &o) {
			s.t.Errorf("%s is not known", file)
			continue
		}
		for _, system := range []string{"shop", "crm", "mes"} {
			if got := o.Statuses[system]; got != want.Last(system) {
				s.t.Errorf("%s: the %s says %q, we say %q", file, system, want.Last(system), got)
			}
		}
		if want.MESID != 0 && o.Keys["mes"] != fmt.Sprint(want.MESID) {
			s.t.Errorf("%s: its number in the MES is %d, we have %q", file, want.MESID, o.Keys["mes"])
		}
	}
}

// TestABlindSourceMakesUnknownAndItsReturnSettles kills the MES's sidecar before a deadline.
func TestABlindSourceMakesUnknownAndItsReturnSettles(t *testing.T) {
	s := startStack(t, testbed.Options{Seed: 8, Operators: 4})
	s.place("hangs", 0, truth.CalculationHangs)
	s.eventually(60*time.Second, "the calculation is seen", func() bool {
		o, _ := s.order("hangs")
		return o.last("calculation").Stage != ""
	})
	s.mes.Kill()
	s.place("unseen", 1, "")
	s.eventually(30*time.Second, "the passed deadline is unknown", func() bool {
		o, _ := s.order("hangs")
		return o.last("calculation").Verdict == "unknown"
	})
	// The shop's order reached the MES, which nobody sees now: past its deadline that is unknown too.
	s.eventually(30*time.Second, "the hand-over nobody saw is unknown", func() bool {
		o, _ := s.order("unseen")
		return o.last("shop-to-mes").Verdict == "unknown"
	})
	if err := s.mes.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.eventually(30*time.Second, "the hung calculation is stuck", func() bool {
		o, _ := s.order("hangs")
		return o.last("calculation").Verdict == "stuck"
	})
	s.eventually(30*time.Second, "the order that came over is all right", func() bool {
		o, _ := s.order("unseen")
		return o.last("shop-to-mes").Verdict == "met"
	})
	o, _ := s.order("unseen")
	for _, a := range o.Audit {
		if a.Kind == "stuck" && a.Stage == "shop-to-mes" {
			t.Error("the hand-over that nobody could see was said to be stuck")
		}
	}
}
