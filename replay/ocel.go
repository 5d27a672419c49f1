package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// ocel reads an object-centric event log, OCEL 2.0 as JSON: an object of the mapping's type is an order. An
// event belongs to the orders it is related to and, through objects of the types in via, to the orders those are
// related to. A log may say what its objects are after its events, so it is read whole before the first Next.
type ocel struct {
	file    string
	m       *Mapping
	clock   clock
	values  *values
	words   *words
	lines   *lineCounter
	objects map[string]*ocelObject
	via     map[string]bool
	queue   []result
	at      int
}

// ocelObject is an object, a relation of it, or an event: what OCEL says of the three differs little.
type ocelObject struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Time       string          `json:"time"`
	Attributes []ocelAttribute `json:"attributes"`
	Related    []ocelRelation  `json:"relationships"`

	row    int
	key    string
	orders []string // ids of the orders it leads to; itself where it is one
}

type ocelRelation struct {
	ObjectID string `json:"objectId"`
}

type ocelAttribute struct {
	Name  string `json:"name"`
	Time  string `json:"time"`
	Value any    `json:"value"`
}

// NewOCEL returns the Reader of an OCEL 2.0 JSON log after a mapping of layout ocel. It reads the log whole. An
// event's status is its type. dues is as for NewCSV, file serves the messages only.
func NewOCEL(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	if m.Layout != LayoutOCEL {
		return nil, fmt.Errorf("%s is OCEL: the mapping's layout must be %s", file, LayoutOCEL)
	}
	o := &ocel{
		file: file, m: m, clock: clock{m.TimeLayouts, m.Timezone}, words: newWords(),
		lines: &lineCounter{src: r}, objects: map[string]*ocelObject{}, via: map[string]bool{},
	}
	o.values = newValues(&o.clock, dues)
	for _, name := range m.Via {
		o.via[name] = true
	}
	events, cut := o.load()
	o.link()
	for _, e := range events {
		o.add(e)
	}
	o.attachAll()
	if cut != nil {
		o.reject(o.lines.at(o.lines.read), ReasonCut, cut.Error())
	}
	return o, nil
}

func (o *ocel) Next() (Event, error) {
	if o.at == len(o.queue) {
		return Event{}, io.EOF
	}
	next := &o.queue[o.at]
	o.at++
	if next.err != nil {
		return Event{}, next.err
	}
	return next.event, nil
}

func (o *ocel) reject(row int, reason Reason, detail string) {
	o.queue = append(o.queue, result{err: &Rejection{File: o.file, Row: row, Reason: reason, Detail: detail}})
}

// load reads objects and events, as far as the text is JSON.
func (o *ocel) load() (events []*ocelObject, err error) {
	d := json.NewDecoder(o.lines)
	d.UseNumber()
	if err := expect(d, json.Delim('{')); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return events, unexpected(err)
		}
		switch name {
		case "objects":
			err = o.list(d, func(x *ocelObject) { o.objects[x.ID] = x })
		case "events":
			err = o.list(d, func(x *ocelObject) { events = append(events, x) })
		default:
			var other json.RawMessage
			err = d.Decode(&other)
		}
		if err != nil {
			return events, unexpected(err)
		}
	}
	return events, unexpected(expect(d, json.Delim('}')))
}

// list reads a list, and counts the entries that are none of what is expected.
func (o *ocel) list(d *json.Decoder, take func(*ocelObject)) error {
	if err := expect(d, json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		x := &ocelObject{row: o.lines.at(d.InputOffset() - int64(len(raw)))}
		if err := decodeNumbers(raw, x); err != nil {
			o.reject(x.row, ReasonJSON, wrong(err))
			continue
		}
		take(x)
	}
	return expect(d, json.Delim(']'))
}

// link finds the orders that each object leads to, whichever of two related objects says so.
func (o *ocel) link() {
	for _, x := range o.objects {
		if x.Type == o.m.ObjectType {
			x.orders, x.key = []string{x.ID}, o.keyOf(x)
		}
	}
	join := func(x, to *ocelObject) {
		if o.via[x.Type] && to.Type == o.m.ObjectType && !slices.Contains(x.orders, to.ID) {
			x.orders = append(x.orders, to.ID)
		}
	}
	for _, x := range o.objects {
		for _, r := range x.Related {
			if other := o.objects[r.ObjectID]; other != nil {
				join(x, other)
				join(other, x)
			}
		}
	}
}

