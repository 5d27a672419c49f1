package rabbitmq

import (
	"testing"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestFieldFindsValue(t *testing.T) {
	delivery := &amqp.Delivery{
		RoutingKey: "price.calculated", MessageId: "m-1", Type: "priced",
		Headers: amqp.Table{"x-tenant.name": "acme", "n": int32(7), "at": time.Unix(0, 0), "raw": []byte("b"), "list": []any{"x"}},
		Body: []byte(`{"id":12345678901234567890,"order":{"id":"A-1","big":1e3},"items":[{"sku":"s0"},{"sku":"s1"}],
			"ok":true,"none":null,"empty":"","nul":"a\u0000b"}`),
	}
	for name, c := range map[string]struct {
		text, want string
		found      bool
	}{
		"a number keeps all its digits":      {"body.id", "12345678901234567890", true},
		"a number keeps how it was written":  {"body.order.big", "1e3", true},
		"a name within an object":            {"body.order.id", "A-1", true},
		"a position within an array":         {"body.items.1.sku", "s1", true},
		"a position past the end":            {"body.items.2.sku", "", false},
		"a position that is no number":       {"body.items.x.sku", "", false},
		"a bool":                             {"body.ok", "true", true},
		"null is absent":                     {"body.none", "", false},
		"an empty string is absent":          {"body.empty", "", false},
		"an object is no value":              {"body.order", "", false},
		"a way through a string is absent":   {"body.order.id.x", "", false},
		"a header's name may hold dots":      {"header.x-tenant.name", "acme", true},
		"a number in a header":               {"header.n", "7", true},
		"bytes in a header":                  {"header.raw", "b", true},
		"an instant in a header":             {"header.at", "1970-01-01T00:00:00Z", true},
		"a list in a header is no value":     {"header.list", "", false},
		"an absent header":                   {"header.nope", "", false},
		"the routing key":                    {"routing_key", "price.calculated", true},
		"the message id":                     {"message_id", "m-1", true},
		"the type":                           {"type", "priced", true},
		"control characters are no business": {"body.nul", "a\x00b", true},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := parseField(c.text)
			if err != nil {
				t.Fatal(err)
			}
			body, err := decodeJSON(delivery.Body)
			if err != nil {
				t.Fatal(err)
			}
			got, found := f.value(&message{Delivery: delivery, body: body})
			if found != c.found || found && got != c.want {
				t.Errorf("got %q, %v, want %q, %v", got, found, c.want, c.found)
			}
		})
	}
}

func TestFieldRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{"", "body", "body.", "body..x", "body.a.", "header", "header.", "routing_key.1", "queue", "Body.x", "message_id.",
		"body.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"} {
		if _, err := parseField(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzField(f *testing.F) {
	for _, seed := range []string{"body.a.b", "header.x.y", "routing_key", "body.0", "body.a..b"} {
		f.Add(seed, []byte(`{"a":{"b":"c"},"0":[1,2]}`))
	}
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		x, err := parseField(text)
		if err != nil {
			return
		}
		decoded, err := decodeJSON(body)
		if err != nil {
			return
		}
		got, found := x.value(&message{Delivery: &amqp.Delivery{RoutingKey: text, Body: body}, body: decoded})
		if found && (got == "" || len(got) > maxValueBytes || !utf8.ValidString(got)) {
			t.Errorf("found %q", got)
		}
	})
}
