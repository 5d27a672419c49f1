// Package simulation is the company as numbers: customers, partners, a calculator, sellers,
// operators and carriers on a virtual clock, and what the sidecars beside their systems would send.
// It needs no server, reads no clock and does no I/O. Who orders when, how long everybody takes and
// what goes wrong are assumptions, kept in market.go, staff.go and fault.go.
//
// Equal Options give equal events, whatever the steps in which they are asked for. What went wrong
// by design is told by Truth; waiting in queues is nobody's design and comes of itself. A Simulation
// belongs to one goroutine; the events it hands out are the caller's, their keys and attributes shared
// and not to be changed.
package simulation
