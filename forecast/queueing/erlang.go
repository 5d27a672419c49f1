package queueing

// ErlangC is the chance that a job has to wait in M/M/c, for an offered load of a = λ/μ erlangs. It is 1
// where a ≥ servers and 0 for no load. Computed from Erlang B by its stable recursion on the
// inverse, which neither overflows nor cancels, whatever the number of servers.
func ErlangC(servers int, a float64) float64 {
	if servers < 1 || a >= float64(servers) {
		return 1
	}
	if !(a > 0) {
		return 0
	}
	b := ErlangB(servers, a)
	return b / (1 - a/float64(servers)*(1-b))
}

// ErlangB is the chance that a job is lost where none can wait. It is 0 for no load.
func ErlangB(servers int, a float64) float64 {
	if !(a > 0) {
		return 0
	}
	b := 1.0
	for k := 1; k <= servers; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b
}
