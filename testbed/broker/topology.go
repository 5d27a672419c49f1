// Package broker owns how the simulated MES and CRM talk over RabbitMQ: the exchanges and queues,
// the message, a publisher that waits for confirms and a consumer that acknowledges after its
// work. Both reconnect by themselves until their context ends. A Publisher is safe for concurrent
// use.
package broker

import (
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The exchanges and what is published to them.
const (
	MESEvents = "mes.events" // topic
	CRMEvents = "crm.events" // topic

	PriceOfShopOrder    = "price.shop"     // the MES has priced an order that the shop knows
	PriceOfPartnerOrder = "price.partner"  // the MES has priced an order that the CRM does not know yet
	OrderShipped        = "order.shipped"  // the MES has shipped
	OrderApproved       = "order.approved" // a seller has approved
)

// The queues.
const (
	CRMPrices    = "crm.prices"
	CRMShipments = "crm.shipments"
	MESApprovals = "mes.approvals"

	DeadLetters = "dead.letters" // a fanout exchange and its one queue
)

var bindings = []struct{ queue, exchange, key string }{
	{CRMPrices, MESEvents, PriceOfShopOrder},
	{CRMPrices, MESEvents, PriceOfPartnerOrder},
	{CRMShipments, MESEvents, OrderShipped},
	{MESApprovals, CRMEvents, OrderApproved},
}

// Message is what MES and CRM tell each other about an order.
type Message struct {
	Type       string `json:"type"` // the routing key
	MESOrderID int64  `json:"mes_order_id"`
	FileID     string `json:"file_id"`
	Status     string `json:"status"` // the sender's status of the order
	Channel    string `json:"channel"`
	Partner    string `json:"partner,omitempty"`
	Polygons   int64  `json:"polygons"`
}

// declare makes everything durable. Each application declares all of it at each connection, as
// whichever starts first must not publish into nothing.
func declare(ch *amqp.Channel) error {
	_, err := ch.QueueDeclare(DeadLetters, true, false, false, false, nil)
	err = errors.Join(err,
		ch.ExchangeDeclare(MESEvents, amqp.ExchangeTopic, true, false, false, false, nil),
		ch.ExchangeDeclare(CRMEvents, amqp.ExchangeTopic, true, false, false, false, nil),
		ch.ExchangeDeclare(DeadLetters, amqp.ExchangeFanout, true, false, false, false, nil),
		ch.QueueBind(DeadLetters, "", DeadLetters, false, nil))
	for _, b := range bindings {
		_, declared := ch.QueueDeclare(b.queue, true, false, false, false, amqp.Table{"x-dead-letter-exchange": DeadLetters})
		err = errors.Join(err, declared, ch.QueueBind(b.queue, b.key, b.exchange, false, nil))
	}
	if err != nil {
		return fmt.Errorf("declare queues: %w", err)
	}
	return nil
}

// open connects and returns a channel on which everything is declared.
func open(url string) (*amqp.Connection, *amqp.Channel, error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to rabbitmq: %w", err)
	}
	ch, err := conn.Channel()
	if err == nil {
		err = declare(ch)
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, ch, nil
}
