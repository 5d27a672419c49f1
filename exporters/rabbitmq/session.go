package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

const (
	prefetch    = 1000 // messages of a tap that are here and not acknowledged
	maxBatch    = 500  // events
	maxLinger   = 100 * time.Millisecond
	dialTimeout = 10 * time.Second
	rpcTimeout  = 30 * time.Second
	heartbeat   = 5 * time.Second
)

// session is what lives as long as its two connections: one that only consumes, and one that
// publishes markers. A broker short of memory stops reading from whoever publishes: it must not
// stop reading our acknowledgements. All its fields belong to the goroutine of run.
type session struct {
	*Source
	out     exporters.Stream
	watcher *watcher
	mark    time.Time // T of the last watermark
	proven  bool      // a watermark was given in this session

	consume, publish *amqp.Connection
	control, marks   *amqp.Channel
	lanes            []*lane
	taps             []*tap
	dropped          *lane
	arrivals         chan arrival
	done             chan struct{}
	forwarders       sync.WaitGroup
	batch            []order.Event
	blocked          bool
	round            round
	rounds           int
}

// lane is one queue of ours that is consumed on a channel of its own.
type lane struct {
	name       string
	tap        *tap // nil for the queue of what was dropped
	channel    *amqp.Channel
	seen, told uint64   // delivery tags: the last taken, the last acknowledged
	sums       []uint64 // of the messages in the batch, and of those recognised since
	events     int      // in the batch
}

type arrival struct {
	lane *lane
	amqp.Delivery
	ended bool // no more will come: the queue was deleted or the channel closed
}

// run returns why the session ended; never nil.
func (s *session) run(ctx context.Context) error {
	s.arrivals, s.done = make(chan arrival), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer func() {
		cancel()
		close(s.done)
		s.closeConnections()
		s.forwarders.Wait()
		watching.Wait()
	}()
	if err := s.connect(ctx); err != nil {
		return err
	}
	// Requests to the broker know no context: closing the connections is what ends them.
	stop := context.AfterFunc(ctx, s.closeConnections)
	defer stop()
	endings := endings{
		consume: s.consume.NotifyClose(make(chan *amqp.Error, 1)),
		publish: s.publish.NotifyClose(make(chan *amqp.Error, 1)),
		blocked: s.publish.NotifyBlocked(make(chan amqp.Blocking, 8)),
	}
	if err := s.guard(func() error { return s.declare(ctx) }); err != nil {
		return err
	}
	s.watcher.poll(ctx, s.consume)
	watching.Go(func() { s.watcher.run(ctx, s.consume) })
	if err := s.guard(func() error { return s.tick(ctx) }); err != nil {
		return err
	}
	return s.serve(ctx, endings)
}

// endings is what the library tells of the two connections.
type endings struct {
	consume, publish chan *amqp.Error
	blocked          chan amqp.Blocking
}

// serve takes what comes until something ends the session.
func (s *session) serve(ctx context.Context, e endings) error {
	tick := time.NewTicker(s.config.WatermarkInterval)
	defer tick.Stop()
	linger := time.NewTicker(maxLinger)
	defer linger.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case reason := <-e.consume:
			return closed("consuming connection", reason)
		case reason := <-e.publish:
			return closed("marker connection", reason)
		case b, ok := <-e.blocked:
			s.blocked = ok && b.Active
		case a := <-s.arrivals:
			err = s.arrive(ctx, a)
			if err == nil && (len(s.batch) >= maxBatch || a.lane.tap != nil && a.lane.seen-a.lane.told >= prefetch/2) {
				err = s.append(ctx, nil, nil)
			}
		case <-linger.C:
			err = s.append(ctx, nil, nil)
		case <-tick.C:
			err = s.guard(func() error { return s.tick(ctx) })
		}
		if err != nil {
			return err
		}
	}
}

func closed(what string, e *amqp.Error) error {
	if e == nil {
		return fmt.Errorf("%s closed", what)
	}
	return fmt.Errorf("%s closed: %w", what, e)
}

// guard ends requests that the broker does not answer although its heartbeats come.
func (s *session) guard(request func() error) error {
	timer := time.AfterFunc(rpcTimeout, s.closeConnections)
	defer timer.Stop()
	return request()
}

func (s *session) connect(ctx context.Context) error {
	var err error
	if s.consume, err = dial(ctx, &s.config, "orderwatch "+s.name); err != nil {
		return err
	}
	if s.publish, err = dial(ctx, &s.config, "orderwatch "+s.name+" markers"); err != nil {
		return err
	}
	if s.control, err = s.consume.Channel(); err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	if s.marks, err = s.publish.Channel(); err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	return nil
}

