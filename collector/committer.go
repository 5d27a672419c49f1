package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// CommitterOptions says what a Committer works with. Journal, Position, Flow and Out are required.
type CommitterOptions struct {
	Journal     Journal
	Position    Position
	Environment string // events of another are rejected; empty: every environment is right
	Flow        *order.Flow
	Out         chan<- *sla.Batch // committed batches in journal order; while it is full, nothing is acknowledged

	Registerer  prometheus.Registerer // Defaults to a registry of its own
	Logger      *slog.Logger          // Defaults to slog.DiscardHandler
	Now         func() time.Time      // Defaults to time.Now
	MaxBatch    int                   // events after which a batch takes no further request. Defaults to 5000
	MaxWaiting  int                   // requests that wait for the batch before theirs. Defaults to 64
	HoleAfter   time.Duration         // age at which a missing sequence is given up. Defaults to 15 minutes
	CommitLimit time.Duration         // time that one batch may take. Defaults to 30 seconds
}

func (o *CommitterOptions) setDefaults() error {
	switch {
	case o.Journal == nil:
		return errors.New("no journal")
	case o.Position == nil:
		return errors.New("no position")
	case o.Flow == nil:
		return errors.New("no flow")
	case o.Out == nil:
		return errors.New("no channel for committed batches")
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = 5000
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 64
	}
	if o.HoleAfter == 0 {
		o.HoleAfter = 15 * time.Minute
	}
	if o.CommitLimit == 0 {
		o.CommitLimit = 30 * time.Second
	}
	return nil
}

// Committer makes events durable, many requests in one transaction.
type Committer struct {
	o        CommitterOptions
	metrics  *metrics
	requests chan *request
	stopped  chan struct{}

	corrections chan *correction

	// Of the goroutine in Run.
	tracker  *sla.Tracker
	resolver *sla.Resolver
	last     int64      // sequence of the journal
	doubt    *sla.Batch // Append failed, and it is not known whether the batch was written
	alone    int        // so many of the next requests get a batch of their own
}

// entry is one event of a request: decoded, or refused while it was.
type entry struct {
	event order.Event
	err   error
}

type request struct {
	entries  []entry
	outcomes []Outcome
	err      error
	done     chan struct{} // closed once outcomes and err are final
}

// NewCommitter returns a committer; Run makes it work.
func NewCommitter(o CommitterOptions) (*Committer, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("new committer: %w", err)
	}
	m, err := newMetrics(o.Registerer, o.Flow)
	if err != nil {
		return nil, fmt.Errorf("new committer: %w", err)
	}
	return &Committer{
		o: o, metrics: m,
		requests: make(chan *request, o.MaxWaiting),
		stopped:  make(chan struct{}),

		corrections: make(chan *correction),
	}, nil
}

// Commit returns once the events are durable, with the outcome of each. It waits for Run. An error
// that wraps ErrUnavailable, or of ctx, means that any of the events may or may not be durable: send all again.
func (c *Committer) Commit(ctx context.Context, events []order.Event) ([]Outcome, error) {
	entries := make([]entry, len(events))
	for i := range events {
		entries[i].event = events[i]
	}
	return c.commit(ctx, entries)
}

func (c *Committer) commit(ctx context.Context, entries []entry) ([]Outcome, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	for i := range entries {
		if e := &entries[i]; e.err == nil {
			e.err = c.check(&e.event)
		}
	}
	r := &request{entries: entries, outcomes: make([]Outcome, len(entries)), done: make(chan struct{})}
	select {
	case c.requests <- r:
	case <-c.stopped:
		return nil, ErrUnavailable
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-r.done:
		return r.outcomes, r.err
	case <-c.stopped:
		select { // it may have been answered just before
		case <-r.done:
			return r.outcomes, r.err
		default:
			return nil, ErrUnavailable
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// check tells what is wrong with an event on its own.
func (c *Committer) check(e *order.Event) error {
	if err := e.Validate(c.o.Environment); err != nil {
		return err
	}
	return c.o.Flow.CheckKeys(e)
}

// Run commits until ctx ends, the batch at hand included. It returns an error where it cannot go
// on: the journal cannot be read at the start, or another writer has moved it. Run it once.
func (c *Committer) Run(ctx context.Context) error {
	defer close(c.stopped)
	if err := c.load(ctx); err != nil {
		return fmt.Errorf("load journal: %w", err)
	}
	expiry := time.NewTicker(max(c.o.HoleAfter/30, time.Second))
	defer expiry.Stop()
	for {
		var batch []*request
		expire := false
		select {
		case <-ctx.Done():
			return nil
		case x := <-c.corrections:
			if err := c.roundOf(ctx, x); err != nil {
				return err
			}
			continue
		case <-expiry.C:
			expire = true
		case r := <-c.requests:
			batch = c.gather(r)
		}
		if err := c.round(ctx, batch, expire); err != nil {
			return err
		}
	}
}

// load reads where the journal stands.
func (c *Committer) load(ctx context.Context) error {
	journal, last, err := c.o.Position(ctx)
	if err != nil {
		return err
	}
	sources, err := c.o.Journal.Sources(ctx)
	if err != nil {
		return err
	}
	corrections, err := c.o.Journal.Corrections(ctx)
	if err != nil {
		return err
	}
	c.last = journal
	c.tracker = sla.NewTracker(sources)
	c.resolver = sla.NewResolver(c.o.Flow.Keys, last+1)
	c.resolver.Recall(corrections)
	return nil
}

// gather takes the requests that wait already: while one transaction runs, the next one fills.
// After a batch has failed its requests go alone, so that one which the journal can never take
// does not fail the others again and again.
func (c *Committer) gather(r *request) []*request {
	batch := []*request{r}
	if c.alone > 0 {
		c.alone--
		return batch
	}
	for n := len(r.entries); n < c.o.MaxBatch; n += len(r.entries) {
		select {
		case r = <-c.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}
