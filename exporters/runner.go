package exporters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Options is what a Runner is made of.
type Options struct {
	Config Config
	Source Source
	Log    *slog.Logger // defaults to discarding

	Registerer prometheus.Registerer // of the sidecar's own metrics; nil: none are exported
	Gatherer   prometheus.Gatherer   // what /metrics answers; needed with Config.Listen

	Now      func() time.Time // the sidecar's clock; defaults to time.Now
	RetryMin time.Duration    // first wait after a failure; defaults to 250 ms
	RetryMax time.Duration    // longest wait; defaults to 30 s
	Timeout  time.Duration    // of one request to the collector; defaults to 30 s
}

// Runner runs one sidecar: its Source into the spool, the spool to the collector. Run may be
// called once.
type Runner struct {
	Options
	metrics  *metrics
	spool    atomic.Pointer[spool]
	listener net.Listener
}

// New checks the options and registers metrics. It opens nothing but the listener.
func New(o Options) (*Runner, error) {
	if problems := o.Config.Validate(); len(problems) > 0 {
		return nil, fmt.Errorf("configure sidecar: %w", errors.Join(problems...))
	}
	if o.Source == nil {
		return nil, errors.New("configure sidecar: no source")
	}
	o.setDefaults()
	r := &Runner{Options: o}
	r.metrics = newMetrics(r.lag)
	if o.Registerer != nil {
		if err := r.metrics.register(o.Registerer, o.Config.Source); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	if o.Config.Listen == "" {
		return r, nil
	}
	if o.Gatherer == nil {
		return nil, errors.New("configure sidecar: listen without a gatherer")
	}
	var err error
	r.listener, err = listen(o.Config.Listen)
	return r, err
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.RetryMin, 250 * time.Millisecond}, {&o.RetryMax, 30 * time.Second}, {&o.Timeout, 30 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// Run opens the spool and works until ctx ends, whose end is not an error. What the collector has
// not acknowledged by then stays in the spool. It fails only on what waiting cannot mend: the
// directory is another sidecar's, or the spool does not read.
func (r *Runner) Run(ctx context.Context) error {
	s, err := r.open()
	if err != nil {
		return err
	}
	r.spool.Store(s)
	out, err := newTransport(r.Config.Collector)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.runSource(ctx, s) })
	group.Go(func() error { return r.newSender(s, out).run(ctx) })
	if r.listener != nil {
		group.Go(func() error { return serve(ctx, r.listener, r.Gatherer) })
	}
	err = group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, out.close(), s.Close())
}

func (r *Runner) open() (*spool, error) {
	s, found, err := openSpool(spoolOptions{
		dir: r.Config.Spool.Dir, maxBytes: r.Config.Spool.MaxBytes, dropOld: r.Config.Spool.WhenFull == DropOldest,
		source: r.Config.Source, now: r.Now, metrics: r.metrics,
	})
	if err != nil {
		return nil, err
	}
	switch {
	case found.damage != "":
		r.Log.Error("spool was damaged; a new epoch begins", "damage", found.damage, "epoch", s.tail.epoch)
	case found.newEpoch:
		r.Log.Info("new stream", "source", r.Config.Source, "epoch", s.tail.epoch)
	case found.cut > 0:
		r.Log.Warn("cut a write that did not finish", "bytes", found.cut)
	}
	return s, nil
}

func (r *Runner) newSender(s *spool, out transport) *sender {
	return &sender{
		spool: s, transport: out, config: r.Config, log: r.Log, metrics: r.metrics, timeout: r.Timeout,
		backoff: Backoff{Min: r.RetryMin, Max: r.RetryMax}, reasons: map[string]bool{},
	}
}

// runSource keeps the source running. A source reconnects by itself, so that one which returns has
// met something it does not know: it begins again from the position in the spool.
func (r *Runner) runSource(ctx context.Context, s *spool) error {
	wait := Backoff{Min: r.RetryMin, Max: r.RetryMax}
	failed := false
	for {
		r.metrics.sourceUp.Set(1)
		started := r.Now()
		err := r.Source.Run(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.metrics.sourceUp.Set(0)
		r.metrics.restarts.Inc()
		if r.Now().Sub(started) > 2*r.RetryMax {
			wait.Reset()
			failed = false
		}
		if !failed {
			failed = true
			r.Log.Error("source failed; starting it again until it stays", "error", err)
		}
		if err := wait.Wait(ctx); err != nil {
			return err
		}
	}
}

func (r *Runner) lag() float64 {
	s := r.spool.Load()
	if s == nil {
		return 0
	}
	return s.lag(r.Now()).Seconds()
}

// Address returns where /metrics and /healthz are served, "" without Config.Listen.
func (r *Runner) Address() string {
	if r.listener == nil {
		return ""
	}
	return r.listener.Addr().String()
}
