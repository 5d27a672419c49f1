package rabbitmq

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/alexandrite/orderwatch/order"
)

func ids(events []order.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Message.ID)
	}
	return out
}

// wantExactly fails unless the messages 0..n-1 are there once each and in order.
func wantExactly(t *testing.T, events []order.Event, n int) {
	t.Helper()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
	}
	if got := ids(events); !slices.Equal(got, want) {
		t.Errorf("got %d messages, not the %d published once each and in order: missing %v, too many %v",
			len(got), n, without(want, got), repeats(got))
	}
}

func repeats(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, x := range list {
		if seen[x] {
			out = append(out, x)
		}
		seen[x] = true
	}
	return out
}

// gapsAfterStart returns the gaps other than the one with which a new stream begins.
func gapsAfterStart(out *memoryStream) []order.Event {
	return slices.DeleteFunc(out.of(order.KindGap), func(e order.Event) bool { return e.Gap.From.Equal(time.Unix(0, 0)) })
}

func TestEveryMessageOnceBesideTheApplicationsConsumer(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	start(t, h.config(), out)
	awaitMark(t, out)
	app, err := h.channel(t).Consume("crm.prices", "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	h.publisher(t).send(t, "price.calculated", n)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), n)
	for i := range n {
		if d := <-app; d.MessageId != fmt.Sprint(i) || d.Redelivered {
			t.Fatalf("the application's message %d: got %s, redelivered %v", i, d.MessageId, d.Redelivered)
		}
	}
	q, err := h.admin.QueueDeclarePassive("crm.prices", true, false, false, false, nil)
	if err != nil || q.Messages != 0 || q.Consumers != 1 {
		t.Errorf("the application's queue: %+v, %v", q, err)
	}
	first := out.of(order.KindGap)
	if len(first) != 1 || !first[0].Gap.From.Equal(time.Unix(0, 0)) || first[0].Gap.Repaired {
		t.Errorf("a new stream must begin with one gap from the epoch, got %+v", first)
	}
}

// closeSidecar closes the sidecar's connections by force; false where there are none yet.
func closeSidecar(t *testing.T, h *house) bool {
	var list []struct {
		Name string `json:"name"`
		User string `json:"user"`
		Host string `json:"vhost"`
	}
	if err := json.Unmarshal(mustAPI(t, http.MethodGet, "connections", nil), &list); err != nil {
		t.Fatal(err)
	}
	closed := false
	for _, c := range list {
		if c.User == "orderwatch" && c.Host == h.vhost {
			code, _ := api(t, http.MethodDelete, "connections/"+strings.ReplaceAll(c.Name, " ", "%20"), nil)
			closed = closed || code < 300
		}
	}
	return closed
}

func TestForcedCloseUnderLoadLosesNothing(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	r := start(t, h.config(), out)
	awaitMark(t, out)
	p := h.publisher(t)
	for range 3 {
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					p.send(t, "price.calculated", 50)
				}
			}
		}()
		eventually(t, "a connection to close", func() bool { return closeSidecar(t, h) })
		close(stop)
		<-done
	}
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), p.next)
	if gaps := gapsAfterStart(out); len(gaps) > 0 {
		t.Errorf("a gap although the tap kept everything: %+v", gaps)
	}
	eventually(t, "the counter to say how many messages became events", func() bool {
		return r.metric(t, "orderwatch_exporter_tap_messages_total", resultEvent) == float64(p.next)
	})
	t.Logf("%d messages, %v delivered twice", p.next, r.metric(t, "orderwatch_exporter_tap_messages_total", resultDuplicate))
}

func TestMessagesAppendedButNotAcknowledgedAreNotRepeated(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	r := start(t, h.config(), out)
	awaitMark(t, out)
	var once sync.Once
	out.mu.Lock()
	out.appended = func(n int) {
		if n >= 100 { // the connection breaks after the append and before the acknowledgement
			once.Do(func() { eventually(t, "a connection to close", func() bool { return closeSidecar(t, h) }) })
		}
	}
	out.mu.Unlock()
	p := h.publisher(t)
	p.send(t, "price.calculated", 3000)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), p.next)
	if r.metric(t, "orderwatch_exporter_tap_messages_total", resultDuplicate) <= 0 {
		t.Error("nothing was delivered twice: the test shows nothing")
	}
}

func TestFailedAppendLosesAndRepeatsNothing(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	start(t, h.config(), out)
	awaitMark(t, out)
	out.mu.Lock()
	out.failures = 3
	out.mu.Unlock()
	p := h.publisher(t)
	p.send(t, "price.calculated", 1200)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), p.next)
}

