package replay

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// history is what the files hold, compact: 24 bytes an event, every text once.
type history struct {
	system   string
	orders   []traced
	ids      map[string]int32
	statuses []order.Status
	codes    map[string]int32
	attrs    [][]order.Attr // [0]: none
	facts    []fact
	states   []state
	seen     int // events and rejections so far
	lastKey  string
	lastID   int32
	counts   EventCounts
	rejected Rejections
}

// traced is an order while its events are read.
type traced struct {
	key string
	max int64 // latest event so far, Unix nanoseconds
}

const never = math.MinInt64

// fact is one event: what happened to an order when, and its place in reading order.
type fact struct {
	at     int64 // Unix nanoseconds
	order  int32
	status int32
	attrs  int32
	place  int32
}

// state is a status without a time: it becomes a fact when all is read.
type state struct {
	fact
	file string
	row  int
}

func newHistory(system string) *history {
	return &history{
		system: system, ids: map[string]int32{}, codes: map[string]int32{}, attrs: make([][]order.Attr, 1),
	}
}

// maxEvents is what the compact form can number.
const maxEvents = math.MaxInt32

// read takes all a reader has. step is called for every event with the number read so far.
func (h *history) read(file string, r Reader, step func(events int) error) error {
	for {
		e, err := r.Next()
		var rejection *Rejection
		switch {
		case err == nil:
			if h.seen == maxEvents {
				return fmt.Errorf("more than %d events", maxEvents)
			}
			h.add(file, e)
		case errors.As(err, &rejection):
			h.reject(*rejection)
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
		h.seen++
		if err := step(h.seen); err != nil {
			return err
		}
	}
}

func (h *history) reject(r Rejection) {
	if r.event() {
		h.counts.Rejected++
	}
	h.rejected.add(r)
}

func (h *history) add(file string, e Event) {
	f := fact{order: h.order(e.Key), status: h.status(e.Status)}
	if len(e.Attrs) > 0 {
		f.attrs = int32(len(h.attrs))
		h.attrs = append(h.attrs, e.Attrs)
	}
	if e.Last {
		h.states = append(h.states, state{f, file, e.Row})
		return
	}
	f.at, f.place = e.Time.UnixNano(), int32(len(h.facts))
	o := &h.orders[f.order]
	if f.at < o.max {
		h.counts.OutOfOrder++
	}
	o.max = max(o.max, f.at)
	h.facts = append(h.facts, f)
}

func (h *history) order(key string) int32 {
	if key == h.lastKey && len(h.orders) > 0 { // most files have an order's events together
		return h.lastID
	}
	id, ok := h.ids[key]
	if !ok {
		id = int32(len(h.orders))
		h.ids[key] = id
		h.orders = append(h.orders, traced{key, never})
	}
	h.lastKey, h.lastID = key, id
	return id
}

func (h *history) status(name string) int32 {
	code, ok := h.codes[name]
	if !ok {
		code = int32(len(h.statuses))
		h.codes[name] = code
		h.statuses = append(h.statuses, order.Status{System: h.system, Name: name})
	}
	return code
}

// settle ends reading: states get their order's last time, all is sorted by time, equal times by
// reading order with states last, and what is there twice is dropped.
func (h *history) settle() {
	for _, s := range h.states {
		s.at, s.place = h.orders[s.order].max, int32(len(h.facts))
		if s.at == never {
			h.reject(Rejection{s.file, s.row, ReasonNoTime, h.orders[s.order].key})
			continue
		}
		h.facts = append(h.facts, s.fact)
	}
	h.states = nil
	h.facts = byTime(h.facts)
	h.dropDuplicates()
	h.counts.Accepted = len(h.facts)
	h.counts.Read = h.counts.Accepted + h.counts.Duplicate + h.counts.Rejected
}

// dropDuplicates keeps the first in reading order of facts that agree in order, status and time. What
// a later one says of the order's attributes counts all the same: it is the newer reading.
func (h *history) dropDuplicates() {
	last := slices.Repeat([]int32{-1}, len(h.orders)) // by order: its latest kept fact
	before := make([]int32, 0, len(h.facts))          // by kept fact: its order's one before it
	kept := h.facts[:0]
	for _, f := range h.facts {
		same := last[f.order]
		for same >= 0 && kept[same].at == f.at && kept[same].status != f.status {
			same = before[same]
		}
		if same < 0 || kept[same].at != f.at {
			before = append(before, last[f.order])
			last[f.order] = int32(len(kept))
			kept = append(kept, f)
			continue
		}
		h.counts.Duplicate++
		if f.attrs != 0 {
			kept[same].attrs = f.attrs
		}
	}
	h.facts = kept
}

// instants cuts sorted facts into runs of equal times.
func instants(facts []fact) func(yield func([]fact) bool) {
	return func(yield func([]fact) bool) {
		for start := 0; start < len(facts); {
			end := start + 1
			for end < len(facts) && facts[end].at == facts[start].at {
				end++
			}
			if !yield(facts[start:end]) {
				return
			}
			start = end
		}
	}
}

// until returns the facts up to and at t; a zero t stands for the last fact.
func (h *history) until(t time.Time) ([]fact, time.Time) {
	if t.IsZero() {
		if n := len(h.facts); n > 0 {
			t = unixNano(h.facts[n-1].at)
		}
		return h.facts, t
	}
	end, _ := slices.BinarySearchFunc(h.facts, t, func(f fact, t time.Time) int {
		if time.Unix(0, f.at).After(t) {
			return 1
		}
		return -1
	})
	return h.facts[:end], t.UTC()
}
