package sla

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Shards are engines that share the orders among them by number and work at the same time. They say
// what one engine would say. Like an Engine they belong to one goroutine.
type Shards struct {
	engines []*Engine
	known   *knowledge
	queues  [][]*Record // what each engine is to take next
	pending [][]History // what each is to restore
	waiting int         // histories in pending
}

// restoreTogether is how many histories are restored at once.
const restoreTogether = 1 << 10

// NewShards returns n engines that hold no orders, n being at least 1.
func NewShards(o Options, n int) *Shards {
	s := &Shards{known: newKnowledge(o.Flow), queues: make([][]*Record, n), pending: make([][]History, n)}
	for range n {
		e := New(o)
		e.known = s.known
		e.mostAwake = max(1, mostAwake/n)
		s.engines = append(s.engines, e)
	}
	return s
}

func (s *Shards) place(id OrderID) int { return int(uint64(id) % uint64(len(s.engines))) }

// each lets every engine do something at the same time, and then share what it learned.
func (s *Shards) each(do func(i int, e *Engine)) {
	if len(s.engines) == 1 {
		do(0, s.engines[0])
	} else {
		var all sync.WaitGroup
		for i, e := range s.engines {
			all.Go(func() { do(i, e) })
		}
		all.Wait()
	}
	var last OrderID
	for _, e := range s.engines {
		e.share()
		last = max(last, e.last)
	}
	for _, e := range s.engines {
		e.last = last // a history may tell of orders that the records to come are yet to tell of
	}
}

// Apply is Engine's.
func (s *Shards) Apply(b *Batch) {
	s.settleHistories()
	s.known.noteTaps(b.Records)
	for i := range b.Records {
		r := &b.Records[i]
		if s.crosses(r) {
			s.each(func(i int, e *Engine) { e.takeAll(s.queues[i]) })
			s.clearQueues()
			s.bring(r)
		}
		at := s.place(r.Order)
		s.queues[at] = append(s.queues[at], r)
	}
	s.each(func(i int, e *Engine) {
		e.takeAll(s.queues[i])
		e.settleBatch(b.Sources)
	})
	s.clearQueues()
}

func (s *Shards) clearQueues() {
	for i := range s.queues {
		clear(s.queues[i])
		s.queues[i] = s.queues[i][:0]
	}
}

// crosses reports whether a record merges orders of several engines.
func (s *Shards) crosses(r *Record) bool {
	return slices.ContainsFunc(r.Link.Absorbed, func(id OrderID) bool { return s.place(id) != s.place(r.Order) })
}

// bring takes the orders that a record merges to the engine of the one that survives.
func (s *Shards) bring(r *Record) {
	to := s.engines[s.place(r.Order)]
	for _, id := range r.Link.Absorbed {
		if from := s.engines[s.place(id)]; from != to {
			if o := from.forget(id); o != nil {
				to.adopt(o)
			}
		}
	}
}

// Restore is Engine's.
func (s *Shards) Restore(h History) {
	for i := range h.Records {
		r := &h.Records[i]
		if !s.crosses(r) {
			continue
		}
		s.settleHistories()
		for _, id := range r.Link.Absorbed {
			if s.place(id) != s.place(h.Order) {
				s.engines[s.place(id)].forget(id)
			}
		}
	}
	s.known.noteTaps(h.Records)
	at := s.place(h.Order)
	s.pending[at] = append(s.pending[at], h)
	if s.waiting++; s.waiting == restoreTogether {
		s.settleHistories()
	}
}

func (s *Shards) settleHistories() {
	if s.waiting == 0 {
		return
	}
	s.each(func(i int, e *Engine) {
		for _, h := range s.pending[i] {
			e.restore(h)
		}
	})
	for i := range s.pending {
		clear(s.pending[i])
		s.pending[i] = s.pending[i][:0]
	}
	s.waiting = 0
}

// Advance is Engine's.
func (s *Shards) Advance(now time.Time) {
	s.settleHistories()
	s.each(func(_ int, e *Engine) { e.Advance(now) })
}

// Flush is Engine's.
func (s *Shards) Flush() *Change {
	s.settleHistories()
	changes := make([]*Change, len(s.engines))
	s.each(func(i int, e *Engine) { changes[i] = e.Flush() })
	all := changes[0]
	for _, c := range changes[1:] {
		all.Orders = append(all.Orders, c.Orders...)
		all.Removed = append(all.Removed, c.Removed...)
		all.Audit = append(all.Audit, c.Audit...)
		all.Created = append(all.Created, c.Created...)
		all.Closed = append(all.Closed, c.Closed...)
		all.Settled = append(all.Settled, c.Settled...)
		all.Stuck = append(all.Stuck, c.Stuck...)
		all.Handoffs = append(all.Handoffs, c.Handoffs...)
		all.History = append(all.History, c.History...)
		all.Transitions = append(all.Transitions, c.Transitions...)
		all.Repeats = append(all.Repeats, c.Repeats...)
		all.Conflicts += c.Conflicts
	}
	if len(changes) > 1 {
		slices.SortFunc(all.Orders, func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
		slices.SortFunc(all.Created, func(a, b CreatedOrder) int { return cmp.Compare(a.Order, b.Order) })
		slices.SortStableFunc(all.Stuck, compareStuck)
		slices.SortFunc(all.Handoffs, func(a, b OrderHandoffs) int { return cmp.Compare(a.Order, b.Order) })
		slices.Sort(all.History)
	}
	return all
}

// Overview is Engine's.
func (s *Shards) Overview() Overview {
	s.settleHistories()
	return overview(s.engines)
}
