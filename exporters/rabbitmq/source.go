package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/exporters"
)

// Options says what a Source reads and where it reports.
type Options struct {
	Name       string // of the stream; part of the names of our queues
	Config     Config
	Log        *slog.Logger          // Defaults to discarding.
	Registerer prometheus.Registerer // nil: no metrics are exported
	Now        func() time.Time      // Defaults to time.Now.
}

// Source reads one broker's virtual host. Run may be called once at a time.
type Source struct {
	name    string
	config  Config
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time
	taps    []*tapState
}

// tapState is what is known of a tap beyond one session. It belongs to Run.
type tapState struct {
	Tap
	queue  string
	mapper *mapper
	good   time.Time // see tapPosition
	keys   []string  // see tapPosition
	mem    memory
}

var _ exporters.Source = (*Source)(nil)

// errRefused ends Run: trying again would not help.
var errRefused = errors.New("refused")

// New returns a Source. It starts nothing.
func New(o Options) (*Source, error) {
	if o.Name == "" || len(o.Name) > 64 {
		return nil, errors.New("new rabbitmq source: the stream needs a name of at most 64 bytes")
	}
	if err := errors.Join(o.Config.Validate()...); err != nil {
		return nil, fmt.Errorf("new rabbitmq source: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{name: o.Name, config: o.Config.withDefaults(), log: o.Log, now: func() time.Time { return o.Now().UTC() }}
	for i := range s.config.Taps {
		t := s.config.Taps[i]
		m, err := newMapper(&t.Map)
		if err != nil {
			return nil, fmt.Errorf("new rabbitmq source: %w", err)
		}
		s.taps = append(s.taps, &tapState{Tap: t, queue: s.tapName() + "." + t.Exchange, mapper: m})
	}
	s.metrics = newMetrics(s.config.Taps)
	if o.Registerer != nil {
		if err := s.metrics.register(o.Registerer); err != nil {
			return nil, fmt.Errorf("new rabbitmq source: %w", err)
		}
	}
	return s, nil
}

// tapName is the name of our own exchange and the beginning of the names of our taps.
func (s *Source) tapName() string { return "orderwatch.tap." + s.name }

// droppedName is the name of the queue in which the broker leaves what a tap had to drop.
func (s *Source) droppedName() string { return "orderwatch.dropped." + s.name }

// The pause between two sessions.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// Run reads until ctx ends. It returns an error before that only where an exchange is of a type
// that must not be tapped, or where the saved position is not one of this source.
func (s *Source) Run(ctx context.Context, out exporters.Stream) error {
	p, err := parsePosition(out.Position())
	if err != nil {
		return fmt.Errorf("run rabbitmq source: %w", err)
	}
	for _, t := range s.taps {
		saved := p.Taps[t.Exchange]
		t.good, t.keys, t.mem = saved.Good, saved.Keys, memory{inherited: unpackSums(saved.Recent)}
	}
	m, err := newManagement(&s.config)
	if err != nil {
		return fmt.Errorf("run rabbitmq source: %w", err)
	}
	if m != nil {
		defer m.close()
	}
	w := newWatcher(s, m)
	mark := p.Watermark
	pause := exporters.Backoff{Min: firstPause, Max: maxPause}
	for {
		x := &session{Source: s, out: out, watcher: w, mark: mark}
		err := x.run(ctx)
		mark = x.mark
		for _, t := range s.taps {
			t.mem.endSession()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errRefused) {
			return fmt.Errorf("run rabbitmq source: %w", err)
		}
		if x.proven {
			pause.Reset()
		}
		s.metrics.reconnects.Inc()
		s.log.Warn("session with the broker ended", "source", s.name, "error", err)
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}
