package sla

import (
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

	// ProvenByClock takes every source as complete up to the engine's clock. It is for replayed
	// history, where everything that was ever recorded is at hand.
	ProvenByClock bool
}

// Engine folds records into orders and judges them. It holds the open orders; what has ended it
// hands over with Flush and forgets, and asks for its history when a late record comes.
type Engine struct {
	plan    *plan
	proven  bool
	now     time.Time
	last    OrderID
	orders  map[OrderID]*tracked
	awaited map[OrderID]bool // history asked for
	sources map[string]*SourceState
	taps    map[string]string // exchange → the source that watches it
	stages  []stageState
	dues    schedule // deadlines of visits and dues of promises
	dirty   map[OrderID]*tracked
	late    int
	broken  int                // quarantined orders
	reasons map[OrderID]string // why verdicts change, of orders whose identity did and that are not settled yet
	change  Change
}

// tracked is an order the engine holds.
type tracked struct {
	id       OrderID
	facts    []*fact // in their total order
	folded   *folded
	issued   []issued
	absorbed []OrderID
	reported []visitName // closed visits already handed out
	settled  []string    // promises already handed out
	counted  []share
	stale    bool // folded is not what facts amount to
	touched  bool // by the batch at hand
	broken   bool // quarantined
}

// visitName names a visit within its order.
type visitName struct {
	stage string
	n     int
}

// New returns an engine that holds no orders. Feed a restarted one with Restore before Apply.
func New(o Options) *Engine {
	e := &Engine{
		plan:    compile(o.Flow),
		proven:  o.ProvenByClock,
		last:    o.LastOrder,
		orders:  map[OrderID]*tracked{},
		awaited: map[OrderID]bool{},
		sources: map[string]*SourceState{},
		taps:    map[string]string{},
		stages:  newStages(o.Flow),
		dirty:   map[OrderID]*tracked{},
		reasons: map[OrderID]string{},
	}
	for i := range o.Sources {
		e.setSource(&o.Sources[i])
	}
	return e
}

// Apply folds in a committed batch. Verdicts that only time decides wait for Advance.
func (e *Engine) Apply(b *Batch) {
	var touched []*tracked
	for i := range b.Records {
		if o := e.applyRecord(&b.Records[i]); o != nil && !o.touched {
			o.touched = true
			touched = append(touched, o)
		}
	}
	for i := range b.Sources {
		e.setSource(&b.Sources[i])
	}
	for _, o := range touched {
		o.touched = false
		if e.orders[o.id] == o {
			e.settle(o)
		}
	}
}

