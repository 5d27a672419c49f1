package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Options configure an Engine.
type Options struct {
	Flow *order.Flow

	// Sources and LastOrder are where a restarted engine goes on: the sources' states and the
	// highest order id given.
	Sources   []SourceState
	LastOrder OrderID

	// Applied is the last sequence of the journal that was folded before a restart: what comes
	// after it is still to be counted.
	Applied int64

	// ProvenByClock takes every source as complete up to the engine's clock. It is for replayed
	// history, where everything that was ever recorded is at hand.
	ProvenByClock bool
}

// Engine folds records into orders and judges them. It holds the open orders; what has ended it
// hands over with Flush and forgets, and asks for its history when a late record comes.
type Engine struct {
	plan     *plan
	tables   *tables
	byClock  bool // see Options.ProvenByClock
	now      time.Time
	last     OrderID
	orders   map[OrderID]*tracked
	awaited  map[OrderID]bool // history asked for
	sources  map[string]*SourceState
	known    *knowledge
	stages   []stageState
	channels map[string]*channel
	dues     schedule // deadlines of visits and dues of promises
	dirty    []*tracked
	stuck    map[OrderID][]StuckVisit // as told last; most orders have none
	late     int
	broken   int                // quarantined orders
	reasons  map[OrderID]string // why verdicts change, of orders whose identity did and that are not settled yet
	change   Change

	mostAwake int
	awake     []*tracked     // the longest unused first, roughly
	rooms     []*awake       // vacant
	touched   []*tracked     // room for Apply
	packing   []byte         // for pack
	detail    []byte         // for issue
	verdicts  []visitVerdict // for unpack
	scratch   []share        // for recount
	departed  []departure    // not shared yet
	tally     tally
}

// New returns an engine that holds no orders. Feed a restarted one with Restore before Apply.
func New(o Options) *Engine {
	p := compile(o.Flow)
	e := &Engine{
		plan:      p,
		tables:    newTables(p),
		byClock:   o.ProvenByClock,
		last:      o.LastOrder,
		orders:    map[OrderID]*tracked{},
		awaited:   map[OrderID]bool{},
		sources:   map[string]*SourceState{},
		known:     newKnowledge(o.Flow),
		stages:    newStages(o.Flow),
		channels:  map[string]*channel{},
		stuck:     map[OrderID][]StuckVisit{},
		mostAwake: mostAwake,
		reasons:   map[OrderID]string{},
		tally:     newTally(o.Applied),
	}
	for i := range o.Sources {
		e.setSource(&o.Sources[i])
	}
	return e
}

// Apply folds in a committed batch. Verdicts that only time decides wait for Advance.
func (e *Engine) Apply(b *Batch) {
	e.known.noteTaps(b.Records)
	for i := range b.Records {
		e.take(&b.Records[i])
	}
	e.settleBatch(b.Sources)
	e.share()
}

// take folds in one record of a batch.
func (e *Engine) take(r *Record) {
	if o := e.applyRecord(r); o != nil && !o.touched {
		o.touched = true
		e.touched = append(e.touched, o)
	}
}

func (e *Engine) takeAll(records []*Record) {
	for _, r := range records {
		e.take(r)
	}
}

// settleBatch ends a batch whose records were taken.
func (e *Engine) settleBatch(sources []SourceState) {
	for i := range sources {
		e.setSource(&sources[i])
	}
	for _, o := range e.touched {
		o.touched = false
		if !o.dropped {
			e.settle(o)
		}
	}
	clear(e.touched)
	e.touched = e.touched[:0]
	e.rest()
}

// share makes known what explains other orders.
func (e *Engine) share() {
	e.known.learn(e.departed)
	e.departed = e.departed[:0]
	e.tally.share(e.known)
}

