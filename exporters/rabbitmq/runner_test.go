package rabbitmq

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
)

// runSidecar runs the source in the real runner until the returned function is called.
func runSidecar(t *testing.T, c Config, shared exporters.Config) (stop func()) {
	t.Helper()
	s, registry := newSource(t, c)
	r, err := exporters.New(exporters.Options{Config: shared, Source: s, Registerer: registry, RetryMin: time.Millisecond, RetryMax: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = func() {
		cancel()
		if err, ok := <-done; ok && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { close(done); cancel() })
	return stop
}

func TestSidecarSendsEveryMessageOnce(t *testing.T) {
	h := newHouse(t)
	h.declare(t)
	receiver := exportertest.Start(t)
	shared := exporters.DefaultConfig()
	shared.Source, shared.Service, shared.Spool.Dir = "broker", "rabbitmq", t.TempDir()
	shared.Collector.Endpoint, shared.Collector.Insecure = receiver.Endpoint(), true

	stop := runSidecar(t, h.config(), shared)
	receiver.Wait(t, "a watermark", func(events []order.Event) bool {
		return slices.ContainsFunc(events, func(e order.Event) bool { return e.Kind == order.KindWatermark })
	})
	p := h.publisher(t)
	p.send(t, "price.calculated", 700)
	receiver.Kill()
	p.send(t, "price.calculated", 700)
	stop()
	p.send(t, "price.calculated", 700)
	receiver.Restart(t)
	stop = runSidecar(t, h.config(), shared)
	from := time.Now()
	events := receiver.Wait(t, "a watermark after the last message", func(events []order.Event) bool {
		return slices.ContainsFunc(events, func(e order.Event) bool { return e.Kind == order.KindWatermark && e.Time.After(from) })
	})
	stop()
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
	messages := slices.DeleteFunc(slices.Clone(events), func(e order.Event) bool { return e.Kind != order.KindMessage })
	wantExactly(t, messages, p.next)
	first := messages[0]
	if first.Service != "rabbitmq" || first.Message.RoutingKey != "price.calculated" || first.Message.Operation != "send" || first.System != "mes" {
		t.Errorf("got %+v", first)
	}
	gaps := slices.DeleteFunc(slices.Clone(events), func(e order.Event) bool { return e.Kind != order.KindGap })
	if len(gaps) != 1 || gaps[0].Gap.From.UnixNano() != 0 {
		t.Errorf("gaps: %+v", gaps)
	}
}
