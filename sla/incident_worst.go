package sla

import (
	"container/heap"
	"slices"
	"time"
)

// worstHeap finds the member with the earliest deadline. Entries are never searched: one whose
// member left, or whose deadline moved, stays until it comes to the top.
type worstHeap []worstEntry

type worstEntry struct {
	deadline time.Time
	member   *incidentMember
}

func (x *worstEntry) stale() bool {
	return !x.member.Left.IsZero() || !x.member.Deadline.Equal(x.deadline)
}

func (h worstHeap) Len() int           { return len(h) }
func (h worstHeap) Less(i, j int) bool { return h[i].deadline.Before(h[j].deadline) }
func (h worstHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's.
func (h *worstHeap) Push(x any) { *h = append(*h, x.(worstEntry)) }

// Pop is heap.Interface's.
func (h *worstHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = worstEntry{}
	*h = old[:len(old)-1]
	return last
}

func (h *worstHeap) push(m *incidentMember) { heap.Push(h, worstEntry{m.Deadline, m}) }

// deadline returns the earliest deadline of a member, zero where there is none.
func (h *worstHeap) deadline() time.Time {
	for len(*h) > 0 {
		if x := &(*h)[0]; !x.stale() {
			return x.deadline
		}
		heap.Pop(h)
	}
	return time.Time{}
}

// trim forgets stale entries once they are most: behind a member that stays for weeks they would pile up.
func (h *worstHeap) trim(members int) {
	if len(*h) > 2*members+64 {
		*h = slices.DeleteFunc(*h, func(x worstEntry) bool { return x.stale() })
		heap.Init(h)
	}
}
