package simulation

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Kind is what can go wrong with an order by design.
type Kind string

// The kinds of fault.
const (
	HandoffMissed    Kind = "handoff_missed"    // the shop's request never reached the MES
	CalculationHangs Kind = "calculation_hangs" // the calculation began and never ended
	PriceLost        Kind = "price_lost"        // the message with the price did not reach the CRM
	SellerForgets    Kind = "seller_forgets"    // the price is in the CRM and nobody approves
	ApprovalLost     Kind = "approval_lost"     // the message with the approval did not reach the MES
	NobodyClaims     Kind = "nobody_claims"     // the order is on no operator's page
	ShippedLost      Kind = "shipped_lost"      // shipped, and the CRM was not told
)

// kinds says where each fault shows, and what share of orders has it in the first month: in all of
// them, and in those for watchers. A human stage gives a working day, so that no watcher would see it.
var kinds = []struct {
	kind         Kind
	stage        string
	share, quick float64
}{
	{HandoffMissed, "shop-to-mes", .003, .004},
	{CalculationHangs, "calculation", .003, .002},
	{PriceLost, "price-to-crm", .006, .006},
	{SellerForgets, "approval", .005, 0},
	{ApprovalLost, "approval-to-mes", .005, .005},
	{NobodyClaims, "claim", .005, 0},
	{ShippedLost, "shipped-to-crm", .006, .004},
}

// Faults become more frequent with the load, by this share of the first month's every month.
const faultGrowth = 0.08

const (
	foreverShare   = 0.025 // faults that nobody finds
	cancelledShare = 0.12  // found orders that the customer no longer wants
)

// Fault tells of one order with which something went wrong.
type Fault struct {
	Kind     Kind
	Stage    string      // in which the order is stuck
	Keys     []order.Key // of the order, as far as given at that time
	Began    time.Time   // when the order entered the stage
	Deadline time.Time   // of the stage
	Found    time.Time   // when a person pushed the order on or cancelled it; zero while nobody has
}

// Truth returns the faults that took effect so far, in order of time.
func (s *Simulation) Truth() []Fault {
	faults := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		faults[i] = *f
	}
	return faults
}

// drawFault decides what is going to go wrong with an order.
func (s *Simulation) drawFault(o *item) Kind {
	growth := 1 + faultGrowth*float64(s.month())
	pick := s.random.Float64()
	for i := range kinds {
		k := &kinds[i]
		share := k.share * growth
		if o.quick {
			share = k.quick
		}
		if pick -= share; pick < 0 {
			if k.kind == HandoffMissed && o.channel == channelPartner {
				return ""
			}
			return k.kind
		}
	}
	return ""
}

// strikes reports whether that is what goes wrong with the order, which then stops until somebody finds it.
func (s *Simulation) strikes(o *item, kind Kind, goOn func()) bool {
	if o.fault != kind {
		return false
	}
	o.fault = ""
	stage := s.stages[stageOf(kind)]
	within := stage.WithinFor(func(name string) (string, bool) {
		for _, a := range o.attributes {
			if a.Name == name {
				return a.Value, true
			}
		}
		return "", false
	})
	f := &Fault{Kind: kind, Stage: stage.Name, Keys: o.keys(o.state.System), Began: s.now, Deadline: stage.Calendar.Add(s.now, within)}
	s.faults = append(s.faults, f)
	if s.chance(foreverShare) {
		return true
	}
	s.at(s.foundAt(o, f), func() {
		f.Found = s.now
		if o.canCancel(kind) && !o.quick && s.chance(cancelledShare) {
			s.status(o, "crm", "CANCELLED")
			return
		}
		goOn()
	})
	return true
}

func stageOf(kind Kind) string {
	for i := range kinds {
		if kinds[i].kind == kind {
			return kinds[i].stage
		}
	}
	return ""
}

// foundAt draws when a person notices: after days, often because the customer asks.
func (s *Simulation) foundAt(o *item, f *Fault) time.Time {
	if o.quick {
		return f.Deadline.Add(s.lognormal(5*time.Minute, 0.7, 40*time.Minute) + 30*time.Second)
	}
	return s.office.NextOpen(f.Deadline.Add(time.Hour + s.lognormal(4*order.Day, 1, 60*order.Day)))
}

// canCancel reports whether the customer can still change his mind, and the CRM knows the order.
func (o *item) canCancel(kind Kind) bool {
	known := o.shop != "" || kind == SellerForgets || kind == ApprovalLost || kind == NobodyClaims
	return known && kind != ShippedLost
}
