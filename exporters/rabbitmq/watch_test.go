package rabbitmq

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/order"
)

// lastDepths returns what the newest watermark says of queues.
func lastDepths(out *memoryStream) []order.QueueDepth {
	marks := out.of(order.KindWatermark)
	if len(marks) == 0 {
		return nil
	}
	return marks[len(marks)-1].Watermark.Queues
}

func TestDepthAndConsumersOfQueues(t *testing.T) {
	for name, managed := range map[string]bool{"with the management API, unacknowledged too": true, "without it, ready only": false} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.declare(t)
			h.publisher(t).send(t, "price.calculated", 5)
			app := h.channel(t)
			if err := app.Qos(2, 0, false); err != nil {
				t.Fatal(err)
			}
			deliveries, err := app.Consume("crm.prices", "", false, false, false, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			<-deliveries
			<-deliveries
			c := h.config()
			c.Queues, c.DeadLetterQueues = []string{"crm.prices", "nowhere"}, []string{"crm.prices"}
			want := order.QueueDepth{Queue: "crm.prices", Messages: 5, Consumers: 1}
			if !managed {
				c.ManagementURL, c.Taps = "", nil
				want.Messages = 3
			}
			out := &memoryStream{}
			r := start(t, c, out)
			eventually(t, "the right depth on a watermark", func() bool { return slices.Equal(lastDepths(out), []order.QueueDepth{want}) })
			if got := r.metric(t, "orderwatch_queue_depth", "crm.prices"); got != float64(want.Messages) {
				t.Errorf("depth: got %v", got)
			}
			if got := r.metric(t, "orderwatch_dead_letters", "crm.prices"); got != float64(want.Messages) {
				t.Errorf("dead letters: got %v", got)
			}
			if got := r.metric(t, "orderwatch_queue_consumers", "crm.prices"); got != 1 {
				t.Errorf("consumers: got %v", got)
			}
			if got := r.metric(t, "orderwatch_queue_unacked", "crm.prices"); managed && got != 2 || !managed && got != -1 {
				t.Errorf("unacknowledged: got %v", got)
			}
		})
	}
}

func TestPreflightSaysWhatToKnow(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	c := h.config()
	c.Taps[0].Mirror, c.Taps[0].RoutingKeys = nil, []string{"#"}
	c.Queues = []string{"crm.prices", "nowhere"}
	s, _ := newSource(t, c)
	mustAPI(t, http.MethodPut, "policies/"+h.vhost+"/small", map[string]any{
		"pattern": ".*", "apply-to": "queues", "definition": map[string]any{"max-length": 10},
	})
	fields := func() []string {
		var out []string
		for _, f := range s.Preflight(t.Context()) {
			out = append(out, f.Field)
		}
		return out
	}
	if got := fields(); !slices.Equal(got, []string{"taps[0].routing_keys", "taps[0]", "queues[1]"}) {
		t.Errorf("got %v", got)
	}
	if _, tapped := api(t, http.MethodGet, "queues/"+h.vhost, nil); strings.Contains(string(tapped), "orderwatch.tap") {
		t.Error("preflight has left something behind")
	}
}