func (e *Engine) applyRecord(r *Record) *tracked {
	if r.Event.Kind == order.KindUnlink {
		e.takeApart(r)
		return nil
	}
	if len(r.Link.Absorbed) > 0 && !e.merge(r) {
		return nil
	}
	o := e.orders[r.Order]
	if o == nil {
		if r.Order <= e.last {
			e.await(r.Order)
			return nil
		}
		o = e.create(r)
	}
	e.noteTap(r)
	known := o.refuses(r.Link.Refused)
	if !e.insert(o, e.place(r)) {
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
	o := &tracked{id: r.Order, folded: newFolded(e.plan)}
	e.orders[o.id] = o
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
	into := e.orders[r.Order]
	whole := into != nil
	for _, id := range r.Link.Absorbed {
		if whole && slices.Contains(into.absorbed, id) {
			continue // its history told us before the batch did
		}
		e.sayMerged(id, r.Order)
		whole = whole && e.orders[id] != nil
	}
	for _, id := range r.Link.Absorbed {
		if from := e.orders[id]; from != nil {
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
	e.change.Removed = append(e.change.Removed, Merge{From: from, Into: into})
	e.reasons[into] = "merged with order " + from.String()
	e.audit(AuditEntry{Kind: AuditMerged, Order: into, Detail: from.String()})
}

// drop forgets an order.
func (e *Engine) drop(o *tracked) {
	e.uncount(o)
	if o.broken {
		e.broken--
	}
	delete(e.orders, o.id)
	delete(e.dirty, o.id)
}

func (o *tracked) absorb(from *tracked) {
	o.absorbed = append(append(o.absorbed, from.id), from.absorbed...)
	for _, x := range from.facts {
		o.add(x)
	}
	for _, s := range from.issued {
		o.say(s)
	}
	sortIssued(o.issued)
	o.reported = append(o.reported, from.reported...)
	o.settled = append(o.settled, from.settled...)
	o.stale = true
}

// insert takes in a fact: at the end it is folded on, elsewhere the order is folded anew. It
// reports false for one that is there already.
func (e *Engine) insert(o *tracked, x *fact) bool {
	fits := len(o.facts) == 0 || o.facts[len(o.facts)-1].compare(x) < 0
	switch added := o.add(x); {
	case !added:
		return false
	case o.broken: // folded once it is mended
	case fits && !o.stale:
		e.fold(o, o.facts[len(o.facts)-1:])
	default:
		o.stale = true
	}
	return true
}

// add puts a fact in its place and reports false for one that is there already.
func (o *tracked) add(x *fact) bool {
	i, known := slices.BinarySearchFunc(o.facts, x, (*fact).compare)
	if known {
		return false
	}
	o.facts = slices.Insert(o.facts, i, x)
	return true
}

// settle brings everything that depends on a changed order up to date.
func (e *Engine) settle(o *tracked) {
	if o.stale {
		e.refold(o)
	}
	e.dirty[o.id] = o
	if o.broken {
		e.uncount(o)
		return
	}
	e.reconcile(o)
	delete(e.reasons, o.id)
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
	if !v.Open() || v.scheduled {
		return
	}
	v.scheduled = true
	at := entry{order: o.id, stage: int32(v.stage), n: int32(v.N)}
	at.at = v.Entered.UnixNano()
	e.stages[v.stage].entered.push(at)
	if !v.Deadline.IsZero() {
		at.at = v.Deadline.UnixNano()
		e.dues.push(at)
	}
}

// schedulePromise makes the appointment for the instant after a running promise's due.
func (e *Engine) schedulePromise(o *tracked, p *promise) {
	if !p.running() || p.pauses > 0 || p.due.IsZero() || p.scheduled.Equal(p.due) || e.now.After(p.due) {
		return
	}
	p.scheduled = p.due
	e.dues.push(entry{at: p.due.UnixNano() + 1, order: o.id, stage: int32(-1 - p.index)})
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
		e.dirty[o.id] = o
		return
	}
	if v := e.question(o, x); v != nil {
		e.judge(o, v)
	}
}

// question returns the visit that an appointment is about if its deadline is still what it says.
func (e *Engine) question(o *tracked, x entry) *visit {
	v := o.folded.find(e.plan.flow.Stages[x.stage].Name, int(x.n))
	if v == nil || !v.Open() || v.Deadline.UnixNano() != x.at || v.Verdict == VerdictStuck {
		return nil
	}
	return v
}

// Flush returns what changed since the last Flush, and forgets orders that have ended.
func (e *Engine) Flush() *Change {
	c := e.change
	e.change = Change{}
	c.Orders = make([]Order, 0, len(e.dirty))
	for _, o := range e.dirty {
		c.Orders = append(c.Orders, e.view(o))
		if o.folded.state != StateOpen {
			e.drop(o)
		}
	}
	clear(e.dirty)
	for i := range c.Audit {
		if c.Audit[i].At.IsZero() { // said while restoring, before the clock was set
			c.Audit[i].At = e.now
		}
	}
	slices.SortFunc(c.Orders, func(a, b Order) int { return int(a.ID - b.ID) })
	return &c
}

func (e *Engine) audit(a AuditEntry) {
	a.At = e.now
	e.change.Audit = append(e.change.Audit, a)
}
