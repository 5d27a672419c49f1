package simulation

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

const (
	redoShare  = 0.015 // made again after a look at the result
	stoneShare = 0.025 // wait for a stone for weeks
)

// workTime is when so much work is done, in open hours.
func workTime(c *order.Calendar, from time.Time, work time.Duration) time.Time {
	return c.Add(from, order.Span{Unit: order.OpenTime, Amount: max(work, time.Second)})
}

// work does something after so much open time; in quick orders after a few minutes.
func (s *Simulation) work(o *item, median time.Duration, sigma float64, limit time.Duration, then func()) {
	if o.quick {
		s.after(s.lognormal(min(median/40, 90*time.Second), 0.6, 6*time.Minute), then)
		return
	}
	s.at(workTime(s.workshop, s.now, s.lognormal(median, sigma, limit)), then)
}

// make is an operator who has claimed the order.
func (s *Simulation) make(o *item) {
	s.status(o, "mes", "MANUFACTURING_STARTED")
	finished := func() { s.completed(o) }
	if !o.quick && s.chance(stoneShare) {
		s.at(workTime(s.workshop, s.now, s.between(170*time.Hour, 340*time.Hour)), finished)
		return
	}
	s.work(o, 52*time.Hour, 0.35, 110*time.Hour, finished)
}

func (s *Simulation) completed(o *item) {
	s.status(o, "mes", "MANUFACTURING_COMPLETED")
	if s.chance(redoShare) {
		s.work(o, 3*time.Hour, 0.5, 8*time.Hour, func() {
			s.status(o, "mes", "MANUFACTURING_STARTED")
			s.work(o, 12*time.Hour, 0.5, 60*time.Hour, func() { s.completed(o) })
		})
		return
	}
	s.work(o, 3*time.Hour, 0.6, 10*time.Hour, func() {
		s.status(o, "mes", "PACKAGING")
		s.work(o, 4*time.Hour, 0.5, 10*time.Hour, func() { s.shipped(o) })
	})
}

func (s *Simulation) shipped(o *item) {
	s.status(o, "mes", "SHIPPED")
	s.handOver(o, &shippedVia, ShippedLost, "SHIPPED", func() {
		s.status(o, "crm", "SHIPPED")
		s.after(s.carriage(o), func() { s.status(o, "crm", "CLOSED") })
	})
}

func (s *Simulation) carriage(o *item) time.Duration {
	if o.quick {
		return s.lognormal(2*time.Minute, 0.5, 8*time.Minute)
	}
	return s.lognormal(4*order.Day, 0.45, 13*order.Day)
}
