package remaining

import (
	"math"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Keys of a prefix's state, each a refinement of the one named in stateParent.
const (
	keyLast = iota
	keyPair
	keyTriple
	keySet
	keyBag
	keySequence
	stateKeys
)

// stateParent says where to look if a state was seen too seldom; -1 stands for all orders.
var stateParent = [stateKeys]int{
	keyLast: -1, keyPair: keyLast, keyTriple: keyPair, keySet: keyLast, keyBag: keySet, keySequence: keyBag,
}

const (
	recentStatuses = 3
	baseFeatures   = 21 // of position, elapsed time and calendar
)

// walk goes along one order's events and keeps the state from which the features are read.
type walk struct {
	schema  *schema
	first   time.Time
	times   []time.Time
	last    [4]uint64 // latest statuses, newest first
	start   uint64
	seen    map[uint64]int
	set     uint64
	bag     uint64
	trail   uint64
	repeats int // of the last status, without a break
	longest float64
	counts  []float32
	at      []time.Time // last time of each counted status
	values  []string
	changes []float32
	load    Load
}

func newWalk(s *schema, attrs []order.Attr) *walk {
	w := &walk{
		schema: s, seen: map[uint64]int{},
		counts: make([]float32, len(s.Statuses)), at: make([]time.Time, len(s.Statuses)),
		values: make([]string, len(s.Attributes)), changes: make([]float32, len(s.Attributes)),
	}
	w.learn(attrs)
	return w
}

func (w *walk) learn(attrs []order.Attr) {
	for _, a := range attrs {
		i := slices.IndexFunc(w.schema.Attributes, func(known attribute) bool { return known.Name == a.Name })
		if i >= 0 && w.values[i] != a.Value {
			w.values[i] = a.Value
			w.changes[i]++
		}
	}
}

func (w *walk) step(e Event, load Load) {
	status := hashText(seedStatus, e.Status)
	if len(w.times) == 0 {
		w.first, w.start = e.Time, status
	} else {
		w.longest = max(w.longest, w.since(e.Time, 1))
	}
	w.times = append(w.times, e.Time)
	if status == w.last[0] {
		w.repeats++
	} else {
		w.repeats = 0
	}
	copy(w.last[1:], w.last[:])
	w.last[0] = status
	w.seen[status]++
	if w.seen[status] == 1 {
		w.set += mix(status)
	}
	w.bag += join(status, uint64(w.seen[status]))
	w.trail = join(w.trail, status)
	if i := slices.Index(w.schema.Statuses, status); i >= 0 {
		w.counts[i]++
		w.at[i] = e.Time
	}
	w.learn(e.Attrs)
	w.load = load
}

// since returns the days from the k-th last event to t, NaN if there were fewer.
func (w *walk) since(t time.Time, k int) float64 {
	if len(w.times) < k {
		return math.NaN()
	}
	return days(w.times[len(w.times)-k], t)
}

// states fills in the keys of the state, as many as stateKeys.
func (w *walk) states(keys []uint64) {
	keys[keyLast] = w.last[0]
	keys[keyPair] = join(seedPair, join(w.last[0], w.last[1]))
	keys[keyTriple] = join(seedTriple, join(keys[keyPair], w.last[2]))
	keys[keySet] = join(seedSet, join(w.set, w.last[0]))
	keys[keyBag] = join(seedBag, join(w.bag, w.last[0]))
	keys[keySequence] = join(seedSequence, w.trail)
}

// recent returns the statuses that are looked up as if they were the last.
func (w *walk) recent() [recentStatuses]uint64 { return [...]uint64{w.last[1], w.last[2], w.start} }

// attributeKey returns the key of the i-th attribute's value.
func (w *walk) attributeKey(i int) uint64 { return hashText(join(seedValue, uint64(i)), w.values[i]) }

// plainFeatures is the number of features that plain appends.
func (s *schema) plainFeatures() int {
	return baseFeatures + 2*len(s.Statuses) + 2*len(s.Attributes) + loadFeatures
}

// plain appends the features that need nothing learned but the schema.
func (w *walk) plain(out []float32) []float32 {
	now := w.times[len(w.times)-1]
	elapsed := days(w.first, now)
	n := len(w.times)
	out = append(out,
		float32(n), float32(elapsed), float32(w.since(now, 2)), float32(w.since(now, 3)), float32(w.since(now, 4)),
		float32(w.longest), float32(elapsed/float64(max(n-1, 1))), float32(len(w.seen)), float32(w.repeats),
		float32(w.seen[w.last[0]]), float32(n-len(w.seen)),
	)
	out = calendar(out, now)
	out = append(out, float32(w.first.Hour())+float32(w.first.Minute())/60, weekday(w.first), float32(w.first.YearDay()))
	for i := range w.counts {
		since := math.NaN()
		if w.counts[i] > 0 {
			since = days(w.at[i], now)
		}
		out = append(out, w.counts[i], float32(since))
	}
	for i, a := range w.schema.Attributes {
		v, ok := number(w.values[i])
		if !a.Number || !ok {
			v = math.NaN()
		}
		out = append(out, float32(v), w.changes[i])
	}
	return append(out, w.load.values[:]...)
}

func calendar(out []float32, t time.Time) []float32 {
	hour := float32(t.Hour()) + float32(t.Minute())/60
	month := time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, t.Location())
	return append(out,
		hour, weekday(t), weekday(t)+hour/24, float32(t.Day()), float32(days(t, month)), float32(t.YearDay()),
		float32(t.Month()),
	)
}

// weekday counts from Monday, so that the weekend lies together.
func weekday(t time.Time) float32 { return float32((t.Weekday() + 6) % 7) }
