package sla

import (
	"encoding/binary"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// A packed order begins with its open visits, so that an appointment can be found stale without
// waking it: their number, and of each the stage, its number and its verdict. The facts follow, the
// first with its instant, the others with what has passed since. Numbers are varints; texts in the
// tables are numbers, others have their length before them. Only the engine that packed it can read it.

// What a packed fact begins with: its kind in the lowest bits, then these.
const (
	packedKind     = 1<<3 - 1
	packedInferred = 1 << 3
	packedNote     = 1 << 4 // a note follows
	packedSame     = 1 << 5 // the note of the fact before
	packedOffset   = 1 << 6 // the instant sent differs from the corrected one
	packedStamped  = 1 << 7 // and not by the offset that it was stamped with
)

// packer appends to a buffer.
type packer struct {
	*tables
	b []byte
}

func (p *packer) number(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) signed(n int64)  { p.b = binary.AppendVarint(p.b, n) }

func (p *packer) text(s string) {
	p.number(uint64(len(s)))
	p.b = append(p.b, s...)
}

// pack returns a settled order's facts and the verdicts of its open visits.
func (e *Engine) pack(o *tracked) string {
	p := packer{e.tables, e.packing[:0]}
	open := 0
	for i := range o.folded.visits {
		if o.folded.visits[i].open() {
			open++
		}
	}
	p.number(uint64(open))
	for i := range o.folded.visits {
		if v := &o.folded.visits[i]; v.open() {
			p.number(uint64(v.stage))
			p.number(uint64(v.n))
			p.number(uint64(v.verdict))
		}
	}
	p.number(uint64(len(o.facts)))
	var before fact
	for i := range o.facts {
		p.fact(&o.facts[i], &before)
		before = o.facts[i]
	}
	e.packing = p.b
	return string(p.b)
}

func (p *packer) fact(x, before *fact) {
	flags := byte(x.kind) & packedKind
	set := func(bit byte, is bool) {
		if is {
			flags |= bit
		}
	}
	offset := int64(x.time - x.at)
	set(packedInferred, x.inferred)
	set(packedSame, x.note != nil && x.note == before.note)
	set(packedNote, x.note != nil && x.note != before.note)
	set(packedOffset, offset != 0)
	set(packedStamped, offset != int64(x.stamped))
	p.b = append(p.b, flags)
	if before.origin == nil {
		p.signed(int64(x.at))
	} else {
		p.signed(int64(x.at - before.at))
	}
	if offset != 0 {
		p.signed(offset)
	}
	if offset != int64(x.stamped) {
		p.signed(int64(x.stamped))
	}
	p.number(x.seq)
	if p.number(x.origin.number); x.origin.number == 0 {
		p.text(x.origin.Source)
		p.signed(x.origin.Epoch)
	}
	if p.number(x.status.number); x.status.number == 0 {
		p.text(x.status.System)
		p.text(x.status.Name)
	}
	if flags&packedNote != 0 {
		p.note(x.note)
	}
}

func (p *packer) note(n *note) {
	p.text(n.id)
	p.keys(n.keys)
	p.keys(n.refused)
	p.number(uint64(len(n.attrs)))
	for _, a := range n.attrs {
		p.pair(a.Name, a.Value)
	}
	if n.message != nil {
		p.text(n.message.Destination)
		p.text(n.message.RoutingKey)
		p.text(n.message.Operation)
		p.text(n.message.ID)
	}
}

func (p *packer) keys(keys []order.Key) {
	p.number(uint64(len(keys)))
	for _, k := range keys {
		p.pair(k.Name, k.Value)
	}
}

func (p *packer) pair(name, value string) {
	n := p.name(name)
	if p.number(n); n == 0 {
		p.text(name)
	}
	p.text(value)
}

// unpacker reads what a packer wrote. Texts are parts of it, not copies.
type unpacker struct {
	*tables
	s string
}

func (u *unpacker) number() uint64 {
	if b := u.s[0]; b < 0x80 {
		u.s = u.s[1:]
		return uint64(b)
	}
	var n uint64
	for i := 0; ; i++ {
		b := u.s[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			u.s = u.s[i+1:]
			return n
		}
	}
}

func (u *unpacker) signed() int64 {
	n := u.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) text() string {
	n := u.number()
	text := u.s[:n]
	u.s = u.s[n:]
	return text
}

// unpack reads the facts of an order that sleeps, and returns the verdicts of its open visits.
func (e *Engine) unpack(o *tracked) []visitVerdict {
	u := unpacker{e.tables, o.packed}
	verdicts := e.verdicts[:0]
	for range u.number() {
		u.number()
		u.number()
		verdicts = append(verdicts, visitVerdict(u.number()))
	}
	e.verdicts = verdicts
	n := u.number()
	if uint64(cap(o.facts)) < n+1 {
		o.facts = make([]fact, 0, n+2)
	}
	at := nanos(0)
	var last *note
	for range n {
		o.facts = append(o.facts, fact{})
		x := &o.facts[len(o.facts)-1]
		at += u.fact(x, at, last)
		last = x.note
	}
	o.packed = ""
	return verdicts
}

// fact reads one fact that comes after an instant, and returns how long.
func (u *unpacker) fact(x *fact, before nanos, last *note) nanos {
	flags := u.s[0]
	u.s = u.s[1:]
	passed := nanos(u.signed())
	at := before + passed
	x.kind, x.inferred = order.Kind(flags&packedKind), flags&packedInferred != 0
	x.at = at
	offset := int64(0)
	if flags&packedOffset != 0 {
		offset = u.signed()
	}
	x.time, x.stamped = at+nanos(offset), time.Duration(offset)
	if flags&packedStamped != 0 {
		x.stamped = time.Duration(u.signed())
	}
	x.seq = u.number()
	if n := u.number(); n != 0 {
		x.origin = u.origins[n]
	} else {
		x.origin = u.origin(u.text(), u.signed())
	}
	if n := u.number(); n != 0 {
		x.status = u.statuses[n]
	} else {
		x.status = u.status(order.Status{System: u.text(), Name: u.text()})
	}
	switch {
	case flags&packedSame != 0:
		x.note = last
	case flags&packedNote != 0:
		x.note = u.note(x.kind)
	}
	return passed
}

func (u *unpacker) note(kind order.Kind) *note {
	n := &note{id: u.text(), keys: u.keys(), refused: u.keys()}
	if count := u.number(); count > 0 {
		n.attrs = make([]order.Attr, count)
		for i := range n.attrs {
			n.attrs[i].Name, n.attrs[i].Value = u.pair()
		}
	}
	if kind == order.KindMessage {
		n.message = &order.Message{Destination: u.text(), RoutingKey: u.text(), Operation: u.text(), ID: u.text()}
	}
	return n
}

func (u *unpacker) keys() []order.Key {
	count := u.number()
	if count == 0 {
		return nil
	}
	keys := make([]order.Key, count)
	for i := range keys {
		keys[i].Name, keys[i].Value = u.pair()
	}
	return keys
}

func (u *unpacker) pair() (name, value string) {
	if n := u.number(); n != 0 {
		name = u.names[n]
	} else {
		name = u.text()
	}
	return name, u.text()
}

// waits reports whether an order is in a visit, without waking it.
func (o *tracked) waits(stage, n int) bool {
	if o.awake != nil {
		v := o.folded.visit(stage, n)
		return v != nil && v.open()
	}
	u := unpacker{s: o.packed}
	for range u.number() {
		s, m, _ := u.number(), u.number(), u.number()
		if s == uint64(stage) && m == uint64(n) {
			return true
		}
	}
	return false
}
