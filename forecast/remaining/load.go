package remaining

import "math"

// Load is what the other orders had done up to an event. The zero Load stands for unknown: the
// forecast then assumes what was usual in training.
type Load struct {
	known  bool
	values [loadFeatures]float32
}

// The features of a Load. The first trendFeatures are levels of the whole business: they may drift
// away from what training knew, so some settings do without.
const (
	loadArrivals  = 0  // orders that came, fading over a day; then: over a week
	loadEvents    = 2  // events of all orders, likewise
	loadFinished  = 4  // orders that ended, likewise
	loadOpen      = 6  // orders
	loadNext      = 7  // days from this status to the next event: median of the latest 8; then: of 32
	loadLeft      = 9  // days from this status to the end: median of the latest 8; then: of 32, of 1
	loadWaiting   = 12 // orders in this status
	loadSinceLeft = 13 // days since one left it
	loadLeaving   = 14 // orders that left it, fading over a day; then: over a week
	loadSinceEnd  = 16 // days since any order ended

	trendFeatures = 7
	loadFeatures  = 17
)

// load reads the features at now for an order in the status.
func (t *Tracker) load(status uint64) Load {
	l := Load{known: true}
	copy(l.values[loadArrivals:], t.arrivals.pair(t.now))
	copy(l.values[loadEvents:], t.events.pair(t.now))
	copy(l.values[loadFinished:], t.finished.pair(t.now))
	l.values[loadOpen] = float32(len(t.open))
	l.values[loadSinceEnd] = t.since(t.finished)
	p := t.places[status]
	if p == nil {
		p = &place{}
	}
	l.values[loadNext], l.values[loadNext+1] = p.next.median(8), p.next.median(ringSize)
	l.values[loadLeft], l.values[loadLeft+1] = p.toEnd.median(8), p.toEnd.median(ringSize)
	l.values[loadLeft+2] = p.toEnd.median(1)
	l.values[loadWaiting] = float32(p.waiting)
	l.values[loadSinceLeft] = t.since(p.left)
	copy(l.values[loadLeaving:], p.left.pair(t.now))
	return l
}

// since returns the days since the last of what the rate counts, NaN if there was none.
func (t *Tracker) since(r rate) float32 {
	if !r.any {
		return float32(math.NaN())
	}
	return float32(t.now-r.last) / secondsADay
}
