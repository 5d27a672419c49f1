// Package store owns what is kept: the journal of events, the audit and the read model. A Store is
// safe for concurrent use by one writer and any number of readers; what a method has returned
// without error is durable. Drivers live in sub-packages and pass storetest.
package store

import (
	"context"
	"errors"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// ErrNotFound says that no such order exists.
var ErrNotFound = errors.New("store: not found")

// ErrLocked says that another instance writes to this store.
var ErrLocked = errors.New("store: another instance holds the writer's lock")

// Position is where the journal and the read model stand.
type Position struct {
	Journal int64       // last committed sequence; 0: none
	Applied int64       // last sequence folded into the read model
	Order   sla.OrderID // highest order id given
}

// Store is the journal, the audit and the read model.
type Store interface {
	Journal
	Model
	Reader
	Close() error
}

// Journal is the first transaction of a commit: identity and events.
type Journal interface {
	// Position returns where the journal stands.
	Position(ctx context.Context) (Position, error)
	// Sources returns the state of every source, by name.
	Sources(ctx context.Context) ([]sla.SourceState, error)
	// Owners returns the surviving order of each known key; unknown keys are absent.
	Owners(ctx context.Context, keys []order.Key) (map[order.Key]sla.OrderID, error)
	// KeysOf returns the keys that each order holds.
	KeysOf(ctx context.Context, ids []sla.OrderID) (map[sla.OrderID][]order.Key, error)
	// SeenIDs returns which of a source's event ids are in the journal.
	SeenIDs(ctx context.Context, source string, ids []string) (map[string]bool, error)
	// Append writes a batch durably, whole or not at all.
	Append(ctx context.Context, b *sla.Batch) error
}

// Model is the second transaction: what the engine made of the journal.
type Model interface {
	// Save writes a change and moves Applied.
	Save(ctx context.Context, c *sla.Change, applied int64) error
	// Restore calls fn for every order that is open in the read model or has records after
	// Applied, with all its records in journal order and what was said of it.
	Restore(ctx context.Context, fn func(sla.History) error) error
	// History returns one order's records, those of the orders it absorbed included.
	History(ctx context.Context, id sla.OrderID) (sla.History, error)
}

// Reader is what pages and the API read.
type Reader interface {
	// Orders lists orders, the longest overdue first.
	Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error)
	// Order returns the order with this id, or the survivor it was merged into, or ErrNotFound.
	Order(ctx context.Context, id sla.OrderID) (sla.Order, error)
	// FindKey returns the surviving orders that hold this key value under any name.
	FindKey(ctx context.Context, value string) ([]sla.OrderID, error)
	// Totals counts orders by state.
	Totals(ctx context.Context) (sla.OrderTotals, error)
	// Audit returns what was said of an order, oldest first.
	Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error)
}
