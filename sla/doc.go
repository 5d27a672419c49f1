// Package sla is the engine: it folds each order's events into visits, promises and verdicts, and
// proves what did not happen. It is pure with respect to I/O: records come in, changes go out, and
// time is an argument. The same records give the same verdicts whatever their arrival, batching or
// restarts, and whether one Engine or Shards judge. Each of these belongs to one goroutine; the
// values it hands out are immutable.
package sla
