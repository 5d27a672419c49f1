package remaining

import (
	"math"
	"slices"
)

// rate counts what happens as two exponentially fading sums, over about a day and a week.
type rate struct {
	day, week float64
	last      int64 // Unix seconds
	any       bool
}

func (r *rate) add(now int64) {
	day, week := r.at(now)
	r.day, r.week, r.last, r.any = day+1, week+1, now, true
}

func (r *rate) at(now int64) (day, week float64) {
	passed := float64(now - r.last)
	return r.day * math.Exp(-passed/secondsADay), r.week * math.Exp(-passed/(7*secondsADay))
}

// pair is at as two features.
func (r *rate) pair(now int64) []float32 {
	day, week := r.at(now)
	return []float32{float32(day), float32(week)}
}

const ringSize = 32

// ring holds the latest values of a series.
type ring struct {
	values [ringSize]float32
	n      int
}

func (r *ring) push(v float64) {
	r.values[r.n%ringSize] = float32(v)
	r.n++
}

// median returns the upper median of the latest k values, NaN without any.
func (r *ring) median(k int) float32 {
	k = min(k, r.n, ringSize)
	if k == 0 {
		return float32(math.NaN())
	}
	var buffer [ringSize]float32
	for i := range k {
		buffer[i] = r.values[(r.n-1-i)%ringSize]
	}
	slices.Sort(buffer[:k])
	return buffer[k/2]
}
