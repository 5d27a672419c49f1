//go:build race

package main

// raceSlowness is by how much less a stream has under the race detector, which slows serve too: it
// is this binary.
const raceSlowness = 25
