package sla

import (
	"maps"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// splitting is an order's history told apart by a pin.
type splitting struct {
	parts  []parted
	moved  []Record
	keys   []KeyOwner
	freed  []OrderID
	merges []Merge
}

// parted is an order that comes of a split.
type parted struct {
	id       OrderID
	ids      []OrderID // that lead to it, id first
	born     int64     // sequence of the event that id was given for
	early    OrderID   // of events from before that; 0: there are none
	keys     []order.Key
	absorbed []OrderID // of those the ones that none of its records absorbed
}

func (p *parted) has(id OrderID) bool { return slices.Contains(p.ids, id) }

// anchor returns a key to know the order by: one of the pin's if it holds one.
func (p *parted) anchor(pin Pin) order.Key {
	for _, key := range []order.Key{pin.A, pin.B} {
		if slices.Contains(p.keys, key) {
			return key
		}
	}
	return p.keys[0]
}

// split tells an order's records apart as they would have been had the pin been there from the
// first one on: every record joins the keys it joined, less those that would bring the pinned ones
// together. What was refused stays refused, and no other order is touched: so an order's history
// and the pin are all that matters.
//
// An id stays with the first event it was given for: two orders that were one get their old ids
// back, and a part without an id of its own gets a new one. Keys that only records of another part
// spoke of are nobody's again.
func (r *Resolver) split(h *History, pin Pin) *splitting {
	of, refused, held := r.replay(h.Records, pin)
	s := &splitting{}
	index := r.parts(s, h.Records, of, held)
	survivor := slices.IndexFunc(s.parts, func(p parted) bool { return p.id == h.Order })
	for i := range h.Records {
		at, ok := index[of[i]]
		if !ok { // a person's word on keys that are nobody's now
			at = survivor
		}
		r.place(s, &h.Records[i], &s.parts[at], refused[i], !ok)
	}
	s.redirect(h.Order)
	s.own(h)
	return s
}

// replay resolves the records anew, among themselves. It returns which group each is of, which of
// its keys it no longer brings, and the keys of each group; groups have numbers of their own.
func (r *Resolver) replay(records []Record, pin Pin) (of []OrderID, refused [][]order.Key, held map[OrderID][]order.Key) {
	again := &Resolver{rank: r.rank, pins: pins{}}
	again.forget()
	again.pins.add(pin)
	of, refused = make([]OrderID, len(records)), make([][]order.Key, len(records))
	for i := range records {
		keys := accepted(&records[i])
		if len(keys) == 0 || records[i].Event.Kind == order.KindUnlink {
			continue // group 0 is none; an unlink joins nothing, and follows its key
		}
		res := again.Resolve(&order.Event{System: records[i].Event.System, Keys: keys})
		of[i], refused[i] = res.Order, res.Link.Refused
	}
	into := map[OrderID]OrderID{}
	for _, m := range slices.Backward(again.merges) {
		into[m.From] = m.Into
		if last, merged := into[m.Into]; merged {
			into[m.From] = last
		}
	}
	for i := range of {
		if last, merged := into[of[i]]; merged {
			of[i] = last
		}
		if keys := accepted(&records[i]); len(keys) > 0 && records[i].Event.Kind == order.KindUnlink {
			of[i] = again.owner[keys[0]]
		}
	}
	return of, refused, again.held
}

// parts makes an order of every group that has events, and returns their places by group.
func (r *Resolver) parts(s *splitting, records []Record, of []OrderID, held map[OrderID][]order.Key) map[OrderID]int {
	index := map[OrderID]int{}
	born := map[OrderID]int64{}
	for i := range records {
		if isCorrection(&records[i]) || of[i] == 0 {
			continue
		}
		at, ok := index[of[i]]
		if !ok {
			at = len(s.parts)
			index[of[i]] = at
			s.parts = append(s.parts, parted{keys: held[of[i]]})
		}
		if id := records[i].Order; born[id] == 0 {
			born[id] = records[i].Seq
			s.parts[at].ids = append(s.parts[at].ids, id)
		}
	}
	for i := range s.parts {
		p := &s.parts[i]
		if len(p.ids) == 0 {
			r.last++
			p.ids = []OrderID{r.last}
		}
		slices.Sort(p.ids)
		p.id, p.born = p.ids[0], born[p.ids[0]]
		p.absorbed = slices.Clone(p.ids[1:])
	}
	return index
}

// place notes what becomes of a record.
func (r *Resolver) place(s *splitting, x *Record, p *parted, refused []order.Key, lost bool) {
	now := Record{Seq: x.Seq, Order: x.Order, Link: x.Link}
	if !p.has(x.Order) {
		now.Order = r.idFor(x, p)
	}
	if lost {
		refused = accepted(x)
	}
	now.Link.Refused = append(slices.Clip(x.Link.Refused), refused...)
	now.Link.Absorbed = nil
	for _, id := range x.Link.Absorbed {
		if id != p.id && p.has(id) {
			now.Link.Absorbed = append(now.Link.Absorbed, id)
		}
	}
	p.absorbed = slices.DeleteFunc(p.absorbed, func(id OrderID) bool { return slices.Contains(now.Link.Absorbed, id) })
	if now.Order != x.Order || len(refused) > 0 || len(now.Link.Absorbed) != len(x.Link.Absorbed) {
		s.moved = append(s.moved, now)
	}
}

// idFor returns the id of a record that comes to an order. The first event with an id is the one
// that the id was given for: events from before it have an id of their own that leads there.
func (r *Resolver) idFor(x *Record, p *parted) OrderID {
	if x.Seq > p.born || isCorrection(x) {
		return p.id
	}
	if p.early == 0 {
		r.last++
		p.early = r.last
		p.ids = append(p.ids, p.early)
	}
	return p.early
}

// redirect mends what led to the order that was.
func (s *splitting) redirect(was OrderID) {
	for i := range s.parts {
		p := &s.parts[i]
		if p.id == was {
			if p.early != 0 {
				s.merges = append(s.merges, Merge{From: p.early, Into: was})
			}
			continue
		}
		s.freed = append(s.freed, p.ids...)
		for _, id := range p.ids[1:] {
			s.merges = append(s.merges, Merge{From: id, Into: p.id})
		}
	}
	slices.Sort(s.freed)
}

// own says who holds the keys that the order held.
func (s *splitting) own(h *History) {
	owner := map[order.Key]OrderID{}
	for i := range h.Records {
		for _, key := range accepted(&h.Records[i]) {
			owner[key] = 0
		}
	}
	for i := range s.parts {
		for _, key := range s.parts[i].keys {
			owner[key] = s.parts[i].id
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(owner), compareKeys) {
		if id := owner[key]; id != h.Order {
			s.keys = append(s.keys, KeyOwner{Key: key, Order: id})
		}
	}
}

func isCorrection(r *Record) bool {
	return r.Event.Kind == order.KindLink || r.Event.Kind == order.KindUnlink
}
