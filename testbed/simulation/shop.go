package simulation

import "time"

// cartLife is after how long the shop clears what was never ordered.
const cartLife = 7 * 24 * time.Hour

// shopOrder is a customer who orders in the shop.
func (s *Simulation) shopOrder(quick bool) {
	o := s.newItem(channelShop, quick)
	s.numberShop(o)
	s.status(o, "shop", "INITIATED")
	custom := s.chance(customShare)
	s.after(s.thinking(o), func() {
		o.attachModel()
		if !custom { // the model is the catalogue's
			s.submit(o)
			return
		}
		s.status(o, "shop", "FILE_UPLOADED")
		s.after(s.thinking(o), func() { s.submit(o) })
	})
}

func (s *Simulation) thinking(o *item) time.Duration {
	if o.quick {
		return s.lognormal(6*time.Second, 0.6, time.Minute)
	}
	return s.lognormal(8*time.Minute, 0.9, 3*time.Hour)
}

// cart is a customer who begins and does not order.
func (s *Simulation) cart() {
	o := s.newItem(channelShop, false)
	s.numberShop(o)
	s.status(o, "shop", "INITIATED")
	if s.chance(0.5) {
		s.after(s.thinking(o), func() {
			o.attachModel()
			s.status(o, "shop", "FILE_UPLOADED")
		})
	}
	s.after(cartLife, func() { s.status(o, "crm", "CANCELLED") })
}

func (s *Simulation) submit(o *item) {
	s.status(o, "shop", "SUBMITTED")
	arrive := func() { s.enterMES(o) }
	if s.strikes(o, HandoffMissed, arrive) {
		return
	}
	s.after(s.between(80*time.Millisecond, 2*time.Second), arrive)
}

// partnerOrder is a partner's order at the MES's API.
func (s *Simulation) partnerOrder(quick bool) {
	s.enterMES(s.newItem(channelPartner, quick))
}

// retryShare is how many orders come twice: the answer to the first took too long. The MES knows them by their file and
// writes the row again.
const retryShare = 0.02

func (s *Simulation) enterMES(o *item) {
	s.numberMES(o)
	s.status(o, "mes", "SUBMITTED")
	s.calculator.submit(s, o)
	if s.chance(retryShare) {
		s.repeat(o, s.between(time.Second, 30*time.Second))
	}
}

// repeat reports the order's status once more if it still has it then.
func (s *Simulation) repeat(o *item, later time.Duration) {
	state := o.state
	s.after(later, func() {
		if o.state == state {
			s.status(o, state.System, state.Name)
		}
	})
}