// keyOf is the order's name: its id, or the attribute that the mapping names.
func (o *ocel) keyOf(x *ocelObject) string {
	if o.m.Key.Column == "" {
		return x.ID
	}
	for _, a := range x.Attributes {
		if a.Name == o.m.Key.Column {
			return textOf(a.Value)
		}
	}
	return ""
}

// ordersOf lists the orders of an event: those it names, and those its other objects lead to.
func (o *ocel) ordersOf(e *ocelObject) []string {
	var ids []string
	for _, r := range e.Related {
		if x := o.objects[r.ObjectID]; x != nil {
			ids = append(ids, x.orders...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// add queues an event, once for each of its orders.
func (o *ocel) add(e *ocelObject) {
	ids := o.ordersOf(e)
	at, ok := o.clock.instant([]byte(e.Time))
	switch {
	case len(ids) == 0:
		o.reject(e.row, ReasonNoOrder, e.Type)
		return
	case e.Type == "":
		o.reject(e.row, ReasonStatus, "")
		return
	case !ok:
		o.reject(e.row, ReasonTime, quote(e.Time))
		return
	}
	attrs := o.attributes(e)
	for _, id := range ids {
		if o.objects[id].key == "" {
			o.reject(e.row, ReasonKey, "object "+id)
			continue
		}
		o.queue = append(o.queue, result{event: Event{
			Key: o.objects[id].key, Status: o.words.word([]byte(e.Type)), Time: unixNano(at), Attrs: attrs, Row: e.row,
		}})
	}
}

// attributes returns what an event says of its own.
func (o *ocel) attributes(e *ocelObject) []order.Attr {
	var out []order.Attr
	for _, a := range o.m.Attributes {
		if a.Scope != ScopeEvent {
			continue
		}
		for _, x := range e.Attributes {
			if x.Name == a.Column {
				out = o.value(out, a, textOf(x.Value), e.row)
			}
		}
	}
	return out
}

func (o *ocel) value(to []order.Attr, a AttributeColumn, text string, row int) []order.Attr {
	if text == "" {
		return to
	}
	value, ok := o.values.value(a.Name, text)
	if !ok {
		o.reject(row, ReasonDue, a.Column+" "+quote(text))
		return to
	}
	return append(to, order.Attr{Name: a.Name, Value: value})
}

// attachAll gives each order's events what is said of the order itself.
func (o *ocel) attachAll() {
	byKey := map[string][]int{}
	for i := range o.queue {
		if o.queue[i].err == nil {
			key := o.queue[i].event.Key
			byKey[key] = append(byKey[key], i)
		}
	}
	objects := make([]*ocelObject, 0, len(o.objects))
	for _, x := range o.objects {
		if len(byKey[x.key]) > 0 && x.Type == o.m.ObjectType {
			objects = append(objects, x)
		}
	}
	slices.SortFunc(objects, func(a, b *ocelObject) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.ID, b.ID)) })
	for _, x := range objects {
		at := byKey[x.key]
		slices.SortStableFunc(at, func(a, b int) int { return o.queue[a].event.Time.Compare(o.queue[b].event.Time) })
		o.attach(x, at)
	}
}

// attach gives an order's attributes to its events at these places, sorted by time: each value to the first
// event that is not before it, a value later than all events to none. What stands later in an event's list wins.
func (o *ocel) attach(x *ocelObject, places []int) {
	since := func(v *ocelAttribute) int64 {
		if ns, ok := o.clock.instant([]byte(v.Time)); ok {
			return ns
		}
		return never // it holds from the beginning
	}
	values := slices.Clone(x.Attributes)
	slices.SortStableFunc(values, func(a, b ocelAttribute) int { return -cmp.Compare(since(&a), since(&b)) })
	for i := range values {
		v := &values[i]
		at := slices.IndexFunc(places, func(p int) bool { return o.queue[p].event.Time.UnixNano() >= since(v) })
		if at < 0 {
			continue
		}
		for _, a := range o.m.Attributes {
			if a.Scope == ScopeObject && a.Column == v.Name {
				attrs := o.value(nil, a, textOf(v.Value), x.row)
				e := &o.queue[places[at]].event
				e.Attrs = append(attrs, e.Attrs...)
			}
		}
	}
}