func dial(ctx context.Context, c *Config, name string) (*amqp.Connection, error) {
	stop := func() bool { return true }
	defer func() { stop() }()
	conn, err := amqp.DialConfig(c.URL, amqp.Config{
		Vhost: c.VHost, Heartbeat: heartbeat, Properties: amqp.Table{"connection_name": name, "product": "orderwatch"},
		Dial: func(network, address string) (net.Conn, error) {
			d := net.Dialer{Timeout: dialTimeout}
			conn, err := d.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			stop = context.AfterFunc(ctx, func() { _ = conn.Close() }) // the handshake knows no context
			return conn, conn.SetDeadline(time.Now().Add(dialTimeout)) // lifted after the handshake
		},
	})
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	return conn, nil
}

// closeConnections is safe to call at any time after connect has begun, from any goroutine.
func (s *session) closeConnections() {
	for _, c := range []*amqp.Connection{s.publish, s.consume} {
		if c != nil {
			_ = c.CloseDeadline(time.Now().Add(time.Second)) // what is not acknowledged stays in the tap
		}
	}
}

// forward hands on what comes on a lane until there is no more.
func (s *session) forward(l *lane, deliveries <-chan amqp.Delivery) {
	for {
		d, ok := <-deliveries
		select {
		case s.arrivals <- arrival{lane: l, Delivery: d, ended: !ok}:
		case <-s.done:
			ok = false
		}
		if !ok {
			return
		}
	}
}

func (s *session) arrive(ctx context.Context, a arrival) error {
	if a.ended {
		return fmt.Errorf("consume %s: ended by the broker", a.lane.name)
	}
	a.lane.seen = a.DeliveryTag
	switch {
	case a.lane.tap == nil:
		return s.fromDropped(ctx, &a.Delivery)
	case a.Exchange == s.tapName():
		return s.asked(ctx, a.lane.tap, a.MessageId)
	}
	s.take(a.lane, &a.Delivery)
	return nil
}

// take maps one message of the application into the batch.
func (s *session) take(l *lane, d *amqp.Delivery) {
	t := l.tap
	id := sum(d)
	if d.Redelivered && t.mem.take(id) {
		l.sums = append(l.sums, id) // it could come a third time
		s.count(t.Exchange, resultDuplicate)
		return
	}
	now := s.now()
	e, err := t.mapper.event(d, t.Exchange, s.when(d.Timestamp, now), now)
	if err != nil {
		s.count(t.Exchange, err.Error())
		return
	}
	l.events++
	l.sums = append(l.sums, id)
	s.batch = append(s.batch, e)
}

func (s *session) count(exchange, result string) {
	s.metrics.messages.WithLabelValues(exchange, result).Inc()
}

// stood is how much older than its receipt a timestamp must be to say more than the receipt: it
// has whole seconds only.
const stood = 2 * time.Second

// when returns the instant of publishing: that of receipt, or where the message stood in the tap,
// the publisher's timestamp. It is always after the last watermark, so that a publisher with a
// wrong clock cannot make one untrue.
func (s *session) when(stamp, received time.Time) time.Time {
	if stamp.After(s.mark) && received.Sub(stamp) > stood {
		return stamp.UTC()
	}
	if !received.After(s.mark) {
		return s.mark.Add(1)
	}
	return received
}

// append makes the batch and the extra events durable, and only then acknowledges what the batch
// came from. good, by tap, is what becomes known with it.
func (s *session) append(ctx context.Context, extra []order.Event, good map[*tap]time.Time) error {
	events := slices.Concat(s.batch, extra)
	if len(events) > 0 {
		p, err := s.position(good)
		if err != nil {
			return err
		}
		if err := s.out.Append(ctx, events, p); err != nil {
			return fmt.Errorf("append events: %w", err)
		}
	}
	clear(events)
	s.batch = events[:0]
	for t, at := range good {
		t.good = at
	}
	for _, l := range s.lanes {
		if l.tap != nil {
			l.tap.mem.add(l.sums)
			s.metrics.messages.WithLabelValues(l.tap.Exchange, resultEvent).Add(float64(l.events))
			l.sums, l.events = l.sums[:0], 0
		}
		if l.seen == l.told || l.tap == nil && s.suspicious() {
			continue
		}
		if err := l.channel.Ack(l.seen, true); err != nil {
			return fmt.Errorf("acknowledge %s: %w", l.name, err)
		}
		l.told = l.seen
	}
	return nil
}

// isCode reports whether the broker answered with that AMQP reply code.
func isCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}
