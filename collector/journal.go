package collector

import (
	"context"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// Journal is where events become durable. store.Store is one.
type Journal interface {
	// Sources returns the state of every source, by name.
	Sources(ctx context.Context) ([]sla.SourceState, error)
	// Owners returns the surviving order of each known key; unknown keys are absent.
	Owners(ctx context.Context, keys []order.Key) (map[order.Key]sla.OrderID, error)
	// KeysOf returns the keys that each order holds.
	KeysOf(ctx context.Context, ids []sla.OrderID) (map[sla.OrderID][]order.Key, error)
	// SeenIDs returns which of a source's event ids are in the journal.
	SeenIDs(ctx context.Context, source string, ids []string) (map[string]bool, error)
	// Corrections returns the records of people's links and unlinks, in journal order.
	Corrections(ctx context.Context) ([]sla.Record, error)
	// History returns what is kept of the order with this id, or of the one it was merged into.
	History(ctx context.Context, id sla.OrderID) (sla.History, error)
	// Append writes a batch durably, whole or not at all.
	Append(ctx context.Context, b *sla.Batch) error
}

// Position tells the last sequence of the journal and the highest order id given, both 0 for an empty one.
type Position func(ctx context.Context) (journal int64, last sla.OrderID, err error)
