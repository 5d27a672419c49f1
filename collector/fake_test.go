package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("the disk is gone")

// poison is a key value that the journal can never store.
const poison = "poison"

// memory is a journal in memory that can fail, block, and lose its answer.
type memory struct {
	mu      sync.Mutex
	records []sla.Record
	sources map[string]sla.SourceState
	owner   map[order.Key]sla.OrderID
	lookups int

	fail       int // of the next calls of Append this many fail
	loseAnswer int // of the next calls of Append this many write, and fail all the same
	down       bool
	block      chan struct{} // Append waits for it to close; nil: does not wait
	begun      chan struct{} // Append tells that it began; nil: does not
}

func newMemory() *memory {
	return &memory{sources: map[string]sla.SourceState{}, owner: map[order.Key]sla.OrderID{}}
}

func (m *memory) Position(context.Context) (int64, sla.OrderID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return 0, 0, errDown
	}
	var last sla.OrderID
	for _, r := range m.records {
		last = max(last, r.Order)
	}
	return int64(len(m.records)), last, nil
}

func (m *memory) Sources(context.Context) ([]sla.SourceState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []sla.SourceState
	for _, s := range m.sources {
		list = append(list, s)
	}
	return list, nil
}

func (m *memory) Owners(_ context.Context, keys []order.Key) (map[order.Key]sla.OrderID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lookups++
	found := map[order.Key]sla.OrderID{}
	for _, k := range keys {
		if id, ok := m.owner[k]; ok {
			found[k] = id
		}
	}
	return found, nil
}

func (m *memory) KeysOf(_ context.Context, ids []sla.OrderID) (map[sla.OrderID][]order.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lookups++
	held := map[sla.OrderID][]order.Key{}
	for k, id := range m.owner {
		if slices.Contains(ids, id) {
			held[id] = append(held[id], k)
		}
	}
	return held, nil
}

func (m *memory) SeenIDs(_ context.Context, source string, ids []string) (map[string]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lookups++
	seen := map[string]bool{}
	for _, r := range m.records {
		if r.Event.Source == source && r.Event.Seq == 0 && slices.Contains(ids, r.Event.ID) {
			seen[r.Event.ID] = true
		}
	}
	return seen, nil
}

func (m *memory) Corrections(context.Context) ([]sla.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []sla.Record
	for _, r := range m.records {
		if r.Link.Correction != nil {
			list = append(list, r)
		}
	}
	return list, nil
}

// History gives the records that share keys with an order: enough where nothing was refused.
func (m *memory) History(_ context.Context, id sla.OrderID) (sla.History, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := sla.History{Order: id}
	for _, r := range m.records {
		if m.owner[r.Event.Keys[0]] == id {
			h.Records = append(h.Records, r)
		}
	}
	return h, nil
}

func (m *memory) Append(ctx context.Context, b *sla.Batch) error {
	m.mu.Lock()
	block, begun := m.block, m.begun
	m.mu.Unlock()
	if begun != nil {
		begun <- struct{}{}
	}
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail > 0 || m.down {
		m.fail--
		return errDown
	}
	for i, r := range b.Records {
		if r.Event.Keys[0].Value == poison {
			return errors.New("value out of range")
		}
		if r.Seq != int64(len(m.records)+i+1) {
			return fmt.Errorf("record %d where %d is next", r.Seq, len(m.records)+i+1)
		}
	}
	m.records = append(m.records, b.Records...)
	for _, r := range b.Moved {
		m.records[r.Seq-1].Order, m.records[r.Seq-1].Link = r.Order, r.Link
	}
	for _, k := range b.Keys {
		m.owner[k.Key] = k.Order
	}
	for _, s := range b.Sources {
		m.sources[s.Name] = s
	}
	if m.loseAnswer > 0 {
		m.loseAnswer--
		return errDown
	}
	return nil
}

// stored returns the journal's records.
func (m *memory) stored() []sla.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records)
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testFlow() *order.Flow {
	return &order.Flow{Keys: []string{"shop", "mes"}, Sources: []order.FlowSource{{Name: "mes-db"}, {Name: "shop-db"}}}
}

// harness is a committer at work.
type harness struct {
	*Committer
	journal  *memory
	registry *prometheus.Registry
	mu       sync.Mutex
	out      []*sla.Batch
	stop     func() error
}

func start(t *testing.T, m *memory, change func(*CommitterOptions)) *harness {
	t.Helper()
	h := &harness{journal: m, registry: prometheus.NewRegistry()}
	out := make(chan *sla.Batch, 4)
	o := CommitterOptions{
		Journal: m, Position: m.Position, Environment: "dev", Flow: testFlow(), Out: out,
		Registerer: h.registry, Now: func() time.Time { return now },
	}
	if change != nil {
		change(&o)
	}
	c, err := NewCommitter(o)
	if err != nil {
		t.Fatal(err)
	}
	h.Committer = c
	ctx, cancel := context.WithCancel(context.Background())
	ran, read := make(chan error, 1), make(chan struct{})
	go func() { ran <- c.Run(ctx) }()
	go func() {
		defer close(read)
		for b := range out {
			h.mu.Lock()
			h.out = append(h.out, b)
			h.mu.Unlock()
		}
	}()
	h.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ran
		close(out)
		<-read
		return err
	})
	t.Cleanup(func() { _ = h.stop() })
	return h
}

// handedOn returns the records that went to the engine.
func (h *harness) handedOn() []sla.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []sla.Record
	for _, b := range h.out {
		list = append(list, b.Records...)
	}
	return list
}

func statusEvent(seq uint64, key string) order.Event {
	return order.Event{
		Kind: order.KindStatus, Time: now.Add(-time.Minute), Observed: now, Service: "mes", Environment: "dev",
		Position: order.Position{Source: "mes-db", Epoch: 1, Seq: seq},
		System:   "mes", Status: "SUBMITTED", Keys: []order.Key{{Name: "mes", Value: key}},
	}
}

func watermark(seq, through uint64) order.Event {
	e := statusEvent(seq, "")
	e.Kind, e.Status, e.Keys = order.KindWatermark, "", nil
	e.Watermark.Through = through
	return e
}

// counters returns the event counters as "name{source result} value", sorted.
func (h *harness) counters(t *testing.T) []string {
	t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range families {
		var name string
		switch f.GetName() {
		case "orderwatch_events_total":
			name = "events"
		case "orderwatch_duplicate_events_total":
			name = "duplicate"
		default:
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			slices.Sort(labels)
			list = append(list, fmt.Sprintf("%s %v %v", name, labels, m.GetCounter().GetValue()))
		}
	}
	return list
}

// source returns the stored state of a source.
func (m *memory) source(name string) sla.SourceState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sources[name]
}
