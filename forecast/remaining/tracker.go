package remaining

import (
	"slices"
	"time"
)

// Bounds of a Tracker's memory.
const (
	maxOpenCases  = 1 << 18
	maxOpenEvents = 128 // remembered of an open order
	maxPlaces     = 1 << 12
)

// Tracker keeps what a forecast may know of the other orders: how many are open, how many came, how
// long each status took of late. An order counts as finished from the first event whose status ended
// most orders in training: that later events will not come is not known, and not used. One that was
// silent for long is forgotten.
type Tracker struct {
	ends    map[uint64]float32 // share of a status's events that ended an order, in training
	silence int64              // seconds after which an order is forgotten

	now      int64 // Unix seconds
	swept    int64
	open     map[string]*openCase
	places   map[uint64]*place
	arrivals rate
	events   rate
	finished rate
}

type openCase struct {
	status uint64
	at     time.Time
	seen   int64
	visits []visit
}

type visit struct {
	status uint64
	at     time.Time
}

// place is what is known of the orders in one status.
type place struct {
	waiting int
	left    rate
	next    ring // days to the event after it
	toEnd   ring // days to what looked like the end
}

func newTracker(ends map[uint64]float32, silence int64) *Tracker {
	return &Tracker{ends: ends, silence: silence, open: map[string]*openCase{}, places: map[uint64]*place{}}
}

// Observe takes the next event of an order and returns the load at it. Events are shown in the order of
// their times, whichever order they belong to; one that is earlier than the one before counts at the
// later time.
func (t *Tracker) Observe(key string, e Event) Load {
	if e.Time.IsZero() {
		return Load{}
	}
	t.now = max(t.now, e.Time.Unix())
	t.sweep()
	status := hashText(seedStatus, e.Status)
	c := t.move(key, status, e.Time)
	t.events.add(t.now)
	load := t.load(status)
	if t.ends[status] >= 0.5 {
		for _, v := range c.visits {
			t.at(v.status).toEnd.push(days(v.at, e.Time))
		}
		t.forget(key, c)
		t.finished.add(t.now)
	}
	return load
}

// move puts an order into a status.
func (t *Tracker) move(key string, status uint64, at time.Time) *openCase {
	c := t.open[key]
	if c == nil {
		t.makeRoom()
		c = &openCase{}
		t.open[key] = c
		t.arrivals.add(t.now)
	} else {
		from := t.at(c.status)
		from.waiting--
		from.left.add(t.now)
		from.next.push(days(c.at, at))
	}
	c.status, c.at, c.seen = status, at, t.now
	if len(c.visits) < maxOpenEvents {
		c.visits = append(c.visits, visit{status, at})
	}
	t.at(status).waiting++
	return c
}

// at returns the status's place. Of more statuses than there is room for, it keeps nothing.
func (t *Tracker) at(status uint64) *place {
	p := t.places[status]
	if p == nil {
		p = &place{}
		if len(t.places) < maxPlaces {
			t.places[status] = p
		}
	}
	return p
}

func (t *Tracker) forget(key string, c *openCase) {
	t.at(c.status).waiting--
	delete(t.open, key)
}

// sweep forgets, from time to time, the orders that were silent too long.
func (t *Tracker) sweep() {
	if t.now-t.swept < t.silence/16 {
		return
	}
	t.swept = t.now
	for key, c := range t.open {
		if t.now-c.seen > t.silence {
			t.forget(key, c)
		}
	}
}

// makeRoom forgets the orders that were silent longest once there are too many.
func (t *Tracker) makeRoom() {
	if len(t.open) < maxOpenCases {
		return
	}
	seen := make([]int64, 0, len(t.open))
	for _, c := range t.open {
		seen = append(seen, c.seen)
	}
	slices.Sort(seen)
	limit := seen[len(seen)/4]
	for key, c := range t.open {
		if c.seen <= limit {
			t.forget(key, c)
		}
	}
}
