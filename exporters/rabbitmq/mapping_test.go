package rabbitmq

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/testbed/broker"
)

var priceMapping = Mapping{
	System: "mes", Keys: map[string]string{"mes": "body.mes_order_id", "file": "body.file_id"},
	Status: Status{From: "body.status"}, Statuses: exporters.Statuses{"PRICED": "PRICE_CALCULATED"}, Attributes: map[string]string{"channel": "body.channel", "partner": "header.partner"},
}

func mapperOf(t testing.TB, m Mapping) *mapper {
	t.Helper()
	out, err := newMapper(&m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMappingMakesEvent(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := &amqp.Delivery{RoutingKey: "price.calculated", MessageId: "m-1", Headers: amqp.Table{"partner": "acme"},
		Body: []byte(`{"mes_order_id":7,"file_id":"f-1","status":"PRICED","customer":"never travels"}`)}
	got, err := mapperOf(t, priceMapping).event(d, "mes.events", at, at.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := order.Event{
		Kind: order.KindMessage, Time: at, Observed: at.Add(time.Second), System: "mes", Status: "PRICE_CALCULATED",
		Keys:    []order.Key{{Name: "file", Value: "f-1"}, {Name: "mes", Value: "7"}},
		Attrs:   []order.Attr{{Name: "partner", Value: "acme"}},
		Message: order.Message{Destination: "mes.events", RoutingKey: "price.calculated", Operation: "send", ID: "m-1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestMappingRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"a body without any of the keys":   {`{"status":"X"}`, errNoKey},
		"a key too long to name an order":  {`{"mes_order_id":"` + strings.Repeat("x", 257) + `"}`, errNoKey},
		"a body that is not JSON":          {`<order/>`, errNotJSON},
		"an empty body":                    {``, errNotJSON},
		"two values":                       {`{"mes_order_id":1}{"mes_order_id":2}`, errNotJSON},
		"a body over a mebibyte":           {`{"mes_order_id":"` + strings.Repeat("x", maxBodyBytes) + `"}`, errTooLarge},
		"a body that is only nested lists": {strings.Repeat("[", 20000), errNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mapperOf(t, priceMapping).event(&amqp.Delivery{Body: []byte(c.body)}, "x", time.Time{}, time.Time{}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestMappingWithoutBodyFieldsTakesAnyBody(t *testing.T) {
	m := mapperOf(t, Mapping{System: "mes", Keys: map[string]string{"mes": "header.order"}, Status: Status{Constant: "SHIPPED"}})
	e, err := m.event(&amqp.Delivery{Headers: amqp.Table{"order": int64(9)}, Body: []byte("\x00\xff")}, "x", time.Time{}, time.Time{})
	if err != nil || e.Status != "SHIPPED" || len(e.Keys) != 1 || e.Keys[0].Value != "9" {
		t.Errorf("got %+v, %v", e, err)
	}
}

func FuzzMapping(f *testing.F) {
	f.Add("price.calculated", "m-1", []byte(`{"mes_order_id":7,"file_id":"f","status":"S"}`))
	f.Add("", "", []byte(`[{"mes_order_id":{}}]`))
	m := mapperOf(f, priceMapping)
	f.Fuzz(func(t *testing.T, key, id string, body []byte) {
		e, err := m.event(&amqp.Delivery{RoutingKey: key, MessageId: id, Body: body}, "mes.events", time.Time{}, time.Time{})
		if err == nil && len(e.Keys) == 0 {
			t.Error("an event that names no order")
		}
	})
}

func TestMappingReadsTheSimulatedCompanysMessages(t *testing.T) {
	body, err := json.Marshal(broker.Message{Type: broker.PriceOfShopOrder, MESOrderID: 7, FileID: "f-1", Status: "PRICE_CALCULATED", Channel: "b2c", Polygons: 1200})
	if err != nil {
		t.Fatal(err)
	}
	mapping := example(t).RabbitMQ.Taps[0].Map
	got, err := mapperOf(t, mapping).event(&amqp.Delivery{Body: body}, broker.MESEvents, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	keys := []order.Key{{Name: "file", Value: "f-1"}, {Name: "mes", Value: "7"}}
	attrs := []order.Attr{{Name: "channel", Value: "b2c"}, {Name: "polygons", Value: "1200"}}
	if !reflect.DeepEqual(got.Keys, keys) || !reflect.DeepEqual(got.Attrs, attrs) || got.Status != "PRICE_CALCULATED" || got.System != "mes" {
		t.Errorf("got %+v", got)
	}
}