func (e *Engine) applyRecord(r *Record) *tracked {
	if r.Event.Kind == order.KindUnlink {
		e.takeApart(r)
		return nil
	}
	if len(r.Link.Absorbed) > 0 && !e.merge(r) {
		e.tally.missed = append(e.tally.missed, r.Seq)
		return nil
	}
	o := e.held(r.Order)
	if o == nil {
		if r.Order <= e.last {
			e.await(r.Order)
			e.tally.missed = append(e.tally.missed, r.Seq)
			return nil
		}
		o = e.create(r)
	}
	known := o.refuses(r.Link.Refused)
	x := e.place(r, o.facts)
	added := e.insert(o, x)
	e.tally.count(o, &x)
	if !added {
		return o
	}
	if !known {
		e.audit(AuditEntry{Kind: AuditConflict, Order: o.id, Detail: keysText(r.Link.Refused)})
	}
	if r.Event.Kind == order.KindLink {
		e.sayCorrected(o.id, r)
	}
	return o
}

func (e *Engine) create(r *Record) *tracked {
	e.last = r.Order
	o := &tracked{id: r.Order, awake: e.room()}
	e.orders[o.id] = o
	e.hold(o)
	e.change.Created = append(e.change.Created, CreatedOrder{Order: o.id, Channel: attrOf(r, AttrChannel), Partner: attrOf(r, AttrPartner)})
	return o
}

// await asks for the history of an order that the engine does not hold. The journal has the
// record at hand already, so it comes back with the history.
func (e *Engine) await(id OrderID) {
	if !e.awaited[id] {
		e.awaited[id] = true
		e.change.History = append(e.change.History, id)
	}
}

// merge moves the absorbed orders' facts into the survivor. Where one of them is not at hand it
// asks for the survivor's history, which has them all, and reports false.
func (e *Engine) merge(r *Record) bool {
	into := e.held(r.Order)
	whole := into != nil
	for _, id := range r.Link.Absorbed {
		if whole && slices.Contains(into.absorbed, id) {
			continue // its history told us before the batch did
		}
		e.sayMerged(id, r.Order)
		whole = whole && e.orders[id] != nil
	}
	for _, id := range r.Link.Absorbed {
		if from := e.held(id); from != nil {
			if whole {
				into.absorb(from)
			}
			e.drop(from)
		}
		delete(e.awaited, id)
	}
	if !whole {
		if into != nil {
			e.drop(into)
		}
		e.await(r.Order)
	}
	return whole
}

func (e *Engine) sayMerged(from, into OrderID) {
	delete(e.stuck, from) // whoever was told learns of it by Removed
	e.change.Removed = append(e.change.Removed, Merge{From: from, Into: into})
	e.reasons[into] = "merged with order " + from.String()
	e.audit(AuditEntry{Kind: AuditMerged, Order: into, Detail: from.String()})
}

// drop forgets an order that is awake.
func (e *Engine) drop(o *tracked) {
	e.uncount(o)
	if o.broken {
		e.broken--
	}
	o.dropped = true
	delete(e.orders, o.id)
}

// forget drops an order that lives on elsewhere, and returns it; nil where it is not at hand.
func (e *Engine) forget(id OrderID) *tracked {
	delete(e.awaited, id)
	delete(e.stuck, id)
	o := e.held(id)
	if o != nil {
		e.drop(o)
	}
	return o
}

// adopt takes in an order that another engine of the flow has dropped, until it is merged.
func (e *Engine) adopt(from *tracked) {
	o := &tracked{awake: from.awake, id: from.id, stale: from.stale, broken: from.broken}
	for i := range o.facts {
		x := &o.facts[i]
		x.origin, x.status = e.tables.origin(x.origin.Source, x.origin.Epoch), e.tables.status(x.status.Status)
	}
	if o.broken {
		e.broken++
	}
	e.orders[o.id] = o
	e.hold(o)
}

// mark has an order handed out with the next Flush.
func (e *Engine) mark(o *tracked) {
	if !o.dirty {
		o.dirty = true
		e.dirty = append(e.dirty, o)
	}
}

// insert takes in a fact: at the end it is folded on, elsewhere the order is folded anew. It
// reports false for one that is there already.
func (e *Engine) insert(o *tracked, x fact) bool {
	n := len(o.facts)
	fits := n == 0 || o.facts[n-1].compare(&x) < 0
	switch added := o.add(x); {
	case !added:
		return false
	case o.broken: // folded once it is mended
	case fits && !o.stale:
		e.fold(o, o.facts[n:])
	default:
		o.stale = true
	}
	return true
}

