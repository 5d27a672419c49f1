package simulation

import "time"

// How many order, 600 in the first month and 100 more in
// every month; partners from the fourth month on, 25 to 45 % on top.
const (
	firstMonth   = 600
	monthlyMore  = 100
	partnersFrom = 3 // month, the first is 0

	leastPartnerShare = 0.25
	mostPartnerShare  = 0.45

	cartShare   = 0.08 // carts that are never ordered, on top
	customShare = 0.7  // orders with the customer's own model
)

// partners order the more the earlier they stand here, by Zipf's law.
var partners = []string{"goldline", "opal-house", "north-silver", "karat", "aurora-gems", "ring-studio", "baltic-amber", "lumen"}

// eveningWeight is how much of the customers' interest each hour of the local day has; at most 1.
var eveningWeight = [24]float64{
	.25, .12, .06, .04, .03, .04, .08, .15, .2, .25, .28, .3,
	.35, .35, .32, .32, .35, .42, .6, .8, .95, 1, .85, .5,
}

// month returns the number of months since the start.
func (s *Simulation) month() int {
	m := 0
	for !s.monthStart(m + 1).After(s.now) {
		m++
	}
	return m
}

func (s *Simulation) monthStart(m int) time.Time { return s.Start.AddDate(0, m, 0) }

// openMarket plans the customers of a month when it begins.
func (s *Simulation) openMarket() {
	for m := range 12 * 20 {
		s.at(s.monthStart(m), func() { s.planMonth(m) })
	}
}

func (s *Simulation) planMonth(m int) {
	from, to := s.monthStart(m), s.monthStart(m+1)
	orders := firstMonth + monthlyMore*m
	for range orders {
		s.at(s.evening(from, to), func() { s.shopOrder(false) })
	}
	for range int(float64(orders) * cartShare) {
		s.at(s.evening(from, to), s.cart)
	}
	if m >= partnersFrom {
		share := min(leastPartnerShare+0.025*float64(m-partnersFrom), mostPartnerShare)
		s.planPartners(from, to, int(share*float64(orders)), 3+0.6*float64(m-partnersFrom))
	}
}

// evening draws an instant at which a customer orders.
func (s *Simulation) evening(from, to time.Time) time.Time {
	for {
		t := from.Add(s.between(0, to.Sub(from)))
		if s.chance(eveningWeight[t.In(s.Flow.Timezone).Hour()]) {
			return t
		}
	}
}

// planPartners spreads a month's partner orders over office hours, in bursts.
func (s *Simulation) planPartners(from, to time.Time, orders int, burst float64) {
	for orders > 0 {
		t := from.Add(s.between(0, to.Sub(from)))
		if !s.office.IsOpen(t) {
			continue
		}
		n := min(s.geometric(burst), orders)
		orders -= n
		s.at(t, func() { s.burst(n, 25*time.Second, false) })
	}
}

// burst is a partner's system sending its orders of some days, with a price asked for before many.
func (s *Simulation) burst(n int, apart time.Duration, quick bool) {
	if n == 0 {
		return
	}
	for !quick && s.chance(quoteShare) {
		s.calculator.quote(s)
	}
	s.partnerOrder(quick)
	s.after(s.exponential(apart), func() { s.burst(n-1, apart, quick) })
}

// Watchers see an order every few seconds.
const (
	liveOrderEvery = 7 * time.Second
	liveBurstEvery = 50 * time.Second
	liveBurst      = 3.0
)

// live lets quick orders come until the period ends.
func (s *Simulation) live(p Period) {
	var order, burst func()
	order = func() {
		if p.holds(s.now) {
			s.shopOrder(true)
			s.after(s.exponential(liveOrderEvery), order)
		}
	}
	burst = func() {
		if p.holds(s.now) {
			s.burst(s.geometric(liveBurst), 2*time.Second, true)
			s.after(s.exponential(liveBurstEvery), burst)
		}
	}
	order()
	s.after(s.exponential(liveBurstEvery/4), burst)
}
