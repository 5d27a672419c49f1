package sla

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// Resolver decides which order an event is about. An order holds one value a key name; a link that
// would break this is refused. It knows only what Load gave it: load every key of a batch, and
// what their owners hold, before resolving the batch; Commit and Rollback forget it again, so its
// memory is bounded by a batch. A Resolver belongs to one goroutine.
type Resolver struct {
	rank      map[string]int // place of a key name in the flow
	committed OrderID        // highest order id given
	last      OrderID        // the same, staged
	owner     map[order.Key]OrderID
	held      map[OrderID][]order.Key
	moved     map[order.Key]bool
	merges    []Merge
	pins      pins
	change    Correction // a person's, staged: its Pins are to be lifted of a link, and to be added of an unlink
	links     bool       // the staged correction is a link
}

// Resolution is what an event means for identities.
type Resolution struct {
	Order  OrderID
	Link   Link
	Keys   []KeyOwner // new keys and keys that moved
	Merges []Merge
	New    bool // the order was not known before
}

// NewResolver returns a resolver for a flow's key names, the oldest system's first, that gives
// order ids from next on.
func NewResolver(flowKeys []string, next OrderID) *Resolver {
	r := &Resolver{rank: make(map[string]int, len(flowKeys)), committed: next - 1, last: next - 1}
	r.pins = pins{}
	for i, name := range flowKeys {
		r.rank[name] = i
	}
	r.forget()
	return r
}

// Load tells which orders own keys, and every key that those orders hold. Unknown keys are absent.
func (r *Resolver) Load(owners map[order.Key]OrderID, held map[OrderID][]order.Key) {
	maps.Copy(r.owner, owners)
	for id, keys := range held {
		r.held[id] = slices.Clone(keys)
	}
}

// Resolve decides about one event, which has at least one key. The link it makes is staged.
//
// Keys are tried in the flow's order, the one named like the event's system first: what a system
// says of its own orders holds against what it says of another's. Each joins the order so far
// unless that would give it a second value of a name, or keys that a person keeps apart.
func (r *Resolver) Resolve(e *order.Event) Resolution {
	g := group{pins: r.pins}
	var res Resolution
	for _, key := range r.sorted(e) {
		id, known := r.owner[key]
		joined := []order.Key{key}
		if known {
			joined = r.held[id]
		}
		if !g.add(joined) {
			res.Link.Refused = append(res.Link.Refused, key)
			continue
		}
		if known && !slices.Contains(g.orders, id) {
			g.orders = append(g.orders, id)
		}
	}
	if len(g.orders) == 0 {
		r.last++
		res.New = true
		g.orders = []OrderID{r.last}
	}
	slices.Sort(g.orders)
	res.Order = g.orders[0]
	res.Link.Absorbed = slices.Clone(g.orders[1:])
	r.apply(&g, &res)
	return res
}

func (r *Resolver) apply(g *group, res *Resolution) {
	for _, from := range res.Link.Absorbed {
		res.Merges = append(res.Merges, Merge{From: from, Into: res.Order})
		delete(r.held, from)
	}
	r.merges = append(r.merges, res.Merges...)
	for _, key := range g.keys {
		if id, known := r.owner[key]; known && id == res.Order {
			continue
		}
		r.owner[key] = res.Order
		r.moved[key] = true
		res.Keys = append(res.Keys, KeyOwner{Key: key, Order: res.Order})
	}
	if len(res.Keys) > 0 {
		r.held[res.Order] = g.keys
	}
}

// Staged returns the links made since the last Commit or Rollback: each key once, with the owner
// it has now, and the merges in the order in which they were made.
func (r *Resolver) Staged() ([]KeyOwner, []Merge) {
	keys := make([]KeyOwner, 0, len(r.moved))
	for key := range r.moved {
		keys = append(keys, KeyOwner{Key: key, Order: r.owner[key]})
	}
	slices.SortFunc(keys, func(a, b KeyOwner) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), r.compare(a.Key, b.Key))
	})
	return keys, slices.Clone(r.merges)
}

// Commit keeps the staged links and forgets what was loaded.
func (r *Resolver) Commit() {
	r.committed = r.last
	for _, p := range r.change.Pins {
		if r.links {
			r.pins.lift(p)
		} else {
			r.pins.add(p)
		}
	}
	r.forget()
}

// Rollback forgets the staged links and what was loaded.
func (r *Resolver) Rollback() {
	r.last = r.committed
	r.forget()
}

func (r *Resolver) forget() {
	r.owner = map[order.Key]OrderID{}
	r.held = map[OrderID][]order.Key{}
	r.moved = map[order.Key]bool{}
	r.merges = nil
	r.change = Correction{}
}

// sorted returns the event's keys in the order in which they are tried.
func (r *Resolver) sorted(e *order.Event) []order.Key {
	keys := slices.Clone(e.Keys)
	slices.SortStableFunc(keys, func(a, b order.Key) int {
		return cmp.Or(-compareBool(a.Name == e.System, b.Name == e.System), r.compare(a, b))
	})
	if len(keys) > 0 && keys[0].Name != e.System {
		// Nobody speaks of its own order: a key that is known goes before those that are not.
		if i := slices.IndexFunc(keys, func(k order.Key) bool { _, known := r.owner[k]; return known }); i > 0 {
			known := keys[i]
			keys = slices.Insert(slices.Delete(keys, i, i+1), 0, known)
		}
	}
	return keys
}

func (r *Resolver) compare(a, b order.Key) int {
	rank := func(name string) int {
		if i, ok := r.rank[name]; ok {
			return i
		}
		return len(r.rank)
	}
	return cmp.Or(cmp.Compare(rank(a.Name), rank(b.Name)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}

// group gathers keys that become one order.
type group struct {
	keys   []order.Key
	orders []OrderID
	pins   pins
}

// add joins keys, all or none: none where one would be a second value of a name, or is kept apart.
func (g *group) add(keys []order.Key) bool {
	if len(g.pins.between(g.keys, keys)) > 0 {
		return false
	}
	var fresh []order.Key
	for _, key := range keys {
		i := slices.IndexFunc(g.keys, func(k order.Key) bool { return k.Name == key.Name })
		switch {
		case i < 0:
			fresh = append(fresh, key)
		case g.keys[i] != key:
			return false
		}
	}
	g.keys = append(g.keys, fresh...)
	return true
}