// settle has a changed order handed out, up to date.
func (e *Engine) settle(o *tracked) {
	if o.stale {
		e.refold(o)
	}
	e.mark(o)
	e.update(o)
}

// update brings everything that depends on an order up to date.
func (e *Engine) update(o *tracked) {
	defer delete(e.reasons, o.id)
	if o.broken {
		e.uncount(o)
		return
	}
	e.reconcile(o)
	for i := range o.folded.visits {
		e.schedule(o, &o.folded.visits[i])
	}
	for i := range o.folded.promises {
		e.schedulePromise(o, &o.folded.promises[i])
	}
	e.report(o)
	e.recount(o)
}

// schedule makes the appointments of an open visit.
func (e *Engine) schedule(o *tracked, v *visit) {
	if !v.open() || v.scheduled {
		return
	}
	v.scheduled = true
	at := entry{at: int64(v.entered), order: o.id, stage: v.stage, n: v.n}
	st := &e.stages[v.stage]
	if len(st.entered) > 4*st.count.open+1024 {
		e.trim(int(v.stage))
	}
	st.entered.push(at)
	if v.deadline != never {
		at.at = int64(v.deadline)
		e.dues.push(at)
	}
}

// schedulePromise makes the appointment for the instant after a running promise's due.
func (e *Engine) schedulePromise(o *tracked, p *promise) {
	if !p.running() || p.pauses > 0 || p.due == never || p.scheduled == p.due || e.now.After(p.due.time()) {
		return
	}
	p.scheduled = p.due
	e.dues.push(entry{at: int64(p.due) + 1, order: o.id, stage: -1 - p.index})
}

// Advance moves the engine's clock; it never goes back. Deadlines that have passed become verdicts.
func (e *Engine) Advance(now time.Time) {
	if now.Before(e.now) {
		now = e.now
	}
	e.now = now
	for {
		next, ok := e.dues.due(now.UnixNano())
		if !ok {
			break
		}
		e.dues.pop()
		e.fallDue(next)
	}
	for i := range e.stages {
		e.settleWaiting(i)
	}
}

// fallDue acts on an appointment that may be stale.
func (e *Engine) fallDue(x entry) {
	o := e.orders[x.order]
	if o == nil {
		return
	}
	if x.stage < 0 {
		e.mark(o)
		return
	}
	if v := e.question(o, x); v != nil {
		e.judge(o, v)
		e.rest()
	}
}

// question returns the visit that an appointment is about if its deadline is still what it says.
func (e *Engine) question(o *tracked, x entry) *visit {
	if !o.waits(int(x.stage), int(x.n)) {
		return nil
	}
	e.wake(o)
	v := o.folded.visit(int(x.stage), int(x.n))
	if int64(v.deadline) != x.at || v.verdict == visitStuck {
		return nil
	}
	return v
}

// Flush returns what changed since the last Flush, and forgets orders that have ended.
func (e *Engine) Flush() *Change {
	changed := slices.DeleteFunc(e.dirty, func(o *tracked) bool { return o.dropped })
	slices.SortFunc(changed, func(a, b *tracked) int { return cmp.Compare(a.id, b.id) })
	orders := e.views(changed)
	c := e.change
	e.tally.flush(e.plan, &c)
	c.Orders = orders
	e.change = Change{Closed: make([]ClosedVisit, 0, len(c.Closed))} // the next one is likely as long
	slices.SortStableFunc(c.Stuck, compareStuck)
	for _, o := range changed {
		o.dirty = false
	}
	clear(e.dirty)
	e.dirty = e.dirty[:0]
	for i := range c.Audit {
		if c.Audit[i].At.IsZero() { // said while restoring, before the clock was set
			c.Audit[i].At = e.now
		}
	}
	return &c
}

func (e *Engine) audit(a AuditEntry) {
	a.At = e.now
	e.change.Audit = append(e.change.Audit, a)
}