func TestRestartedSidecarFindsWhatWasPublishedMeanwhile(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	r := start(t, h.config(), out)
	awaitMark(t, out)
	p := h.publisher(t)
	p.send(t, "price.calculated", 100)
	r.stop()
	p.send(t, "price.calculated", 100)
	start(t, h.config(), out)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), p.next)
	if gaps := gapsAfterStart(out); len(gaps) > 0 {
		t.Errorf("a gap although the tap kept everything: %+v", gaps)
	}
}

func TestTapFoundNearlyFullMakesGap(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	c := h.config()
	c.Taps[0].MaxLength = 500
	r := start(t, c, out)
	awaitMark(t, out)
	r.stop()
	began := time.Now()
	p := h.publisher(t)
	p.send(t, "price.calculated", 450)
	ended := time.Now()
	start(t, c, out)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), p.next)
	if gaps := gapsAfterStart(out); len(gaps) != 1 || gaps[0].Gap.From.After(began) || gaps[0].Gap.To.Before(ended) {
		t.Errorf("from %v to %v the tap was over 80 %% full, the gaps are %+v", began, ended, gaps)
	}
}

func TestBrokerKilledMakesGapAndTapIsBoundAgain(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	start(t, h.config(), out)
	h.publisher(t).send(t, "price.calculated", 10)
	awaitMark(t, out)
	last := out.of(order.KindWatermark)
	before := last[len(last)-1].Time
	node.Kill()
	if err := node.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	restarted := time.Now()
	awaitMark(t, out)
	p := h.publisher(t)
	p.next = 10
	p.send(t, "price.calculated", 10)
	awaitMark(t, out)
	all := out.of(order.KindMessage)
	if got := ids(all[len(all)-10:]); got[0] != "10" || got[9] != "19" {
		t.Errorf("after the restart: got %v", got)
	}
	gaps := gapsAfterStart(out)
	if len(gaps) == 0 {
		t.Fatal("no gap")
	}
	from, to := gaps[0].Gap.From, gaps[0].Gap.To
	for _, g := range gaps[1:] {
		if g.Gap.From.After(to) {
			t.Errorf("the gaps leave %v to %v out", to, g.Gap.From)
		}
		to = g.Gap.To
	}
	if from.Before(before.Add(-time.Second)) || to.Before(restarted.Add(-time.Second)) {
		t.Errorf("the gap is %v to %v, the last watermark before %v, the restart %v", from, to, before, restarted)
	}
	for _, m := range out.of(order.KindWatermark) {
		if m.Seq > gaps[0].Seq && m.Seq < gaps[len(gaps)-1].Seq {
			t.Error("a watermark before the gap was on record")
		}
	}
}

func TestMirroredKeysDecideWhatIsSeen(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	start(t, h.config(), out)
	awaitMark(t, out)
	p := h.publisher(t)
	p.send(t, "unroutable", 5)
	p.send(t, "price.calculated", 5)
	awaitMark(t, out)
	if got := ids(out.of(order.KindMessage)); !slices.Equal(got, []string{"5", "6", "7", "8", "9"}) {
		t.Errorf("got %v", got)
	}
}

func TestKeysChangedWhileAwayMakeGap(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	r := start(t, h.config(), out)
	awaitMark(t, out)
	r.stop()
	if err := h.admin.QueueBind("crm.prices", "quote.*", "mes.events", false, nil); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.QueueUnbind("crm.prices", "price.*", "mes.events", nil); err != nil {
		t.Fatal(err)
	}
	start(t, h.config(), out)
	awaitMark(t, out)
	p := h.publisher(t)
	p.send(t, "price.calculated", 1)
	p.send(t, "quote.made", 1)
	awaitMark(t, out)
	if got := ids(out.of(order.KindMessage)); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %v", got)
	}
	if gaps := gapsAfterStart(out); len(gaps) != 1 {
		t.Errorf("got gaps %+v", gaps)
	}
}

func TestMissingExchangeIsWaitedForAndNeverCreated(t *testing.T) {
	h := newHouse(t)
	out := &memoryStream{}
	c := h.config()
	c.Taps[0].Mirror, c.Taps[0].RoutingKeys = nil, []string{"price.*"}
	start(t, c, out)
	awaitMark(t, out) // nothing can be published to what does not exist
	if code, _ := api(t, http.MethodGet, "exchanges/"+h.vhost+"/mes.events", nil); code != http.StatusNotFound {
		t.Fatalf("the exchange was created: %d", code)
	}
	h.declare(t)
	eventually(t, "the gap until the tap is bound", func() bool { return len(gapsAfterStart(out)) == 1 })
	p := h.publisher(t)
	p.send(t, "price.calculated", 3)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), 3)
	if err := h.admin.ExchangeDelete("mes.events", false, false); err != nil {
		t.Fatal(err)
	}
	awaitMark(t, out)
	h.declare(t)
	eventually(t, "the gap until the tap is bound again", func() bool { return len(gapsAfterStart(out)) == 2 })
	p.send(t, "price.calculated", 3)
	awaitMark(t, out)
	wantExactly(t, out.of(order.KindMessage), 6)
}

