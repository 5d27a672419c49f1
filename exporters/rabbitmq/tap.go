package rabbitmq

import (
	"context"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// tap is a tapState within a session.
type tap struct {
	*tapState
	*lane
	missing time.Time // there was no exchange at that instant; zero where there is one
	waiting string    // why it is not bound although there is an exchange; "" where it is
	boundAt time.Time // when all bindings were last made sure of
	keysAt  time.Time // when its keys were last known to be the right ones
	suspect string    // why messages published since good may be lost; "" where none is known to be
	asked   bool      // its marker of this round has come back
}

// Keys of our own exchange, beside the names of the taps. Nothing is bound with nowhereKey.
const droppedKey, checkKey, nowhereKey = "dropped", "check", "nowhere"

// rebindEvery is how often the bindings are made sure of. Each costs the broker a transaction.
const rebindEvery = 10 * time.Second

// declare makes our own exchange and queues and consumes from them. It touches nothing else.
func (s *session) declare(ctx context.Context) error {
	if err := s.marks.ExchangeDeclare(s.tapName(), amqp.ExchangeDirect, false, true, false, false, nil); err != nil {
		return fmt.Errorf("declare %s: %w", s.tapName(), err)
	}
	longest := minTTL
	for _, state := range s.Source.taps {
		longest = max(longest, state.TTL)
		s.taps = append(s.taps, &tap{tapState: state})
	}
	s.dropped = &lane{name: s.droppedName()}
	args := amqp.Table{
		"x-max-length": int64(100), "x-overflow": "drop-head", "x-expires": 2 * longest.Milliseconds(),
		"x-dead-letter-exchange": s.tapName(), "x-dead-letter-routing-key": nowhereKey,
	}
	if err := s.open(s.dropped, args, []string{droppedKey, checkKey}, func() error {
		for _, t := range s.taps {
			if len(t.keys) > 0 {
				t.suspect = "the record of what the tap had to drop is gone"
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, t := range s.taps {
		t.lane = &lane{name: t.queue, tap: t}
		if err := s.open(t.lane, s.arguments(t), []string{t.queue}, func() error { return s.queueGone(ctx, t) }); err != nil {
			return err
		}
	}
	return nil
}

// arguments bound the tap and keep it harmless. The dead-letter exchange is our own also so that
// no catch-all policy can make the broker send what the tap drops to the application's.
func (s *session) arguments(t *tap) amqp.Table {
	return amqp.Table{
		"x-max-length": t.MaxLength, "x-max-length-bytes": int64(t.MaxBytes), "x-overflow": "drop-head",
		"x-message-ttl": t.TTL.Milliseconds(), "x-expires": t.TTL.Milliseconds(),
		"x-dead-letter-exchange": s.tapName(), "x-dead-letter-routing-key": droppedKey,
	}
}

// open declares a queue of ours and consumes from it, alone. It calls gone before it makes one
// that is not there, so that the loss is on record before its trace is gone.
func (s *session) open(l *lane, args amqp.Table, keys []string, gone func() error) error {
	fail := func(err error) error { return fmt.Errorf("open %s: %w", l.name, err) }
	existed, err := s.probe(func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(l.name, false, false, false, false, nil)
		if err == nil && l.tap != nil {
			l.tap.length(q.Messages)
		}
		return err
	}, amqp.NotFound)
	if err != nil {
		return fail(err)
	}
	if existed { // perhaps with other limits
		existed, err = s.probe(func(ch *amqp.Channel) error { return declareQueue(ch, l.name, args) }, amqp.PreconditionFailed)
		if err != nil {
			return fail(err)
		}
	}
	if !existed {
		if err := gone(); err != nil {
			return fail(err)
		}
	}
	ch, err := s.consume.Channel()
	if err != nil {
		return fail(err)
	}
	if !existed {
		if _, err := ch.QueueDelete(l.name, false, false, false); err != nil {
			return fail(err)
		}
		if err := declareQueue(ch, l.name, args); err != nil {
			return fail(err)
		}
	}
	for _, key := range keys {
		if err := ch.QueueBind(l.name, key, s.tapName(), false, nil); err != nil {
			return fail(err)
		}
	}
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return fail(err)
	}
	deliveries, err := ch.Consume(l.name, "orderwatch", false, true, false, false, nil)
	if err != nil {
		return fail(err)
	}
	l.channel = ch
	s.lanes = append(s.lanes, l)
	s.forwarders.Go(func() { s.forward(l, deliveries) })
	return nil
}

func declareQueue(ch *amqp.Channel, name string, args amqp.Table) error {
	_, err := ch.QueueDeclare(name, false, false, false, false, args)
	return err
}

// probe asks on a channel of its own, which the broker closes where the answer is no: that code.
func (s *session) probe(ask func(*amqp.Channel) error, no int) (bool, error) {
	ch, err := s.consume.Channel()
	if err != nil {
		return false, err
	}
	if err := ask(ch); isCode(err, no) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, ch.Close()
}

// queueGone records what the loss of a tap's queue means.
func (s *session) queueGone(ctx context.Context, t *tap) error {
	t.suspect = ""
	if len(t.keys) == 0 {
		return nil // it was not bound: bind will say since when
	}
	t.keys = nil
	return s.gap(ctx, t, t.good, s.now(), "the tap's queue was gone: the broker was restarted, the sidecar was away for longer than ttl, or the tap was changed")
}

// bind makes sure that the tap gets what it should, or says why not. now is before.
func (s *session) bind(ctx context.Context, t *tap, now time.Time) error {
	exists, err := s.exchangeExists(t.Exchange)
	if err != nil {
		return err
	}
	if !exists {
		return s.exchangeMissing(ctx, t, now)
	}
	f := s.watcher.tapFacts(t.Exchange)
	if f.refused != "" {
		return fmt.Errorf("tap %s: %s: %w", t.Exchange, f.refused, errRefused)
	}
	if len(f.keys) == 0 {
		s.wait(t, f.problem)
		return nil
	}
	added, removed := without(f.keys, t.keys), without(t.keys, f.keys)
	if t.waiting == "" && len(added)+len(removed) == 0 && now.Sub(t.boundAt) < rebindEvery {
		t.keysAt = f.at
		return nil
	}
	if err := s.bindKeys(t, f.keys, removed); err != nil {
		return err
	}
	from := t.good
	switch {
	case !t.missing.IsZero():
		from = t.missing
	case len(t.keys) > 0 && !t.keysAt.IsZero(): // the application's bindings changed since
		from = t.keysAt
	}
	if len(added) > 0 {
		if err := s.gap(ctx, t, from, s.now(), "the tap was bound anew: it began, its exchange appeared, or its keys changed"); err != nil {
			return err
		}
		s.log.Info("tap bound", "exchange", t.Exchange, "queue", t.queue, "keys", f.keys)
	}
	t.keys, t.missing, t.waiting, t.boundAt, t.keysAt = f.keys, time.Time{}, "", now, f.at
	return nil
}

func (s *session) bindKeys(t *tap, keys, stale []string) error {
	for _, key := range keys {
		if err := s.control.QueueBind(t.queue, key, t.Exchange, false, nil); err != nil {
			return fmt.Errorf("bind %s to %s: %w", t.queue, t.Exchange, err)
		}
	}
	for _, key := range stale {
		if err := s.control.QueueUnbind(t.queue, key, t.Exchange, nil); err != nil {
			return fmt.Errorf("unbind %s from %s: %w", t.queue, t.Exchange, err)
		}
	}
	return nil
}

// without returns what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}

func (s *session) exchangeExists(name string) (bool, error) {
	err := s.control.ExchangeDeclarePassive(name, amqp.ExchangeTopic, false, false, false, false, nil)
	if err == nil {
		return true, nil
	}
	if !isCode(err, amqp.NotFound) {
		return false, fmt.Errorf("look for exchange %s: %w", name, err)
	}
	if s.control, err = s.consume.Channel(); err != nil { // the answer closed the channel
		return false, fmt.Errorf("open channel: %w", err)
	}
	return false, nil
}

// exchangeMissing notes that there is no exchange, so nothing was published to it: the tap has
// missed nothing, but with the exchange its bindings went too.
func (s *session) exchangeMissing(ctx context.Context, t *tap, now time.Time) error {
	if t.missing.IsZero() && len(t.keys) == 0 { // not bound before either
		if err := s.gap(ctx, t, t.good, now, "the tap began"); err != nil {
			return err
		}
	}
	t.keys, t.missing, t.keysAt = nil, now, time.Time{}
	s.watcher.invalidate(t.Exchange)
	s.wait(t, "the exchange does not exist; it is the application's to create")
	return nil
}

// wait says once why a tap is not bound.
func (s *session) wait(t *tap, why string) {
	if t.waiting != why {
		s.log.Warn("tap waits", "exchange", t.Exchange, "reason", why)
	}
	t.waiting = why
}
