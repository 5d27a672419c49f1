package broker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/testbed/pace"
)

// Publisher publishes messages one after the other.
type Publisher struct {
	url  string
	mu   sync.Mutex // guards conn and ch
	conn *amqp.Connection
	ch   *amqp.Channel
}

// NewPublisher returns a Publisher that connects at its first message.
func NewPublisher(url string) *Publisher { return &Publisher{url: url} }

// Publish returns once the broker has confirmed the message, or when ctx ends. While the broker is
// away it tries again, with the same message id.
func (p *Publisher) Publish(ctx context.Context, exchange string, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	publishing := amqp.Publishing{
		MessageId: rand.Text(), Type: m.Type, ContentType: "application/json",
		DeliveryMode: amqp.Persistent, Timestamp: time.Now().UTC(), Body: body,
	}
	return pace.Retry(ctx, func(ctx context.Context) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if err := p.try(ctx, exchange, m.Type, publishing); err != nil {
			return errors.Join(err, p.disconnect())
		}
		return nil
	})
}

func (p *Publisher) try(ctx context.Context, exchange, key string, publishing amqp.Publishing) error {
	if p.ch == nil {
		conn, ch, err := open(p.url)
		if err != nil {
			return err
		}
		p.conn, p.ch = conn, ch
		if err := ch.Confirm(false); err != nil {
			return fmt.Errorf("ask for confirms: %w", err)
		}
	}
	confirm, err := p.ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, publishing)
	if err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	acked, err := confirm.WaitContext(ctx)
	if err == nil && !acked {
		err = errors.New("the broker refused it")
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	return nil
}

func (p *Publisher) disconnect() error {
	conn := p.conn
	p.conn, p.ch = nil, nil
	if conn == nil || conn.IsClosed() {
		return nil
	}
	return conn.Close()
}

// Close closes the connection.
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disconnect()
}
