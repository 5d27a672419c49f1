package simulation

import (
	"math"
	"time"
)

const (
	medianPolygons = 50_000

	// calculationLimit is the longest a calculation takes that does not hang.
	calculationLimit = 28 * time.Minute

	// quoteShare is the chance that a partner asks for one more price before an order.
	quoteShare = 0.2
)

// calculator prices one model after the other, the oldest first.
type calculator struct {
	waiting []func() // begins the work
	busy    bool
}

func (c *calculator) submit(s *Simulation, o *item) { c.add(s, func() { c.price(s, o) }) }

// quote is a price without an order: work that no status tells of.
func (c *calculator) quote(s *Simulation) {
	polygons := int(medianPolygons * math.Exp(1.2*s.random.NormFloat64()))
	c.add(s, func() { s.after(s.calculation(polygons), func() { c.next(s) }) })
}

func (c *calculator) add(s *Simulation, begin func()) {
	c.waiting = append(c.waiting, begin)
	if !c.busy {
		c.next(s)
	}
}

func (c *calculator) next(s *Simulation) {
	c.busy = len(c.waiting) > 0
	if !c.busy {
		return
	}
	begin := c.waiting[0]
	c.waiting[0] = nil
	c.waiting = c.waiting[1:]
	s.after(s.between(20*time.Millisecond, 200*time.Millisecond), begin)
}

func (c *calculator) price(s *Simulation, o *item) {
	s.status(o, "mes", "CALCULATION_STARTED")
	if s.strikes(o, CalculationHangs, func() { s.priced(o) }) {
		// The worker is killed in the end; the job is not begun again by itself.
		hang := s.between(10*time.Minute, 40*time.Minute)
		if s.isLive() {
			hang = s.between(10*time.Second, 20*time.Second)
		}
		s.after(hang, func() { c.next(s) })
		return
	}
	duration := s.calculation(o.polygons)
	if o.quick {
		duration /= 25
	}
	s.after(duration, func() {
		s.priced(o)
		c.next(s)
	})
}

// calculation grows with the square root of the polygons: over all models it is lognormal with a median
// of 1.5 minutes and a sigma of 1.
func (s *Simulation) calculation(polygons int) time.Duration {
	median := 90 * time.Second.Seconds() * math.Sqrt(float64(polygons)/medianPolygons)
	return s.lognormal(time.Duration(median*float64(time.Second)), 0.8, calculationLimit)
}

func (s *Simulation) priced(o *item) {
	s.status(o, "mes", "PRICE_CALCULATED")
	s.handOver(o, &priceVia, PriceLost, "PRICE_CALCULATED", func() { s.reachSeller(o) })
}
