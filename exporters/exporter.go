// Package exporters owns what every sidecar shares: reading is the source's, and everything after
// it is here: numbering, the spool on disk, sending with retry, and the sidecar's own cost.
// A sidecar changes nothing in the system it watches and never slows it: when orderwatch is away
// it spools, and when the spool is full it says which facts are missing (a gap).
package exporters

import (
	"context"

	"github.com/alexandrite/orderwatch/order"
)

// Source reads one system and appends what it sees to a Stream. Implementations live in
// sub-packages, one a kind.
type Source interface {
	// Run reads until ctx ends, reconnecting by itself, and returns only then or when its
	// configuration can never work.
	Run(ctx context.Context, out Stream) error
}

// Stream is where a Source writes. It is durable: what Append has accepted is sent at least once,
// with the same sequence numbers, also after a crash. It is for one goroutine.
type Stream interface {
	// Append numbers the events, fills in their stream position, and makes them durable together
	// with position, the source's own resume point. It blocks while the spool is full and
	// configured to hold back.
	Append(ctx context.Context, events []order.Event, position []byte) error
	// Position returns the resume point saved with the last Append; nil for a new stream, whose
	// Source must take a snapshot.
	Position() []byte
	// Last returns the last sequence number given in this epoch, 0 for a new stream.
	Last() uint64
}
