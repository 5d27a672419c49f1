package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// The sources, and how much later than it happened they see a thing.
const (
	shopDB   = "shop-db"
	mesDB    = "mes-db"
	rabbitMQ = "rabbitmq"

	databaseLag = 120 * time.Millisecond
	tapLag      = 15 * time.Millisecond
)

// environment is that of all events.
const environment = "prod"

// liveWatermarkEvery is how often sources vouch while somebody watches.
const liveWatermarkEvery = time.Second

// source numbers what one sidecar sends.
type source struct {
	name string
	seq  uint64
	lag  time.Duration
	down bool
}

// The tap of the broker loses its connection once, for an hour, eight months and some days from the start.
const (
	gapAfter  = 251*24*time.Hour + 11*time.Hour
	gapLength = time.Hour
)

func (s *Simulation) openSources() {
	s.sources = map[string]*source{
		shopDB: {name: shopDB, lag: databaseLag}, mesDB: {name: mesDB, lag: databaseLag}, rabbitMQ: {name: rabbitMQ, lag: tapLag},
	}
	for i, name := range []string{crmPrices, mesApprovals, crmShipments, deadLetters} {
		s.queues[i] = order.QueueDepth{Queue: name, Consumers: 1}
	}
	s.queues[3].Consumers = 0 // nobody works them off
	s.vouchAgain()
	s.at(s.Start.Add(gapAfter), s.loseTap)
}

func (s *Simulation) loseTap() {
	tap, from := s.sources[rabbitMQ], s.now
	tap.down = true
	s.after(gapLength, func() {
		tap.down = false
		s.emit(rabbitMQ, order.Event{Kind: order.KindGap, Service: rabbitMQ,
			Gap: order.Gap{From: from, To: s.now, Reason: "the tap lost its connection to the broker"}})
	})
}

// vouchAgain plans the next watermarks: at whole multiples of the interval, so that they do not depend on
// when somebody began to watch.
func (s *Simulation) vouchAgain() {
	every := s.WatermarkEvery
	if s.isLive() {
		every = liveWatermarkEvery
	}
	next := s.now.Truncate(every).Add(every)
	for _, p := range s.Live {
		if p.From.After(s.now) && p.From.Before(next) {
			next = p.From
		}
	}
	s.agenda.push(next.UnixNano(), true, func() {
		s.vouch()
		s.vouchAgain()
	})
}

func (s *Simulation) vouch() {
	for _, name := range []string{shopDB, mesDB, rabbitMQ} {
		src := s.sources[name]
		if src.down {
			continue
		}
		e := order.Event{Kind: order.KindWatermark, Service: name, Watermark: order.Watermark{Through: src.seq}}
		if name == rabbitMQ {
			e.Watermark.Queues = slices.Clone(s.queues[:])
		}
		s.emit(name, e)
	}
}

// emit sends an event of now, unless its source is down.
func (s *Simulation) emit(name string, e order.Event) {
	src := s.sources[name]
	if src.down {
		return
	}
	src.seq++
	e.Time, e.Observed, e.Environment = s.now, s.now.Add(src.lag), environment
	e.Position = order.Position{Source: name, Epoch: 1, Seq: src.seq}
	s.out = append(s.out, e)
}

// status reports that a system gave an order a status.
func (s *Simulation) status(o *item, system, status string) {
	name := shopDB
	if system == "mes" {
		name = mesDB
	}
	o.state = order.Status{System: system, Name: status}
	s.emit(name, order.Event{Kind: order.KindStatus, Service: system, System: system, Status: status, Keys: o.keys(system), Attrs: o.attributes})
}

// message reports what the broker's tap sees of a message.
func (s *Simulation) message(o *item, v *via, status string) {
	s.emit(rabbitMQ, order.Event{
		Kind: order.KindMessage, Service: rabbitMQ, System: v.sender, Status: status, Keys: o.mesKeys, Attrs: o.attributes,
		Message: order.Message{Destination: v.exchange, RoutingKey: v.routingKey(o), Operation: "send",
			ID: fmt.Sprintf("%s-%d", o.file, s.sources[rabbitMQ].seq+1)},
	})
}
