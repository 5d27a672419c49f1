package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/order"
)

// factsAge is how old what the management API said of a bound tap's exchange may become.
const factsAge = 30 * time.Second

// watcher keeps what is known of the application's queues and exchanges. Its readers may be any
// goroutine; poll and run are one session's.
type watcher struct {
	*Source
	management *management // nil where it is not configured
	said       map[string]string

	mu     sync.Mutex
	queues []order.QueueDepth
	facts  map[string]tapFacts // by exchange
}

// tapFacts is what a tap should be bound with.
type tapFacts struct {
	kind    string    // of the exchange, where the management API told
	keys    []string  // none: not known yet
	problem string    // why not
	refused string    // why this exchange must not be tapped
	at      time.Time // when they were asked for
}

func newWatcher(s *Source, m *management) *watcher {
	w := &watcher{Source: s, management: m, said: map[string]string{}, facts: map[string]tapFacts{}}
	for _, t := range s.taps {
		f := tapFacts{problem: "its type is not known yet"}
		if m == nil {
			f = tapFacts{keys: t.RoutingKeys}
		}
		w.facts[t.Exchange] = f
	}
	return w
}

func (w *watcher) tapFacts(exchange string) tapFacts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.facts[exchange]
}

// invalidate forgets what the management API said of an exchange that is gone: it may come back
// as another.
func (w *watcher) invalidate(exchange string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.management != nil {
		w.facts[exchange] = tapFacts{problem: "its type is not known yet"}
	}
}

func (w *watcher) depths() []order.QueueDepth {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queues
}

// run polls until ctx ends or the connection is closed.
func (w *watcher) run(ctx context.Context, conn *amqp.Connection) {
	tick := time.NewTicker(w.config.WatermarkInterval)
	defer tick.Stop()
	for !conn.IsClosed() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.poll(ctx, conn)
		}
	}
}

func (w *watcher) poll(ctx context.Context, conn *amqp.Connection) {
	if w.management != nil {
		for _, t := range w.taps {
			w.refresh(ctx, &t.Tap)
		}
	}
	queues := w.inspectAll(ctx, conn, w.config.Queues, w.publish)
	w.inspectAll(ctx, conn, w.config.DeadLetterQueues, func(name string, q queueState) {
		w.metrics.dead.WithLabelValues(name).Set(float64(*q.Messages))
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queues = queues
}

// refresh asks for an exchange's type and the keys to mirror, where they are unknown or old. What
// was known stays where the API does not answer.
func (w *watcher) refresh(ctx context.Context, t *Tap) {
	old := w.tapFacts(t.Exchange)
	now := w.now()
	if len(old.keys) > 0 && now.Sub(old.at) < factsAge {
		return
	}
	f, err := w.ask(ctx, t)
	if err != nil {
		w.say("exchange "+t.Exchange, err)
		if len(old.keys) > 0 && old.refused == "" {
			return
		}
		f.problem = err.Error()
	}
	f.at = now
	w.mu.Lock()
	defer w.mu.Unlock()
	w.facts[t.Exchange] = f
}

func (w *watcher) ask(ctx context.Context, t *Tap) (tapFacts, error) {
	kind, err := w.management.exchangeType(ctx, t.Exchange)
	if err != nil {
		return tapFacts{}, err
	}
	if reason := refuseType(kind); reason != "" {
		return tapFacts{kind: kind, refused: reason}, nil
	}
	if len(t.Mirror) == 0 {
		return tapFacts{kind: kind, keys: t.RoutingKeys}, nil
	}
	var keys []string
	for _, queue := range t.Mirror {
		some, err := w.management.bindingKeys(ctx, queue, t.Exchange)
		if err != nil {
			return tapFacts{}, err
		}
		if len(some) == 0 {
			return tapFacts{}, fmt.Errorf("queue %s has no binding to mirror", queue)
		}
		keys = append(keys, some...)
	}
	slices.Sort(keys)
	return tapFacts{kind: kind, keys: slices.Compact(keys)}, nil
}

// inspectAll returns the depths of those queues that exist, and hands each to set.
func (w *watcher) inspectAll(ctx context.Context, conn *amqp.Connection, names []string, set func(string, queueState)) []order.QueueDepth {
	var out []order.QueueDepth
	for _, name := range names {
		q, err := w.inspect(ctx, conn, name)
		if err != nil {
			if ctx.Err() == nil {
				w.say("queue "+name, err)
			}
			w.forget(name)
			continue
		}
		delete(w.said, "queue "+name)
		set(name, q)
		out = append(out, order.QueueDepth{Queue: name, Messages: *q.Messages, Consumers: q.Consumers})
	}
	return out
}

// inspect asks the management API, else by a passive declare, which knows no unacknowledged
// messages and counts as a use of a queue that expires.
func (w *watcher) inspect(ctx context.Context, conn *amqp.Connection, name string) (queueState, error) {
	if w.management != nil {
		return w.management.queue(ctx, name)
	}
	ch, err := conn.Channel()
	if err != nil {
		return queueState{}, fmt.Errorf("open channel: %w", err)
	}
	q, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
	if err != nil {
		return queueState{}, fmt.Errorf("inspect queue: %w", err)
	}
	messages := int64(q.Messages)
	return queueState{Messages: &messages, Consumers: int64(q.Consumers)}, ch.Close()
}

func (w *watcher) publish(name string, q queueState) {
	w.metrics.depth.WithLabelValues(name).Set(float64(*q.Messages))
	w.metrics.consumers.WithLabelValues(name).Set(float64(q.Consumers))
	if w.management != nil {
		w.metrics.unacked.WithLabelValues(name).Set(float64(q.Unacked))
	}
}

// forget removes the gauges of a queue of which nothing is known: an old number is no number.
func (w *watcher) forget(name string) {
	w.metrics.depth.DeleteLabelValues(name)
	w.metrics.unacked.DeleteLabelValues(name)
	w.metrics.consumers.DeleteLabelValues(name)
	w.metrics.dead.DeleteLabelValues(name)
}

// say logs a problem when it is new.
func (w *watcher) say(what string, err error) {
	if errors.Is(err, context.Canceled) || w.said[what] == err.Error() {
		return
	}
	w.said[what] = err.Error()
	w.log.Warn("cannot watch", "what", what, "error", err)
}
