package exportertest

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

// System is a watched system and how a Source for it is made.
type System struct {
	// Source returns a new Source, as a sidecar that starts makes one. stateDir is the same for
	// the same spool.
	Source func(stateDir string) (exporters.Source, error)
	// Change commits n changes one after the other and returns how Name calls each.
	Change func(n int) []string
	// Name names the change an event reports, "" where it reports none.
	Name func(order.Event) string
	// Disconnect cuts the Source's connections. Nil where that loses facts.
	Disconnect func()
}

// Conform runs what every Source must hold to, each time on a new system: every committed change
// arrives exactly once by (epoch, seq), contiguous and in order, and no watermark claims what was
// not sent before it.
func Conform(t *testing.T, newSystem func(t *testing.T) System) {
	cases := []struct {
		name string
		run  func(c *conformance)
	}{
		{"changes arrive once and in order", func(c *conformance) {
			c.change(50)
		}},
		{"a restarted sidecar goes on where it was", func(c *conformance) {
			for range 3 {
				c.change(20)
				c.stop()
				c.start()
			}
			c.change(20)
		}},
		{"changes made while the sidecar is away arrive", func(c *conformance) {
			if c.system.Disconnect == nil {
				return
			}
			c.change(5)
			c.stop()
			c.make(30)
			c.start()
			c.change(5)
		}},
		{"a cut connection costs nothing", func(c *conformance) {
			if c.system.Disconnect == nil {
				return
			}
			for range 5 {
				c.make(10)
				c.system.Disconnect()
				c.change(10)
			}
		}},
		{"a collector that refuses, hangs or dies costs nothing", func(c *conformance) {
			n := 0
			c.receiver.SetAnswer(func(context.Context, []order.Event) (plogotlp.ExportResponse, error) {
				n++
				if n%3 != 0 {
					return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "store down")
				}
				return plogotlp.NewExportResponse(), nil
			})
			c.change(20)
			resume := c.receiver.Pause()
			c.make(20)
			resume()
			c.change(5)
			c.receiver.Kill()
			c.make(20)
			c.receiver.Restart(c.t)
			c.change(5)
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := &conformance{t: t, system: newSystem(t), receiver: Start(t), dir: t.TempDir()}
			c.start()
			test.run(c)
			c.check()
		})
	}
}

// conformance is one sidecar under test.
type conformance struct {
	t        *testing.T
	system   System
	receiver *Receiver
	dir      string
	stop     func()
	made     []string
}

func (c *conformance) start() {
	c.t.Helper()
	config := exporters.DefaultConfig()
	config.Source, config.Service = "source", "service"
	config.Collector.Endpoint, config.Collector.Insecure = c.receiver.Endpoint(), true
	config.Spool.Dir = filepath.Join(c.dir, "spool")
	source, err := c.system.Source(config.StateDir())
	if err != nil {
		c.t.Fatal(err)
	}
	c.stop = StartRunner(c.t, exporters.Options{Config: config, Source: source,
		RetryMin: time.Millisecond, RetryMax: 20 * time.Millisecond})
	c.proven()
}

// make commits changes without waiting for them.
func (c *conformance) make(n int) { c.made = append(c.made, c.system.Change(n)...) }

// change commits changes and waits until they have arrived and a watermark followed.
func (c *conformance) change(n int) {
	c.t.Helper()
	c.make(n)
	c.receiver.Wait(c.t, "the changes", func(events []order.Event) bool { return len(c.named(events)) >= len(c.made) })
	c.proven()
}

// proven waits for a watermark that comes after everything which has arrived so far.
func (c *conformance) proven() {
	c.t.Helper()
	arrived := len(c.receiver.Events())
	c.receiver.Wait(c.t, "a watermark", func(events []order.Event) bool {
		return slices.ContainsFunc(events[arrived:], func(e order.Event) bool { return e.Kind == order.KindWatermark })
	})
}

func (c *conformance) named(events []order.Event) []string {
	var out []string
	for _, e := range events {
		if name := c.system.Name(e); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func (c *conformance) check() {
	c.t.Helper()
	if got := c.named(c.receiver.Events()); !slices.Equal(got, c.made) {
		c.t.Errorf("%d changes arrived, %d were made:\n got %v\nwant %v", len(got), len(c.made), got, c.made)
	}
	if err := Check(c.receiver.Arrivals()); err != nil {
		c.t.Error(err)
	}
}