func TestExchangeThatSharesMessagesOutIsRefused(t *testing.T) {
	h := newHouse(t)
	h.declareExchange(t, "x-consistent-hash")
	c := h.config()
	c.Taps[0].Mirror, c.Taps[0].RoutingKeys = nil, []string{"1"}
	r := start(t, c, &memoryStream{})
	if err := <-r.result; !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	close(r.result)
	var list []struct{ Source string }
	if err := json.Unmarshal(mustAPI(t, http.MethodGet, "exchanges/"+h.vhost+"/mes.events/bindings/source", nil), &list); err != nil || len(list) > 0 {
		t.Errorf("it was bound all the same: %v, %v", list, err)
	}
	findings := r.Preflight(t.Context())
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Refused && f.Field == "taps[0].exchange" }) {
		t.Errorf("preflight: %+v", findings)
	}
}

func TestFullTapDropsItsOwnAndSaysSo(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	// A catch-all policy of the application's: what the tap drops must not become its dead letters.
	if err := h.admin.ExchangeDeclare("app.dlx", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.admin.QueueDeclare("app.dead", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.QueueBind("app.dead", "", "app.dlx", false, nil); err != nil {
		t.Fatal(err)
	}
	mustAPI(t, http.MethodPut, "policies/"+h.vhost+"/catch-all", map[string]any{
		"pattern": ".*", "apply-to": "all", "definition": map[string]any{"dead-letter-exchange": "app.dlx"},
	})
	out := &memoryStream{}
	c := h.config()
	c.Taps[0].MaxLength = 500
	c.Queues, c.DeadLetterQueues = nil, []string{"app.dead"}
	r := start(t, c, out)
	awaitMark(t, out)
	release := out.hold()
	p := h.publisher(t)
	var all []confirmed
	for range 4000 { // all are confirmed: the publisher does not feel the full tap
		id := p.send(t, "price.calculated", 1)
		all = append(all, confirmed{fmt.Sprint(id), time.Now()})
	}
	release()
	awaitMark(t, out)
	awaitMark(t, out)
	wantLossCovered(t, out, all)
	if r.metric(t, "orderwatch_exporter_tap_messages_total", resultDropped) <= 0 {
		t.Error("dropped messages are not counted")
	}
	if q, err := h.admin.QueueDeclarePassive("app.dead", true, false, false, false, nil); err != nil || q.Messages != 0 {
		t.Errorf("the application's dead letters: %+v, %v", q, err)
	}
	before := len(gapsAfterStart(out))
	awaitMark(t, out)
	if after := len(gapsAfterStart(out)); after != before {
		t.Errorf("%d gaps more although nothing is dropped any more", after-before)
	}
}

// wantLossCovered fails unless every confirmed message that is no event lies in a gap, and that
// gap stands before every watermark that would else vouch for the message.
func wantLossCovered(t *testing.T, out *memoryStream, all []confirmed) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range ids(out.of(order.KindMessage)) {
		seen[id] = true
	}
	gaps, lost := gapsAfterStart(out), 0
	for _, c := range all {
		if seen[c.id] {
			continue
		}
		lost++
		i := slices.IndexFunc(gaps, func(g order.Event) bool { return !c.at.Before(g.Gap.From) && !c.at.After(g.Gap.To) })
		if i < 0 {
			t.Fatalf("message %s of %v is lost, the gaps are %+v", c.id, c.at, gaps)
		}
		for _, m := range out.of(order.KindWatermark) {
			if c.at.Before(m.Time) && m.Seq < gaps[i].Seq {
				t.Fatalf("watermark %v vouched for lost message %s of %v before the gap was on record", m.Time, c.id, c.at)
			}
		}
	}
	if lost == 0 {
		t.Fatal("nothing was lost: the test shows nothing")
	}
	t.Logf("%d of %d lost, %d gaps", lost, len(all), len(gaps))
}

func TestUnmappableMessagesAreCounted(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	r := start(t, h.config(), out)
	awaitMark(t, out)
	for _, body := range []string{`<xml/>`, `{"status":"X"}`} {
		if err := h.admin.Publish("mes.events", "price.x", false, false, amqp.Publishing{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, result := range []string{resultNotJSON, resultNoKey} {
		eventually(t, result, func() bool { return r.metric(t, "orderwatch_exporter_tap_messages_total", result) == 1 })
	}
	awaitMark(t, out)
	if got := out.of(order.KindMessage); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
	eventually(t, "the tap to be empty", func() bool { return r.metric(t, "orderwatch_exporter_tap_ready", "mes.events") == 0 })
}
