package series

import (
	"math"
	"slices"
)

// vertex is one point of the simplex with its value.
type vertex struct {
	at    []float64
	value float64
}

// minimise finds a low point of f inside the unit cube by the downhill simplex of Nelder and Mead
// (The Computer Journal 7, 1965) with every trial point clamped to the cube. It stops after limit
// evaluations or when the values differ relatively by less than 1e-6. f may answer +Inf.
func minimise(f func(x []float64) float64, start []float64, limit int) ([]float64, float64) {
	n := len(start)
	points := make([]vertex, n+1)
	for i := range points {
		at := slices.Clone(start)
		if i > 0 {
			at[i-1] += 0.25
			if at[i-1] > 1 {
				at[i-1] -= 0.5
			}
		}
		points[i] = vertex{at, f(at)}
	}
	order := func(a, b vertex) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	}
	for used := n + 1; used < limit; {
		slices.SortStableFunc(points, order)
		if settled(points[0].value, points[n].value) {
			break
		}
		used += improve(f, points)
	}
	slices.SortStableFunc(points, order)
	return points[0].at, points[0].value
}

func settled(low, high float64) bool {
	return math.Abs(high-low) <= 1e-6*(math.Abs(low)+1e-10)
}

// improve replaces the worst of the sorted points, or shrinks all towards the best, and returns the
// number of evaluations it took.
func improve(f func(x []float64) float64, points []vertex) int {
	n := len(points) - 1
	worst := points[n]
	centre := make([]float64, n)
	for _, p := range points[:n] {
		for j, x := range p.at {
			centre[j] += x / float64(n)
		}
	}
	try := func(scale float64) vertex {
		at := make([]float64, n)
		for j := range at {
			at[j] = min(1, max(0, centre[j]+scale*(worst.at[j]-centre[j])))
		}
		return vertex{at, f(at)}
	}
	reflected := try(-1)
	switch {
	case reflected.value < points[0].value:
		points[n] = reflected
		if further := try(-2); further.value < reflected.value {
			points[n] = further
		}
		return 2
	case reflected.value < points[n-1].value:
		points[n] = reflected
		return 1
	}
	scale := 0.5
	if reflected.value < worst.value {
		scale, points[n] = -0.5, reflected
	}
	if inner := try(scale); inner.value < points[n].value {
		points[n] = inner
		return 2
	}
	for i := 1; i <= n; i++ {
		for j := range points[i].at {
			points[i].at[j] = (points[i].at[j] + points[0].at[j]) / 2
		}
		points[i].value = f(points[i].at)
	}
	return 2 + n
}
