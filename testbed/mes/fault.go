package mes

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// faults knows which order has which fault. It is safe for concurrent use. What was chosen by hand
// is forgotten when the MES ends.
type faults struct {
	seed  uint64
	share map[string]float64
	truth *truth.Writer
	log   *slog.Logger

	mu     sync.Mutex // guards orders
	orders map[string]*fault
}

type fault struct {
	name  string
	began time.Time     // zero until it took effect
	ended chan struct{} // closed when it was taken away
	over  bool
}

func newFaults(opts Options) (*faults, error) {
	sum := 0.0
	for name, share := range opts.FaultShare {
		if !slices.Contains(truth.Faults(), name) || share < 0 {
			return nil, fmt.Errorf("set fault share: %s=%v: the faults are %v, shares are 0 to 1", name, share, truth.Faults())
		}
		sum += share
	}
	if sum > 1 {
		return nil, fmt.Errorf("set fault share: the shares add up to %v", sum)
	}
	return &faults{
		seed: opts.Seed, share: opts.FaultShare, truth: opts.Truth, log: opts.Log, orders: map[string]*fault{},
	}, nil
}

// choose gives an order a fault, which takes effect when the order comes to the place.
func (f *faults) choose(file, name string) error {
	if !slices.Contains(truth.Faults(), name) {
		return fmt.Errorf("choose fault: %q is none of %v", name, truth.Faults())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.orders[file]; old != nil && !old.over {
		return fmt.Errorf("choose fault: the order already has %s", old.name)
	}
	f.orders[file] = &fault{name: name, ended: make(chan struct{})}
	return nil
}

// strikes reports whether the order has this fault, which then has taken effect, and returns a
// channel that is closed when it is taken away.
func (f *faults) strikes(name, file string) (<-chan struct{}, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.orders[file]
	if o == nil && f.drawn(file) == name {
		o = &fault{name: name, ended: make(chan struct{})}
		f.orders[file] = o
	}
	if o == nil || o.name != name || o.over {
		return nil, false
	}
	if o.began.IsZero() {
		o.began = time.Now().UTC()
		f.record(truth.Fault{File: file, Fault: name, Began: o.began})
	}
	return o.ended, true
}

// drawn returns the fault that chance gives the order, "" for none.
func (f *faults) drawn(file string) string {
	chance := pace.Chance(f.seed, "fault", file)
	for _, name := range truth.Faults() {
		if chance < f.share[name] {
			return name
		}
		chance -= f.share[name]
	}
	return ""
}

// end takes the order's fault away: the lost message is published, the calculation finishes, the
// operators see the order.
func (f *faults) end(file string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.orders[file]
	if o == nil || o.over {
		return
	}
	o.over = true
	close(o.ended)
	if !o.began.IsZero() {
		f.record(truth.Fault{File: file, Fault: o.name, Began: o.began, Ended: time.Now().UTC()})
	}
}

func (f *faults) record(t truth.Fault) {
	if err := f.truth.Fault(t); err != nil {
		f.log.Error("truth is incomplete", "error", err)
	}
}
