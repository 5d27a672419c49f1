// Package exportertest owns what every sidecar is tested with: a real OTLP receiver that records
// what arrives and can refuse, pause and die, and a conformance suite for any Source. Everything
// in it is safe concurrently.
package exportertest

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"

	"github.com/alexandrite/orderwatch/order"
)

// Patience is how long tests wait for what must come. It is never what is measured.
const Patience = 30 * time.Second

// Answer decides what a request gets: nil takes it. It is called before anything is recorded.
type Answer func(ctx context.Context, events []order.Event) (plogotlp.ExportResponse, error)

// Receiver is an OTLP logs receiver over gRPC on loopback.
type Receiver struct {
	plogotlp.UnimplementedGRPCServer
	address string

	mu      sync.Mutex
	server  *grpc.Server
	answer  Answer
	events  []order.Event
	changed chan struct{}
}

// Start starts a receiver that the test's end stops.
func Start(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{address: "127.0.0.1:0", changed: make(chan struct{})}
	r.Restart(t)
	t.Cleanup(r.Kill)
	return r
}

// Endpoint returns host:port, the same over restarts.
func (r *Receiver) Endpoint() string { return r.address }

// Restart listens again after Kill.
func (r *Receiver) Restart(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	r.address = l.Addr().String()
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, r)
	r.mu.Lock()
	r.server = server
	r.mu.Unlock()
	go func() { _ = server.Serve(l) }() // ends when it is stopped
}

// Kill cuts every connection and stops listening.
func (r *Receiver) Kill() {
	r.mu.Lock()
	server := r.server
	r.mu.Unlock()
	server.Stop()
}

// SetAnswer decides about requests from now on; nil takes all.
func (r *Receiver) SetAnswer(a Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = a
}

// Pause lets requests hang until the returned function is called, which takes them.
func (r *Receiver) Pause() (resume func()) {
	gate := make(chan struct{})
	r.SetAnswer(func(ctx context.Context, _ []order.Event) (plogotlp.ExportResponse, error) {
		select {
		case <-gate:
			return plogotlp.NewExportResponse(), nil
		case <-ctx.Done():
			return plogotlp.NewExportResponse(), ctx.Err()
		}
	})
	return sync.OnceFunc(func() {
		r.SetAnswer(nil)
		close(gate)
	})
}

// Export implements plogotlp.GRPCServer.
func (r *Receiver) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	events := Decode(request.Logs())
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	response := plogotlp.NewExportResponse()
	if answer != nil {
		var err error
		if response, err = answer(ctx, events); err != nil {
			return response, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, events...)
	close(r.changed)
	r.changed = make(chan struct{})
	return response, nil
}

// Arrivals returns everything that arrived, in order, with what was sent twice.
func (r *Receiver) Arrivals() []order.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Events returns what arrived, each number once: what a collector would keep.
func (r *Receiver) Events() []order.Event { return once(r.Arrivals()) }

func once(events []order.Event) []order.Event {
	seen := map[order.Position]bool{}
	return slices.DeleteFunc(events, func(e order.Event) bool {
		was := seen[e.Position]
		seen[e.Position] = true
		return was
	})
}

// Wait returns the events once done is content with them, and fails the test when that takes
// longer than Patience.
func (r *Receiver) Wait(t testing.TB, what string, done func(events []order.Event) bool) []order.Event {
	t.Helper()
	deadline := time.After(Patience)
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		events := r.Events()
		if done(events) {
			return events
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited in vain for %s; %d events arrived", what, len(events))
		}
	}
}
