package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/testbed/server"
)

// node is the one broker of this test binary; each test has a virtual host of its own. The first
// newHouse starts it: a fuzz worker needs none.
var (
	node      *server.RabbitMQ
	startNode = sync.OnceValue(func() (err error) {
		node, err = server.StartRabbitMQ(context.Background(), server.RabbitMQOptions{Plugins: []string{"rabbitmq_consistent_hash_exchange"}})
		return err
	})
)

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	code := m.Run()
	if node != nil {
		if err := node.Stop(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

// api sends one request to the management API as its administrator.
func api(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, node.ManagementURL()+"/api/"+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("guest", "guest")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out bytes.Buffer
	if _, err := out.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out.Bytes()
}

func mustAPI(t testing.TB, method, path string, body any) []byte {
	t.Helper()
	code, out := api(t, method, path, body)
	if code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, code, out)
	}
	return out
}

// house is a virtual host with the application's user and the sidecar's, which may do no more
// than docs/sidecar-rabbitmq.md says.
type house struct {
	vhost string
	admin *amqp.Channel
}

func newHouse(t *testing.T) *house {
	t.Helper()
	if err := startNode(); err != nil {
		t.Fatal(err)
	}
	h := &house{vhost: strings.NewReplacer("/", "-", ",", "").Replace(t.Name())}
	mustAPI(t, http.MethodPut, "vhosts/"+h.vhost, nil)
	t.Cleanup(func() { api(noContext{t}, http.MethodDelete, "vhosts/"+h.vhost, nil) })
	all := map[string]string{"configure": ".*", "write": ".*", "read": ".*"}
	mustAPI(t, http.MethodPut, "permissions/"+h.vhost+"/guest", all)
	mustAPI(t, http.MethodPut, "users/orderwatch", map[string]string{"password": "pw", "tags": "management"})
	mustAPI(t, http.MethodPut, "permissions/"+h.vhost+"/orderwatch", map[string]string{
		"configure": `^orderwatch\.`, "write": `^orderwatch\.`, "read": `^(orderwatch\.|mes\.events$)`,
	})
	h.admin = h.channel(t)
	return h
}

// noContext lets clean-up send requests: the test's own context has ended by then.
type noContext struct{ testing.TB }

func (noContext) Context() context.Context { return context.Background() }

// channel opens a channel of the application.
func (h *house) channel(t *testing.T) *amqp.Channel {
	t.Helper()
	conn, err := amqp.DialConfig(node.URL(), amqp.Config{Vhost: h.vhost})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// declare makes the application's exchange and queue.
func (h *house) declare(t *testing.T) {
	t.Helper()
	h.declareExchange(t, "topic")
	if _, err := h.admin.QueueDeclare("crm.prices", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.QueueBind("crm.prices", "price.*", "mes.events", false, nil); err != nil {
		t.Fatal(err)
	}
}

func (h *house) declareExchange(t *testing.T, kind string) {
	t.Helper()
	if err := h.admin.ExchangeDeclare("mes.events", kind, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
}

func (h *house) url() string {
	u, _ := url.Parse(node.URL())
	u.User = url.UserPassword("orderwatch", "pw")
	return u.String()
}

func (h *house) config() Config {
	return Config{
		URL: h.url(), ManagementURL: node.ManagementURL(), VHost: h.vhost, WatermarkInterval: 100 * time.Millisecond,
		Taps: []Tap{{Exchange: "mes.events", Mirror: Names{"crm.prices"}, Map: priceMapping}},
	}
}

// confirmed is a message whose publisher had its confirm at that instant.
type confirmed struct {
	id string
	at time.Time
}

// publisher publishes numbered messages and waits for each confirm.
type publisher struct {
	channel *amqp.Channel
	next    int
}

func (h *house) publisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{channel: h.channel(t)}
	if err := p.channel.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return p
}

// send publishes n messages, waits until all are confirmed, and returns the first's number.
func (p *publisher) send(t testing.TB, key string, n int) int {
	t.Helper()
	first := p.next
	var waits []*amqp.DeferredConfirmation
	for range n {
		c, err := p.channel.PublishWithDeferredConfirm("mes.events", key, false, false, amqp.Publishing{
			DeliveryMode: amqp.Persistent, MessageId: fmt.Sprint(p.next), Timestamp: time.Now(),
			Body: fmt.Appendf(nil, `{"mes_order_id":%d,"status":"PRICE_CALCULATED"}`, p.next),
		})
		if err != nil {
			t.Fatal(err)
		}
		p.next++
		waits = append(waits, c)
	}
	for _, c := range waits {
		if ok, err := c.WaitContext(t.Context()); !ok || err != nil {
			t.Fatalf("not confirmed: %v", err)
		}
	}
	return first
}

// memoryStream is a Stream in memory.
type memoryStream struct {
	mu       sync.Mutex
	events   []order.Event
	position []byte
	failures int           // so many Appends fail
	appended func(n int)   // called before an Append of n events returns
	held     chan struct{} // while not nil, Append waits for it to close
}

func (m *memoryStream) Append(ctx context.Context, events []order.Event, position []byte) error {
	m.mu.Lock()
	held := m.held
	m.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failures > 0 {
		m.failures--
		return errors.New("disk full")
	}
	for _, e := range events {
		e.Seq = uint64(len(m.events) + 1)
		m.events = append(m.events, e)
	}
	m.position = bytes.Clone(position)
	if m.appended != nil {
		m.appended(len(events))
	}
	return nil
}

func (m *memoryStream) Position() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.position
}

func (m *memoryStream) Last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.events))
}

// of returns the events of one kind.
func (m *memoryStream) of(kind order.Kind) []order.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []order.Event
	for _, e := range m.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// hold makes Append wait until release is called.
func (m *memoryStream) hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := make(chan struct{})
	m.held = held
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.held = nil
		close(held)
	}
}

// running is a Source at work.
type running struct {
	*Source
	registry *prometheus.Registry
	cancel   context.CancelFunc
	result   chan error
}

func newSource(t *testing.T, c Config) (*Source, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	s, err := New(Options{
		Name: "broker", Config: c, Registerer: registry, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, registry
}

func start(t *testing.T, c Config, out *memoryStream) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, result: make(chan error, 1)}
	r.Source, r.registry = newSource(t, c)
	go func() { r.result <- r.Run(ctx, out) }()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	if err, ok := <-r.result; ok {
		close(r.result)
		_ = err
	}
}

// metric returns the value of the one series with that name and label value.
func (r *running) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					return m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return -1
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never came true: %s", what)
		}
	}
}

// awaitMark waits for a watermark that was asked for from now on.
func awaitMark(t *testing.T, out *memoryStream) {
	t.Helper()
	from := time.Now()
	eventually(t, "a watermark", func() bool {
		marks := out.of(order.KindWatermark)
		return len(marks) > 0 && marks[len(marks)-1].Time.After(from)
	})
}
