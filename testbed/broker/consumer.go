package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/testbed/pace"
)

// ErrReject is wrapped by a handler's error where the message can never be handled: it goes to the
// dead letters.
var ErrReject = errors.New("message cannot be handled")

// Handler handles one message. A message may come more than once.
type Handler func(context.Context, Message) error

// Consume feeds a queue's messages to the handler one by one until ctx ends. Acknowledged is
// what the handler has handled; after an error other than ErrReject the message comes again.
func Consume(ctx context.Context, url, queue string, log *slog.Logger, handle Handler) {
	said := ""
	for {
		err := session(ctx, url, queue, handle)
		if ctx.Err() != nil {
			return
		}
		if err.Error() != said { // a broker that stays away is worth one line
			said = err.Error()
			log.Warn("consumer reconnects", "queue", queue, "error", err)
		}
		_ = pace.Wait(ctx, 200*time.Millisecond)
	}
}

func session(ctx context.Context, url, queue string, handle Handler) (err error) {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	defer func() {
		if closing := conn.Close(); closing != nil && !errors.Is(closing, amqp.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}()
	if err := ch.Qos(10, 0, false); err != nil {
		return fmt.Errorf("consume %s: %w", queue, err)
	}
	deliveries, err := ch.ConsumeWithContext(ctx, queue, "", false, false, false, false, nil)
	if err != nil {
		return fmt.Errorf("consume %s: %w", queue, err)
	}
	for d := range deliveries {
		if err := settle(ctx, d, handle); err != nil {
			return fmt.Errorf("consume %s: %w", queue, err)
		}
	}
	return fmt.Errorf("consume %s: connection lost", queue)
}

func settle(ctx context.Context, d amqp.Delivery, handle Handler) error {
	var m Message
	if err := json.Unmarshal(d.Body, &m); err != nil {
		return d.Nack(false, false)
	}
	switch err := handle(ctx, m); {
	case err == nil:
		return d.Ack(false)
	case errors.Is(err, ErrReject):
		return d.Nack(false, false)
	default:
		// The session ends with the error, and with it the message returns to the queue.
		return err
	}
}
