package queueing

import "math"

// matrix is square and dense, row after row.
type matrix struct {
	n  int
	at []float64
}

func newMatrix(n int) matrix { return matrix{n, make([]float64, n*n)} }

func identity(n int) matrix {
	m := newMatrix(n)
	for i := range n {
		m.at[i*n+i] = 1
	}
	return m
}

func (m matrix) row(i int) []float64 { return m.at[i*m.n : (i+1)*m.n] }

func (m matrix) add(i, j int, v float64) { m.at[i*m.n+j] += v }

// plus is m + f·o.
func (m matrix) plus(o matrix, f float64) matrix {
	out := newMatrix(m.n)
	for i, v := range m.at {
		out.at[i] = v + f*o.at[i]
	}
	return out
}

func (m matrix) times(o matrix) matrix {
	out := newMatrix(m.n)
	for i := range m.n {
		to := out.row(i)
		for k, v := range m.row(i) {
			if v == 0 {
				continue
			}
			for j, w := range o.row(k) {
				to[j] += v * w
			}
		}
	}
	return out
}

// left is the row vector v·m.
func (m matrix) left(v []float64) []float64 {
	out := make([]float64, m.n)
	for i, x := range v {
		if x == 0 {
			continue
		}
		for j, w := range m.row(i) {
			out[j] += x * w
		}
	}
	return out
}

// right is the column vector m·v.
func (m matrix) right(v []float64) []float64 {
	out := make([]float64, m.n)
	for i := range out {
		out[i] = dot(m.row(i), v)
	}
	return out
}

// inverse is by Gauss and Jordan with row pivots.
func (m matrix) inverse() matrix {
	n := m.n
	a, out := newMatrix(n), identity(n)
	copy(a.at, m.at)
	for c := range n {
		pivot := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a.at[r*n+c]) > math.Abs(a.at[pivot*n+c]) {
				pivot = r
			}
		}
		if pivot != c {
			swap(a.row(c), a.row(pivot))
			swap(out.row(c), out.row(pivot))
		}
		scale := 1 / a.at[c*n+c]
		for j := range n {
			a.at[c*n+j] *= scale
			out.at[c*n+j] *= scale
		}
		for r := range n {
			f := a.at[r*n+c]
			if r == c || f == 0 {
				continue
			}
			subtract(a.row(r), a.row(c), f)
			subtract(out.row(r), out.row(c), f)
		}
	}
	return out
}

func subtract(to, from []float64, f float64) {
	for j, v := range from {
		to[j] -= f * v
	}
}

func swap(a, b []float64) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// norm is the largest absolute row sum.
func (m matrix) norm() float64 {
	high := 0.0
	for i := range m.n {
		sum := 0.0
		for _, v := range m.row(i) {
			sum += math.Abs(v)
		}
		high = max(high, sum)
	}
	return high
}

// exponential is e^m for a small m (norm at most 1/2), by its Taylor series.
func (m matrix) exponential() matrix {
	out, term := identity(m.n), identity(m.n)
	for k := 1; k <= 14; k++ {
		term = term.times(m)
		for i := range term.at {
			term.at[i] /= float64(k)
			out.at[i] += term.at[i]
		}
	}
	return out
}
