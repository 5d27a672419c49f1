package sla

import (
	"maps"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// memory is a journal and a read model without a disk. It keeps and gives back what a store does.
type memory struct {
	records []Record
	owners  map[order.Key]OrderID
	held    map[OrderID][]order.Key
	merges  map[OrderID]OrderID
	sources map[string]SourceState
	ids     map[string]bool // of events without sequence
	last    OrderID
	applied int64
	orders  map[OrderID]Order
	audit   []AuditEntry

	since     time.Time
	incidents map[IncidentID]Incident
	members   map[part]IncidentOrder
	ledger    map[claim]LedgerEntry
}

// part is one visit's part in an incident.
type part struct {
	incident IncidentID
	claim
}

func newMemory() *memory {
	return &memory{owners: map[order.Key]OrderID{}, held: map[OrderID][]order.Key{}, merges: map[OrderID]OrderID{},
		sources: map[string]SourceState{}, ids: map[string]bool{}, orders: map[OrderID]Order{},
		incidents: map[IncidentID]Incident{}, members: map[part]IncidentOrder{}, ledger: map[claim]LedgerEntry{}}
}

func (m *memory) survivor(id OrderID) OrderID {
	for into, ok := m.merges[id]; ok; into, ok = m.merges[id] {
		id = into
	}
	return id
}

func (m *memory) append(b *Batch) {
	if m.since.IsZero() {
		m.since = b.At
	}
	m.records = append(m.records, b.Records...)
	for _, r := range b.Records {
		m.last = max(m.last, r.Order)
	}
	for _, r := range b.Moved {
		was := &m.records[r.Seq-1]
		was.Order, was.Link = r.Order, r.Link
		m.last = max(m.last, r.Order)
	}
	for _, k := range b.Keys {
		m.owners[k.Key] = k.Order
		if k.Order == 0 {
			delete(m.owners, k.Key)
		}
	}
	for _, id := range b.Freed {
		delete(m.merges, id)
	}
	for _, merge := range b.Merges {
		into := m.survivor(merge.Into)
		for from, to := range m.merges {
			if to == merge.From {
				m.merges[from] = into
			}
		}
		m.merges[merge.From] = into
	}
	clear(m.held)
	for key, id := range m.owners {
		m.held[id] = append(m.held[id], key)
	}
	for _, s := range b.Sources {
		m.sources[s.Name] = s
	}
}

func (m *memory) save(c *Change, applied int64) {
	for _, o := range c.Orders {
		m.orders[o.ID] = o
	}
	for _, merge := range c.Removed {
		delete(m.orders, merge.From)
	}
	m.audit = append(m.audit, c.Audit...)
	for _, i := range c.Incidents {
		m.incidents[i.ID] = i
	}
	for _, x := range c.IncidentOrders {
		m.members[part{x.Incident, claim{x.Order, x.Stage, x.N}}] = x
	}
	for _, x := range c.Ledger {
		if key := (claim{x.Order, x.Stage, x.N}); x.State == LedgerGone {
			delete(m.ledger, key)
		} else {
			m.ledger[key] = x
		}
	}
	m.applied = applied
}

// remembered is what a store tells of incidents after a restart.
func (m *memory) remembered() IncidentMemory {
	memory := IncidentMemory{Since: m.since}
	for id, i := range m.incidents {
		memory.Last = max(memory.Last, id)
		if i.State() == IncidentClosed {
			continue
		}
		for key, x := range m.members {
			if key.incident == id && x.Left.IsZero() {
				i.Members = append(i.Members, x)
			}
		}
		memory.Open = append(memory.Open, i)
	}
	return memory
}

func (m *memory) history(id OrderID) History {
	h := History{Order: m.survivor(id)}
	for _, r := range m.records {
		if m.survivor(r.Order) == h.Order {
			h.Records = append(h.Records, r)
		}
	}
	for _, a := range m.audit {
		if m.survivor(a.Order) == h.Order {
			h.Audit = append(h.Audit, a)
		}
	}
	if o, ok := m.orders[h.Order]; ok {
		h.Saved = Saved{o.FlowHash, o.Counts.Events}
	}
	return h
}

// unsettled returns the orders that are open or have records that were not folded.
func (m *memory) unsettled() []OrderID {
	ids := map[OrderID]bool{}
	for id, o := range m.orders {
		if o.State == StateOpen {
			ids[m.survivor(id)] = true
		}
	}
	for _, r := range m.records {
		if r.Seq > m.applied {
			ids[m.survivor(r.Order)] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// instance is one orderwatch on a memory: collector, engine and the loop between them.
type instance struct {
	flow     *order.Flow
	memory   *memory
	tracker  *Tracker
	resolver *Resolver
	engine   machine
	group    *Incidents
	ledger   *Ledger
	queue    []*Batch // committed, not yet folded
	awake    int      // orders that may be awake; 0: as many as there are
	shards   int      // 0: an engine
	now      time.Time
	counted  *counted // nil: nobody looks
}

// machine is an Engine or Shards.
type machine interface {
	Restore(History)
	Apply(*Batch)
	Advance(time.Time)
	Flush() *Change
	Overview() Overview
}

func newMachine(o Options, shards, awake int) machine {
	if shards > 0 {
		s := NewShards(o, shards)
		for _, e := range s.engines {
			e.mostAwake = awake
		}
		return s
	}
	e := New(o)
	if awake > 0 {
		e.mostAwake = awake
	}
	return e
}

func newInstance(flow *order.Flow) *instance {
	i := &instance{flow: flow, memory: newMemory()}
	i.restart()
	return i
}

// restart begins anew with what the memory holds, as after a kill.
func (i *instance) restart() {
	m := i.memory
	sources := slices.Collect(maps.Values(m.sources))
	i.tracker = NewTracker(sources)
	i.resolver = NewResolver(i.flow.Keys, m.last+1)
	i.resolver.Recall(m.records)
	i.engine = newMachine(Options{Flow: i.flow, Sources: sources, LastOrder: m.last}, i.shards, i.awake)
	i.group = NewIncidents(i.flow, m.remembered())
	i.ledger = NewLedger(i.flow, slices.Collect(maps.Values(m.ledger)))
	i.queue = nil
	for _, id := range m.unsettled() {
		i.engine.Restore(m.history(id))
	}
	i.settle(i.journal())
}

func (i *instance) journal() int64 { return int64(len(i.memory.records)) }

// commit takes in events as the collector does, in one transaction.
func (i *instance) commit(events []order.Event) {
	i.resolver.Load(i.memory.owners, i.memory.held)
	b := &Batch{At: i.now}
	for _, e := range events {
		if e.Seq == 0 {
			if i.memory.ids[e.Source+" "+e.ID] {
				continue
			}
			i.memory.ids[e.Source+" "+e.ID] = true
		}
		if i.tracker.Take(&e, i.now) != TakenAccepted || e.Kind == order.KindWatermark || e.Kind == order.KindGap {
			continue
		}
		resolution := i.resolver.Resolve(&e)
		b.Records = append(b.Records, Record{Seq: i.journal() + int64(len(b.Records)) + 1, Order: resolution.Order,
			Received: i.now, Event: e, Link: resolution.Link, Offset: i.tracker.OffsetAt(e.Position)})
	}
	b.Keys, b.Merges = i.resolver.Staged()
	b.Sources = i.tracker.Touched()
	i.memory.append(b)
	i.tracker.Commit()
	i.resolver.Commit()
	i.queue = append(i.queue, b)
}

// link and unlink take in a person's word as the collector does. They report whether it was refused.
func (i *instance) link(x Linking) error {
	i.resolver.Load(i.memory.owners, i.memory.held)
	return i.correct(i.resolver.Link(x, i.journal()+1, i.now))
}

func (i *instance) unlink(x Unlinking) error {
	h := i.memory.history(i.memory.owners[x.Of])
	return i.correct(i.resolver.Unlink(x, &h, i.journal()+1, i.now))
}

func (i *instance) correct(b *Batch, err error) error {
	if err != nil {
		i.resolver.Rollback()
		return err
	}
	i.memory.append(b)
	i.resolver.Commit()
	i.queue = append(i.queue, b)
	return nil
}

// apply folds the first n batches of the queue and saves what comes of it.
func (i *instance) apply(n int) {
	for _, b := range i.queue[:n] {
		i.engine.Apply(b)
	}
	i.queue = i.queue[n:]
	applied := i.journal()
	for _, b := range i.queue {
		applied -= int64(len(b.Records))
	}
	i.settle(applied)
}

// crash folds the whole queue and dies before anything of it is saved.
func (i *instance) crash() {
	for _, b := range i.queue {
		i.engine.Apply(b)
	}
	i.engine.Advance(i.now)
	i.restart()
}

func (i *instance) settle(applied int64) {
	for {
		i.engine.Advance(i.now)
		c := i.engine.Flush()
		if i.counted != nil {
			i.counted.add(c)
		}
		i.group.WatchedSince(i.memory.since)
		i.group.Fold(c, i.now)
		i.ledger.Fold(c, i.now)
		i.memory.save(c, applied)
		if len(c.History) == 0 {
			return
		}
		for _, id := range c.History {
			i.engine.Restore(i.memory.history(id))
		}
	}
}

// standing returns the verdicts that were said and not taken back, by what they are said of.
func (m *memory) standing() map[claim]bool {
	said := map[claim]bool{}
	for _, a := range m.audit {
		switch c := (claim{a.Order, a.Stage, a.N}); a.Kind {
		case AuditStuck:
			said[c] = true
		case AuditRetracted:
			delete(said, c)
		}
	}
	now := map[claim]bool{}
	for c := range said {
		now[claim{m.survivor(c.order), c.stage, c.n}] = true
	}
	return now
}

type claim struct {
	order OrderID
	stage string
	n     int
}

func (m *memory) retracted() int {
	n := 0
	for _, a := range m.audit {
		if a.Kind == AuditRetracted {
			n++
		}
	}
	return n
}
