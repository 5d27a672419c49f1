package rabbitmq

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/order"
)

// round is one attempt at a watermark; see the package comment for the argument.
type round struct {
	id      string    // "" where none is under way
	at      time.Time // T
	checked bool      // all taps have answered, and the check is on its way
}

const (
	markerType  = "orderwatch.marker"
	abandonMin  = 10 * time.Second
	abandonTick = 10 // intervals
	fullPercent = 80
)

func (s *session) tick(ctx context.Context) error {
	now := s.now()
	ready := true
	for _, t := range s.taps {
		if err := s.bind(ctx, t, now); err != nil {
			return err
		}
		if err := s.fence(t); err != nil {
			return err
		}
		ready = ready && (t.waiting == "" || t.missing.Equal(now))
	}
	if s.dropped.seen-s.dropped.told >= prefetch/2 { // else it would stop, and with it the check
		if err := s.confess(ctx, now); err != nil {
			return err
		}
	}
	if s.round.id != "" {
		if now.Sub(s.round.at) < max(abandonMin, abandonTick*s.config.WatermarkInterval) {
			return nil
		}
		s.round = round{}
		s.log.Warn("markers did not come back", "source", s.name)
		if err := s.confess(ctx, now); err != nil {
			return err
		}
	}
	if !ready || s.blocked {
		return nil
	}
	return s.ask(ctx, now)
}

// fence asks for the tap's length. The answer comes after the broker's channel has taken all
// acknowledgements sent before it: what they cover will not be delivered again.
func (s *session) fence(t *tap) error {
	q, err := t.channel.QueueDeclarePassive(t.queue, false, false, false, false, nil)
	if err != nil {
		return fmt.Errorf("inspect %s: %w", t.queue, err)
	}
	t.mem.recent = nil
	s.metrics.tapReady.WithLabelValues(t.Exchange).Set(float64(q.Messages))
	t.length(q.Messages)
	return nil
}

// length takes note of how many messages stood in the tap.
func (t *tap) length(ready int) {
	if int64(ready)*100 >= t.MaxLength*fullPercent {
		t.suspect = "the tap was over 80 % full"
	}
}

func (s *session) ask(ctx context.Context, now time.Time) error {
	s.rounds++
	s.round = round{id: strconv.FormatInt(now.UnixNano(), 36) + "." + strconv.Itoa(s.rounds), at: now}
	for _, t := range s.taps {
		t.asked = false
		if err := s.marker(ctx, t.queue); err != nil {
			return err
		}
	}
	return s.check(ctx)
}

func (s *session) marker(ctx context.Context, key string) error {
	err := s.marks.PublishWithContext(ctx, s.tapName(), key, false, false, amqp.Publishing{Type: markerType, MessageId: s.round.id})
	if err != nil {
		return fmt.Errorf("publish marker: %w", err)
	}
	return nil
}

// asked takes a marker that came back from a tap.
func (s *session) asked(ctx context.Context, t *tap, id string) error {
	if id != s.round.id {
		return nil // of a round given up, or of an earlier session
	}
	t.asked = true
	return s.check(ctx)
}

// check asks the queue of what was dropped, once every tap has answered.
func (s *session) check(ctx context.Context) error {
	for _, t := range s.taps {
		if !t.asked {
			return nil
		}
	}
	if s.round.checked {
		return nil
	}
	s.round.checked = true
	return s.marker(ctx, checkKey)
}

// fromDropped takes what came through the queue of what was dropped: the check itself, or a
// message or marker that a tap dropped.
func (s *session) fromDropped(ctx context.Context, d *amqp.Delivery) error {
	if d.RoutingKey == checkKey {
		if d.MessageId == s.round.id {
			return s.complete(ctx)
		}
		return nil
	}
	queue := headerText(d.Headers["x-first-death-queue"])
	for _, t := range s.taps {
		if t.queue != queue {
			continue
		}
		t.suspect = "the broker dropped messages from the tap: " + headerText(d.Headers["x-first-death-reason"])
		if d.Type != markerType {
			s.count(t.Exchange, resultDropped)
		}
	}
	return nil
}

// complete gives the watermark of the round, after a gap for every tap that may have lost something.
func (s *session) complete(ctx context.Context) error {
	now := s.now()
	if err := s.confess(ctx, now); err != nil {
		return err
	}
	good := make(map[*tap]time.Time, len(s.taps))
	for _, t := range s.taps {
		good[t] = t.good
		if s.round.at.After(t.good) {
			good[t] = s.round.at
		}
	}
	if s.round.at.After(s.mark) {
		s.mark = s.round.at
		// Alone, since a full spool may put gaps of its own before what is appended: only now does
		// Last say which numbers the batch was given.
		mark := order.Event{Kind: order.KindWatermark, Time: s.round.at, Observed: now,
			Watermark: order.Watermark{Through: s.out.Last(), Queues: s.watcher.depths()}}
		if err := s.append(ctx, []order.Event{mark}, good); err != nil {
			return err
		}
	}
	for _, t := range s.taps {
		t.mem.inherited = nil
	}
	s.round, s.proven = round{}, true
	return nil
}

// confess puts a gap on record for every tap that may have lost something so far: what it dropped
// was published after good and before now. Until then the evidence is not acknowledged.
func (s *session) confess(ctx context.Context, now time.Time) error {
	var events []order.Event
	for _, t := range s.taps {
		if t.suspect != "" {
			s.log.Warn("gap", "exchange", t.Exchange, "from", t.good, "to", now, "reason", t.suspect)
			events = append(events, gapEvent(t, t.good, now, t.suspect))
		}
	}
	if err := s.append(ctx, events, nil); err != nil {
		return err
	}
	for _, t := range s.taps {
		t.suspect = ""
	}
	return nil
}

func (s *session) suspicious() bool {
	for _, t := range s.taps {
		if t.suspect != "" {
			return true
		}
	}
	return false
}

// gap puts a gap on record at once. Where it begins at the tap's good, that moves to its end.
func (s *session) gap(ctx context.Context, t *tap, from, to time.Time, reason string) error {
	s.log.Warn("gap", "exchange", t.Exchange, "from", from, "to", to, "reason", reason)
	var good map[*tap]time.Time
	if from.Equal(t.good) {
		good = map[*tap]time.Time{t: to}
	}
	return s.append(ctx, []order.Event{gapEvent(t, from, to, reason)}, good)
}

// gapEvent begins at the epoch where nothing is known before.
func gapEvent(t *tap, from, to time.Time, reason string) order.Event {
	if from.IsZero() {
		from = time.Unix(0, 0).UTC()
	}
	return order.Event{Kind: order.KindGap, Time: to, Observed: to, Gap: order.Gap{From: from, To: to, Reason: t.Exchange + ": " + reason}}
}

// position is the resume point for the batch and what becomes good with it.
func (s *session) position(good map[*tap]time.Time) ([]byte, error) {
	p := position{Watermark: s.mark, Taps: make(map[string]tapPosition, len(s.taps))}
	for _, t := range s.taps {
		saved := tapPosition{Good: t.good, Keys: t.keys}
		if at, ok := good[t]; ok {
			saved.Good = at
		}
		sums := t.mem.all()
		if t.lane != nil {
			sums = append(sums, t.lane.sums...)
		}
		saved.Recent = packSums(sums)
		p.Taps[t.Exchange] = saved
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode position: %w", err)
	}
	return data, nil
}
