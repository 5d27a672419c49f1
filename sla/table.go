package sla

import "github.com/alexandrite/orderwatch/order"

// tableSize bounds each table: names are the senders' to choose. What comes after the first so many
// is kept with every fact that says it.
const tableSize = 1 << 12

// tables hold once what many facts say. An entry's number is its place, and short in a packed order;
// what did not fit in has the number 0.
type tables struct {
	plan       *plan
	origins    []*origin
	statuses   []*status
	names      []string // of keys and attributes
	originOf   map[originName]*origin
	statusOf   map[order.Status]*status
	nameOf     map[string]uint64
	lastOrigin *origin
}

type originName struct {
	Source string
	Epoch  int64
}

// origin is one incarnation of a source's stream.
type origin struct {
	originName
	number uint64
}

// status is a status and what it does.
type status struct {
	order.Status
	step   *step
	told   map[string]string // it as evidence; immutable
	number uint64
}

func newTables(p *plan) *tables {
	return &tables{
		plan:    p,
		origins: []*origin{nil}, statuses: []*status{nil}, names: []string{""},
		originOf: map[originName]*origin{}, statusOf: map[order.Status]*status{}, nameOf: map[string]uint64{},
	}
}

func (t *tables) origin(source string, epoch int64) *origin {
	if s := t.lastOrigin; s != nil && s.Epoch == epoch && s.Source == source {
		return s // records come in runs
	}
	name := originName{source, epoch}
	s := t.originOf[name]
	if s == nil {
		s = &origin{originName: name}
		if n := len(t.origins); n < tableSize {
			s.number = uint64(n)
			t.origins = append(t.origins, s)
			t.originOf[name] = s
		}
	}
	t.lastOrigin = s
	return s
}

func (t *tables) status(name order.Status) *status {
	s := t.statusOf[name]
	if s == nil {
		s = &status{Status: name, step: t.plan.of(name), told: map[string]string{"status": name.String()}}
		if n := len(t.statuses); n < tableSize {
			s.number = uint64(n)
			t.statuses = append(t.statuses, s)
			t.statusOf[name] = s
		}
	}
	return s
}

// name returns a name's number, 0 where there is no room for it.
func (t *tables) name(text string) uint64 {
	n, known := t.nameOf[text]
	if !known && len(t.names) < tableSize {
		n = uint64(len(t.names))
		t.names = append(t.names, text)
		t.nameOf[text] = n
	}
	return n
}
