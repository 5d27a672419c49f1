package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/collector"
	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/testbed/simulation"
)

// DemoListen is where a demo's pages are unless told otherwise.
const DemoListen = "127.0.0.1:8080"

// demoTick is how often the simulated sidecars send. Their events end at whole ticks.
const demoTick = time.Second

// DemoOptions configure a demo.
type DemoOptions struct {
	Listen   string               // host:port of the pages. Defaults to DemoListen
	Data     string               // folder to keep; a later demo goes on from it. Empty: a temporary one
	Registry *prometheus.Registry // Defaults to a new one
	Logger   *slog.Logger         // Defaults to slog.DiscardHandler
	Out      io.Writer            // where a person reads what is going on. Defaults to nowhere

	// Ready is called once the pages can be used. Defaults to nothing.
	Ready func(pages net.Addr)
}

// Demo shows everything with nothing installed: a simulated company, twelve months of whose history are
// replayed into an ordinary App on SQLite, which then follows the company as it goes on. It runs until ctx ends.
func Demo(ctx context.Context, o DemoOptions) error { return runDemo(ctx, o, demoMonths) }

func runDemo(ctx context.Context, o DemoOptions, months int) (err error) {
	o.setDefaults()
	flow, err := LoadFlow("")
	if err != nil {
		return fmt.Errorf("read example flow: %w", err)
	}
	if err := tryListen(o.Listen); err != nil { // before a long wait, not after it
		return err
	}
	temporary := o.Data == ""
	if temporary {
		if o.Data, err = os.MkdirTemp("", "orderwatch-demo-"); err != nil {
			return fmt.Errorf("make demo folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.Data)) }()
	} else if err := os.MkdirAll(o.Data, 0o755); err != nil {
		return fmt.Errorf("make demo folder: %w", err)
	}
	d := &demo{o: o, flow: flow, path: filepath.Join(o.Data, "orderwatch.db"), months: months, temporary: temporary}
	if err := d.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // interrupted
		}
		return err
	}
	return d.serve(ctx)
}

func (o *DemoOptions) setDefaults() {
	if o.Listen == "" {
		o.Listen = DemoListen
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Ready == nil {
		o.Ready = func(net.Addr) {}
	}
}

func tryListen(address string) error {
	l, err := listen("pages", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// demo is one run of the simulated company.
type demo struct {
	o         DemoOptions
	flow      *order.Flow
	path      string // of the database
	months    int    // of the past
	temporary bool   // the folder goes when the demo ends
	company   *simulation.Simulation
	sent      time.Time // through which the journal has the company's events
}

func (d *demo) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.o.Out, format+"\n", args...)
}

// serve runs an App whose events come from the company.
func (d *demo) serve(ctx context.Context) error {
	cfg := &config.Server{
		Environment: "prod",
		Store:       config.Store{Driver: config.SQLite, Path: d.path},
		Web:         config.Web{Listen: d.o.Listen},
	}
	a, err := New(Options{Config: cfg, Flow: d.flow, Registry: d.o.Registry, Logger: d.o.Logger, Ready: d.ready})
	if err != nil {
		return err
	}
	return a.run(ctx, func(ctx context.Context, core *core, parts *teardown, fail context.CancelCauseFunc) (Addresses, error) {
		// What happened while the demo was away comes first, as from sidecars that kept it.
		if err := d.send(ctx, core.committer, time.Now()); err != nil {
			return Addresses{}, fmt.Errorf("catch up: %w", err)
		}
		parts.background(ctx, "simulation", fail, func(ctx context.Context) error { return d.feed(ctx, core.committer) })
		return Addresses{Web: core.web}, nil
	})
}

func (d *demo) ready(a Addresses) {
	d.say("")
	d.say("  http://%s/", a.Web)
	d.say("")
	d.say("The company goes on live. For you to see something move, extra orders come every few")
	d.say("seconds, and what takes weeks takes them minutes; those of the past keep their pace.")
	if d.temporary {
		d.say("Ctrl-C ends the demo and removes its data; --data DIR keeps them.")
	} else {
		d.say("Ctrl-C ends the demo; it can go on later from %s.", d.o.Data)
	}
	d.o.Ready(a.Web)
}

// feed sends what the sidecars see, every tick, until ctx ends.
func (d *demo) feed(ctx context.Context, c *collector.Committer) error {
	tick := time.NewTicker(demoTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := d.send(ctx, c, now); err != nil {
				return err
			}
		}
	}
}

// sendAtOnce is how much of the company's time one request holds at most.
const sendAtOnce = time.Hour

// send commits the events through the last whole tick. Requests end with ticks, so that the journal does: after a
// kill its last watermarks tell through which tick the company was live.
func (d *demo) send(ctx context.Context, c *collector.Committer, now time.Time) error {
	until := now.UTC().Truncate(demoTick)
	for d.sent.Before(until) {
		to := d.sent.Add(sendAtOnce)
		if to.After(until) {
			to = until
		}
		if err := d.commit(ctx, c, d.company.Next(to)); err != nil || ctx.Err() != nil {
			return err
		}
		d.sent = to
	}
	return nil
}

// commit tries until the events are durable or ctx ends.
func (d *demo) commit(ctx context.Context, c *collector.Committer, events []order.Event) error {
	for {
		_, err := c.Commit(ctx, events)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // whoever stops us knows: what was not committed is sent at the next start
		}
		if !errors.Is(err, collector.ErrUnavailable) {
			return err
		}
		d.o.Logger.Warn("simulated events not committed, trying again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(demoTick):
		}
	}
}
