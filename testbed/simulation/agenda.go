package simulation

import "container/heap"

// agenda holds what is going to happen, by time. At one instant watermarks come last, since they
// vouch for all that happened then; the rest comes in the order in which it was planned.
type agenda struct {
	list  appointments
	count uint64
}

type appointment struct {
	at   int64 // Unix nanoseconds
	last bool
	n    uint64
	do   func()
}

func (a *agenda) push(at int64, last bool, do func()) {
	a.count++
	heap.Push(&a.list, appointment{at, last, a.count, do})
}

// due takes the next appointment if its time is not after that.
func (a *agenda) due(at int64) (appointment, bool) {
	if len(a.list) == 0 || a.list[0].at > at {
		return appointment{}, false
	}
	return heap.Pop(&a.list).(appointment), true
}

// appointments is a heap.Interface.
type appointments []appointment

func (a appointments) Len() int      { return len(a) }
func (a appointments) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a appointments) Less(i, j int) bool {
	x, y := &a[i], &a[j]
	switch {
	case x.at != y.at:
		return x.at < y.at
	case x.last != y.last:
		return y.last
	}
	return x.n < y.n
}

func (a *appointments) Push(x any) { *a = append(*a, x.(appointment)) }

func (a *appointments) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return x
}
