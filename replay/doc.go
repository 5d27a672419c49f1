// Package replay owns history: it reads orders' past from files (CSV, XES, JSONL, OCEL 2.0 JSON), feeds
// it to the engine in the order it happened, on a virtual clock, and reports what the engine says; it drafts
// flows from logs and compares what two flows would have opened. Live and replay are one code path: verdicts
// come from package sla alone.
//
// Input is never fatal row by row: what cannot be read is counted and listed with its line, and of a file
// that breaks off what was read stays. A report depends on the files, the flow, the mapping and the time of
// the freeze, on nothing else. Run, RunBacktest and Discover may be called concurrently; a Reader belongs to
// one goroutine; a Mapping is immutable.
package replay
