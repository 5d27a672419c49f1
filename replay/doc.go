// Package replay owns history: it reads orders' past from files, feeds it to the engine in the
// order it happened, on a virtual clock, and reports what the engine says. Live and replay are one
// code path: verdicts come from package sla alone.
//
// Input is never fatal row by row: what cannot be read is counted and listed with its row number.
// The report depends on the files, the flow, the mapping and the time of the freeze, on nothing else.
// Run may be called concurrently; a Reader belongs to one goroutine; a Mapping is immutable.
package replay
