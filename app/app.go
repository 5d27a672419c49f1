package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/collector"
	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// batchesAhead is how many committed batches may wait for the engine before commits wait for it.
const batchesAhead = 64

// Options configure an App.
type Options struct {
	Config   *config.Server
	Flow     *order.Flow
	Registry *prometheus.Registry
	Logger   *slog.Logger

	// Ready is called once everything listens and the state is restored. Defaults to nothing.
	Ready func(Addresses)
}

// Addresses are where an App listens; what is closed is nil.
type Addresses struct{ Web, GRPC, HTTP net.Addr }

// App is collector, engine, pages, API and metrics in one process.
type App struct {
	Options
	now func() time.Time
}

// New returns an App that has started nothing.
func New(o Options) (*App, error) {
	switch {
	case o.Config == nil:
		return nil, errors.New("new app: no config")
	case o.Flow == nil:
		return nil, errors.New("new app: no flow")
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Ready == nil {
		o.Ready = func(Addresses) {}
	}
	return &App{Options: o, now: time.Now}, nil
}

// LoadFlow reads a flow file, or the built-in example where path is empty. Its error is
// order.Problems, or that the file cannot be read.
func LoadFlow(path string) (*order.Flow, error) {
	if path == "" {
		return order.ParseFlow(examples.FlowName, examples.Flow())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read flow: %w", err)
	}
	return order.ParseFlow(path, data)
}

// Run opens the store, restores the engine and serves until ctx ends or a part fails, then stops
// everything in reverse order. A database server that is away at the start is waited for.
func (a *App) Run(ctx context.Context) error {
	return a.run(ctx, func(ctx context.Context, core *core, parts *teardown, fail context.CancelCauseFunc) (Addresses, error) {
		grpcAddr, httpAddr, err := a.startCollector(ctx, core.committer, parts, fail)
		return Addresses{Web: core.web, GRPC: grpcAddr, HTTP: httpAddr}, err
	})
}

// intake starts what gives the committer its events and says where all listens.
type intake func(ctx context.Context, core *core, parts *teardown, fail context.CancelCauseFunc) (Addresses, error)

func (a *App) run(ctx context.Context, start intake) (err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	parts := &teardown{log: a.Logger}
	defer func() {
		switch cause := context.Cause(ctx); {
		case cause != nil && !errors.Is(cause, context.Canceled):
			err = cmp.Or(err, cause)
		case cause != nil && errors.Is(err, context.Canceled):
			err = nil // to be told to stop while starting is no failure
		}
		err = errors.Join(err, parts.run())
	}()

	core, err := a.startCore(ctx, parts, fail)
	if err != nil {
		return err
	}
	addresses, err := start(ctx, core, parts, fail)
	if err != nil {
		return err
	}
	a.Ready(addresses)
	<-ctx.Done()
	return nil
}

// core is what every App runs: the engine on a store, the commit loop before it, the pages beside it.
type core struct {
	committer *collector.Committer
	web       net.Addr
}

func (a *App) startCore(ctx context.Context, parts *teardown, fail context.CancelCauseFunc) (*core, error) {
	figures := newMetrics(a.Flow, a.Registry)
	batches := make(chan *sla.Batch, batchesAhead)
	l := &loop{flow: a.Flow, batches: batches, now: a.now, log: a.Logger, observe: figures.observe, retry: storeRetry}
	a.Registry.MustRegister(&gauges{overview: l.overview.Load, incidents: l.open.Load, balance: l.balance.Load, channels: figures.channels, now: a.now})

	// The pages listen first, so that whoever asks is told to wait, and stop before the store closes.
	parts.add("store", l.closeStore)
	people := &identity{loop: l}
	addr, err := a.startWeb(ctx, &reader{l}, people, l, parts, fail)
	if err != nil {
		return nil, err
	}
	st, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	l.store = st
	committer, err := collector.NewCommitter(collector.CommitterOptions{
		Journal:     st,
		Position:    journalPosition(st),
		Environment: a.Config.Environment,
		Flow:        a.Flow,
		Out:         batches,
		Registerer:  a.Registry,
		Logger:      a.Logger,
		Now:         a.now,
		HoleAfter:   a.Config.Collector.HoleAfter,
	})
	if err != nil {
		return nil, err
	}
	people.committer = committer
	if err := l.restore(ctx); err != nil {
		return nil, err
	}
	parts.background(ctx, "engine", fail, l.run)
	parts.background(ctx, "commit loop", fail, committer.Run)
	return &core{committer: committer, web: addr}, nil
}

func journalPosition(st store.Store) collector.Position {
	return func(ctx context.Context) (int64, sla.OrderID, error) {
		p, err := st.Position(ctx)
		return p.Journal, p.Order, err
	}
}

func (a *App) startCollector(ctx context.Context, c *collector.Committer, parts *teardown, fail context.CancelCauseFunc) (grpcAddr, httpAddr net.Addr, err error) {
	o := collector.Options{Committer: c, AllowInsecure: a.Config.Collector.AllowInsecure, Logger: a.Logger}
	if o.GRPC, err = listen("OTLP over gRPC", a.Config.Collector.GRPC); err != nil {
		return nil, nil, err
	}
	if o.HTTP, err = listen("OTLP over HTTP", a.Config.Collector.HTTP); err != nil {
		return nil, nil, errors.Join(err, closeListener(o.GRPC))
	}
	server, err := collector.New(o)
	if err != nil {
		return nil, nil, errors.Join(err, closeListener(o.GRPC), closeListener(o.HTTP))
	}
	parts.background(ctx, "collector", fail, server.Run)
	return addrOf(o.GRPC), addrOf(o.HTTP), nil
}

// listen opens an address; an empty one is none.
func listen(what, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	return l, nil
}

func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}
