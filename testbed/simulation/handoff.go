package simulation

import "time"

// The queues between MES and CRM.
const (
	crmPrices    = "crm.prices"
	mesApprovals = "mes.approvals"
	crmShipments = "crm.shipments"
	deadLetters  = "dead.letters"
)

// via is a way of messages.
type via struct {
	sender, exchange, key string
	queue                 int // of Simulation.queues
}

var (
	priceVia    = via{"mes", "mes.events", "", 0}
	approvalVia = via{"crm", "crm.events", "order.approved", 1}
	shippedVia  = via{"mes", "mes.events", "order.shipped", 2}
)

func (v *via) routingKey(o *item) string {
	switch {
	case v.key != "":
		return v.key
	case o.channel == channelPartner:
		return "price.partner"
	}
	return "price.shop"
}

// unpublishedShare is how many of the lost messages were never published: the sender died between its commit
// and the broker. The others were taken from the queue by a consumer that failed.
const unpublishedShare = 0.5

// handOver sends a message, upon which the receiver acts, unless it gets lost. Whoever finds it lost sends it again.
func (s *Simulation) handOver(o *item, v *via, loss Kind, status string, receive func()) {
	again := func() { s.deliver(o, v, status, receive) }
	if !s.strikes(o, loss, again) {
		again()
		return
	}
	if !s.chance(unpublishedShare) {
		s.after(s.between(2*time.Millisecond, 40*time.Millisecond), func() { s.message(o, v, status) })
	}
}

func (s *Simulation) deliver(o *item, v *via, status string, receive func()) {
	s.after(s.between(2*time.Millisecond, 40*time.Millisecond), func() {
		s.message(o, v, status)
		s.queues[v.queue].Messages++
		s.after(s.lognormal(150*time.Millisecond, 0.8, 5*time.Second), func() {
			s.queues[v.queue].Messages--
			receive()
		})
	})
}
