package simulation

import (
	"slices"
	"time"
)

// Who works and how long it takes. Sellers are overloaded in the last months of the first year. Operators take the
// newest orders first from a page that loads slowly; a longer list makes them look more often, but not often enough,
// so that from about the eighth month on what has slipped from the top waits for weeks.
const (
	sellerCount  = 3
	sellingTime  = 11 * time.Minute
	declineShare = 0.05 // customers who do not want it at that price

	operatorCount = 12
	visitEvery    = 145 * time.Minute // between an operator's looks at a short list
	longList      = 1000              // orders that make them look twice as often
	newestShare   = 0.8               // looks that take the newest order; the others take the oldest
)

func (s *Simulation) hire() {
	s.sellers.free = sellerCount
	for range operatorCount {
		s.at(s.workshop.NextOpen(s.Start).Add(s.between(0, visitEvery)), s.look)
	}
}

// sellers work off the oldest first, in office hours.
type sellers struct {
	waiting []*item
	free    int
	called  bool // for the next opening
}

// reachSeller is the price arriving in the CRM.
func (s *Simulation) reachSeller(o *item) {
	s.status(o, "crm", "PRICE_CALCULATED")
	if s.chance(0.008) { // delivered twice
		s.repeat(o, s.between(time.Second, 20*time.Second))
	}
	switch {
	case s.strikes(o, SellerForgets, func() { s.approve(o) }):
	case o.quick:
		s.after(s.lognormal(25*time.Second, 0.6, 3*time.Minute), func() { s.decide(o) })
	default:
		s.sellers.waiting = append(s.sellers.waiting, o)
		s.sell()
	}
}

// sell lets every free seller take an order.
func (s *Simulation) sell() {
	q := &s.sellers
	for q.free > 0 && len(q.waiting) > 0 {
		if !s.office.IsOpen(s.now) {
			s.callSellers()
			return
		}
		o := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.free--
		s.at(workTime(s.office, s.now, s.lognormal(sellingTime, 0.7, 2*time.Hour)), func() {
			q.free++
			s.decide(o)
			s.sell()
		})
	}
}

func (s *Simulation) callSellers() {
	if s.sellers.called {
		return
	}
	s.sellers.called = true
	s.at(s.office.NextOpen(s.now), func() {
		s.sellers.called = false
		s.sell()
	})
}

func (s *Simulation) decide(o *item) {
	if s.chance(declineShare) {
		s.status(o, "crm", "CANCELLED")
		return
	}
	s.approve(o)
}

func (s *Simulation) approve(o *item) {
	s.status(o, "crm", "MANUFACTURING_APPROVED")
	s.handOver(o, &approvalVia, ApprovalLost, "MANUFACTURING_APPROVED", func() { s.reachOperators(o) })
}

// operators see a list of orders, the newest on top.
type operators struct{ list []*item }

func (s *Simulation) reachOperators(o *item) {
	s.status(o, "mes", "MANUFACTURING_APPROVED")
	switch {
	case s.strikes(o, NobodyClaims, func() { s.make(o) }):
	case o.quick:
		s.after(s.lognormal(30*time.Second, 0.7, 4*time.Minute), func() { s.make(o) })
	default:
		s.operators.list = append(s.operators.list, o)
	}
}

// look is an operator who opens the page, claims an order and comes back.
func (s *Simulation) look() {
	if list := s.operators.list; len(list) > 0 {
		i := 0
		if s.chance(newestShare) {
			i = len(list) - 1
		}
		o := list[i]
		s.operators.list = slices.Delete(list, i, i+1)
		s.make(o)
	}
	pause := float64(s.exponential(visitEvery)) / (1 + float64(len(s.operators.list))/longList)
	s.at(workTime(s.workshop, s.now, time.Duration(pause)), s.look)
}
