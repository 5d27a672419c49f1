package queueing

// phaseWait is the waiting time in M/PH/c with two phases: P(W > t) = start · e^(age·t) · leave.
type phaseWait struct {
	start       []float64 // chance of c jobs, by how many servers are in the first phase
	age         matrix    // Sengupta's T
	leave       []float64
	probability float64 // of waiting
	length      float64 // mean number waiting
}

// solvePhases needs λ·mean < servers. The state is the number of jobs and, of those in service, how many
// are in the first phase. With at least c jobs the process is a QBD whose R solves
// λI + R·A1 + R²·A2 = 0.
func solvePhases(rate float64, p phases, servers int) phaseWait {
	down := p.departures(servers)    // A2: a departure, and the next job starts
	inside := p.transitions(servers) // phase changes, and minus all rates of service
	local := inside.plus(identity(servers+1), -rate)
	ratio := rateMatrix(rate, local, down)
	full := boundary(rate, p, servers, ratio)

	rest := identity(servers+1).plus(ratio, -1).inverse()
	tail := rest.right(ones(servers + 1))
	w := phaseWait{start: full, age: inside.plus(ratio.times(down), 1)}
	w.probability = dot(full, tail)
	w.length = dot(ratio.left(full), rest.right(tail))
	negative := newMatrix(servers+1).plus(w.age, -1)
	w.leave = negative.inverse().right(down.right(ones(servers + 1)))
	return w
}

// transitions are the rates within a level of jobs in service, without arrivals.
func (p phases) transitions(jobs int) matrix {
	m := newMatrix(jobs + 1)
	for i := 0; i <= jobs; i++ {
		first, second := float64(i)*p.first, float64(jobs-i)*p.second
		m.add(i, i, -first-second)
		if i > 0 {
			m.add(i, i-1, first*p.on)
		}
	}
	return m
}

// departures are the rates of one job less where jobs wait: the next one starts at once.
func (p phases) departures(jobs int) matrix {
	m := newMatrix(jobs + 1)
	for i := 0; i <= jobs; i++ {
		first, second := float64(i)*p.first*(1-p.on), float64(jobs-i)*p.second
		m.add(i, i, first*p.enter+second*(1-p.enter))
		if i > 0 {
			m.add(i, i-1, first*(1-p.enter))
		}
		if i < jobs {
			m.add(i, i+1, second*p.enter)
		}
	}
	return m
}

// rateMatrix is R, by logarithmic reduction (Latouche, Ramaswami 1993) for G.
func rateMatrix(rate float64, local, down matrix) matrix {
	n := local.n
	inverse := newMatrix(n).plus(local, -1).inverse()
	high := newMatrix(n).plus(inverse, rate)
	low := inverse.times(down)
	g, t := low, high
	for range 64 {
		both := high.times(low).plus(low.times(high), 1)
		inverse = identity(n).plus(both, -1).inverse()
		high, low = inverse.times(high.times(high)), inverse.times(low.times(low))
		step := t.times(low)
		g = g.plus(step, 1)
		t = t.times(high)
		if step.norm() < 1e-14 {
			break
		}
	}
	return newMatrix(n).plus(newMatrix(n).plus(local, -1).plus(g, -rate).inverse(), rate)
}

// boundary is the stationary chance of exactly c jobs by phase, normalised over all levels. Levels
// below c, of n+1 states each, are eliminated from the top: π(n+1) = π(n)·R(n).
func boundary(rate float64, p phases, servers int, ratio matrix) []float64 {
	size := servers
	local := p.transitions(servers).plus(identity(size+1), -rate).plus(ratio.times(p.departures(servers)), 1)
	ratios := make([][][]float64, servers) // ratios[n] takes level n to n+1
	for n := servers - 1; n >= 0; n-- {
		inverse := newMatrix(local.n).plus(local, -1).inverse()
		local = p.transitions(n).plus(identity(n+1), -rate)
		ratios[n] = make([][]float64, n+1)
		for i := range n + 1 {
			up := make([]float64, n+2) // an arrival starts at once: first phase or second
			for j := range up {
				up[j] = rate * (p.enter*inverse.at[(i+1)*(n+2)+j] + (1-p.enter)*inverse.at[i*(n+2)+j])
			}
			ratios[n][i] = up
			for j, v := range up { // then a departure, nobody waiting
				if j > 0 {
					local.add(i, j-1, v*float64(j)*p.first*(1-p.on))
				}
				if j <= n {
					local.add(i, j, v*float64(n+1-j)*p.second)
				}
			}
		}
	}
	return climb(ratios, ratio)
}

// climb goes up from the empty queue and divides by the sum of all levels.
func climb(ratios [][][]float64, ratio matrix) []float64 {
	level, total := []float64{1}, 0.0
	for _, r := range ratios {
		next := make([]float64, len(level)+1)
		for i, v := range level {
			total += v
			for j, w := range r[i] {
				next[j] += v * w
			}
		}
		level = next
	}
	total += dot(level, identity(ratio.n).plus(ratio, -1).inverse().right(ones(ratio.n)))
	for i := range level {
		level[i] /= total
	}
	return level
}

// percentile is the time that a share of 1−beyond of all jobs wait at most. Powers of e^(age·step)
// are doubled until the tail is short enough, then the time is built from its binary digits.
func (w phaseWait) percentile(beyond float64) float64 {
	if w.probability <= beyond {
		return 0
	}
	step := 0.5 / w.age.norm()
	scaled := newMatrix(w.age.n).plus(w.age, step)
	powers := []matrix{scaled.exponential()}
	for len(powers) < 60 && dot(powers[len(powers)-1].left(w.start), w.leave) > beyond {
		last := powers[len(powers)-1]
		powers = append(powers, last.times(last))
		step *= 2
	}
	at, time := w.start, 0.0
	for i := len(powers) - 1; i >= 0; i-- {
		if next := powers[i].left(at); dot(next, w.leave) > beyond {
			at, time = next, time+step
		}
		step /= 2
	}
	step *= 2
	return time + w.inStep(at, beyond, step)
}

// inStep finds the time within the last, smallest step, where the tail is its own short Taylor series.
func (w phaseWait) inStep(at []float64, beyond, step float64) float64 {
	var series [12]float64
	factor := 1.0
	for k := range series {
		series[k] = factor * dot(at, w.leave)
		at = w.age.left(at)
		factor *= step / float64(k+1)
	}
	low, high := 0.0, 1.0
	for range 40 {
		x, tail := (low+high)/2, 0.0
		for k := len(series) - 1; k >= 0; k-- {
			tail = tail*x + series[k]
		}
		if tail > beyond {
			low = x
		} else {
			high = x
		}
	}
	return low * step
}

// beyond is P(W > t).
func (w phaseWait) beyond(t float64) float64 {
	if t <= 0 {
		return w.probability
	}
	halvings := 0
	for scale := t * w.age.norm(); scale > 0.5; scale /= 2 {
		halvings++
		t /= 2
	}
	power := newMatrix(w.age.n).plus(w.age, t).exponential()
	for range halvings {
		power = power.times(power)
	}
	return dot(power.left(w.start), w.leave)
}
