package rabbitmq

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// publishNumbered publishes one message after the other until stop closes.
func publishNumbered(t *testing.T, h *house, from int, stop <-chan struct{}) []confirmed {
	p := h.publisher(t)
	p.next = from
	var out []confirmed
	for {
		select {
		case <-stop:
			return out
		default:
			n := p.send(t, "price.calculated", 1)
			out = append(out, confirmed{fmt.Sprint(n), time.Now()})
		}
	}
}

func TestWatermarkCoversEverythingConfirmedBefore(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	out := &memoryStream{}
	start(t, h.config(), out)
	awaitMark(t, out)
	stop := make(chan struct{})
	var mu sync.Mutex
	var all []confirmed
	var publishers sync.WaitGroup
	for i := range 4 {
		publishers.Go(func() {
			list := publishNumbered(t, h, (i+1)*1_000_000, stop)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, list...)
		})
	}
	for range 2 {
		for range 10 {
			awaitMark(t, out)
		}
		eventually(t, "a connection to close", func() bool { return closeSidecar(t, h) })
	}
	awaitMark(t, out)
	close(stop)
	publishers.Wait()
	awaitMark(t, out)

	seq := map[string]order.Event{}
	for _, e := range out.of(order.KindMessage) {
		seq[e.Message.ID] = e
	}
	marks := out.of(order.KindWatermark)
	for _, m := range marks {
		if m.Watermark.Through != m.Seq-1 {
			t.Errorf("watermark %d says it covers %d", m.Seq, m.Watermark.Through)
		}
		for _, c := range all {
			if e, ok := seq[c.id]; c.at.Before(m.Time) && (!ok || e.Seq > m.Watermark.Through) {
				t.Fatalf("message %s, confirmed %v before T, has sequence %d > N %d", c.id, m.Time.Sub(c.at), e.Seq, m.Watermark.Through)
			}
		}
		for _, e := range seq {
			if !e.Time.After(m.Time) && e.Seq > m.Watermark.Through {
				t.Fatalf("message %s has Time %v, which watermark %v covers, but a sequence after it", e.Message.ID, e.Time, m.Time)
			}
		}
	}
	t.Logf("%d messages, %d watermarks", len(all), len(marks))
}

func TestTimeOfMessage(t *testing.T) {
	mark := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &session{mark: mark}
	received := mark.Add(time.Minute)
	for name, c := range map[string]struct{ stamp, received, want time.Time }{
		"without a timestamp, when it was received":         {time.Time{}, received, received},
		"a fresh timestamp has whole seconds only":          {received.Add(-time.Second), received, received},
		"one that stood in the tap, when it was published":  {mark.Add(10 * time.Second), received, mark.Add(10 * time.Second)},
		"a timestamp before a watermark cannot be true":     {mark.Add(-time.Hour), received, received},
		"a timestamp of the future is no use":               {received.Add(time.Hour), received, received},
		"a clock set back does not make a watermark untrue": {time.Time{}, mark.Add(-time.Second), mark.Add(1)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.when(c.stamp, c.received); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
