// Package collector owns the way in: it receives events as OTLP logs over gRPC and HTTP, checks
// them, recognises duplicates, decides which order each is about, and acknowledges what the journal
// has made durable, never before.
//
// It guarantees that of every request each event is either in the journal exactly once, a duplicate
// of one that is, or refused with a reason; a request that is answered "unavailable" may be sent again
// whole. Bad events never cost the good ones beside them.
//
// A Server and a Committer are safe for concurrent use. Only the goroutine in Committer.Run touches
// identities, sequences and the journal. Every queue is bounded; who sends more is told to come again.
package collector
