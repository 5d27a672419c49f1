// Package store owns what is kept: the journal of events, the audit and the read model. A Store is
// safe for concurrent use by one writer and any number of readers; what a method has returned
// without error is durable. Drivers live in sub-packages and pass storetest.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// ErrNotFound says that no such order or incident exists.
var ErrNotFound = errors.New("store: not found")

// ErrLocked says that another instance writes to this store.
var ErrLocked = errors.New("store: another instance holds the writer's lock")

// ErrUnreachable says that the database server cannot be reached now, which time may heal.
var ErrUnreachable = errors.New("store: the database server cannot be reached")

// ErrBadCursor says that an OrderFilter's Cursor did not come from OrderPage.Next.
var ErrBadCursor = errors.New("store: bad cursor")

// ErrOutOfStep says that a batch does not continue the journal as it stands, or that a change does
// not continue the read model: the caller's memory is not the store's. Ask Position again.
var ErrOutOfStep = errors.New("store: out of step")

// ErrText says that a batch holds text that is not UTF-8, holds a NUL or is longer than
// order.MaxTextBytes where it is indexed, which cannot be stored.
// Such an event is to be rejected before it is committed.
var ErrText = errors.New("store: text is not valid")

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
	// Corrections returns what people said about identities: the records of order.KindLink and
	// order.KindUnlink, in journal order.
	Corrections(ctx context.Context) ([]sla.Record, error)
	// Append writes a batch durably, whole or not at all. After any error other than a refusal
	// (ErrOutOfStep, ErrText, ErrLocked) it may have been written: ask Position.
	Append(ctx context.Context, b *sla.Batch) error
}

// Model is the second transaction: what the engine made of the journal.
type Model interface {
	// Save writes a change, incidents and ledger included, and moves Applied, which never goes back nor beyond the journal.
	// It replaces the orders given wholly; an empty list comes back as nil. After an error it may
	// have been written, as with Append.
	Save(ctx context.Context, c *sla.Change, applied int64) error
	// Restore calls fn for every order that is open in the read model or has records after
	// Applied, with all its records in journal order and what was said of it, those of the orders
	// it absorbed included. Orders come by id. It reads one snapshot; fn may use the store.
	Restore(ctx context.Context, fn func(sla.History) error) error
	// History returns one order's records, those of the orders it absorbed included, or ErrNotFound.
	// The id of an absorbed order gives its survivor's.
	History(ctx context.Context, id sla.OrderID) (sla.History, error)
	// IncidentMemory returns what the incidents go on from: the open ones with all who are in them.
	IncidentMemory(ctx context.Context) (sla.IncidentMemory, error)
	// LedgerMemory returns the hand-offs of minutes from since on, and those that are not settled.
	LedgerMemory(ctx context.Context, since time.Time) ([]sla.LedgerEntry, error)
}

// Reader is what pages and the API read.
type Reader interface {
	// Orders lists orders by (verdict: stuck, unknown, at risk, open, no open visit, closed), then
	// deadline (none comes last), then id. With a Stage, the open visit there stands for the order,
	// not its most pressing one. A Limit out of range is moved into it.
	Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error)
	// Order returns the order with this id, or the survivor it was merged into, or ErrNotFound.
	Order(ctx context.Context, id sla.OrderID) (sla.Order, error)
	// FindKey returns the surviving orders that hold this key value under any name.
	FindKey(ctx context.Context, value string) ([]sla.OrderID, error)
	// Totals counts orders by state. Late are the open ones with a stuck visit or a breached promise.
	Totals(ctx context.Context) (sla.OrderTotals, error)
	// Audit returns what was said of an order and of those it absorbed, oldest first.
	Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error)
	// Incidents lists incidents, the last opened first. A Limit out of range is moved into it.
	Incidents(ctx context.Context, f sla.IncidentFilter) (sla.IncidentPage, error)
	// Incident returns one incident with the hundred worst of its orders, the longest overdue
	// first: those that are in it, or where none is, those that were. Or ErrNotFound.
	Incident(ctx context.Context, id sla.IncidentID) (sla.Incident, error)
}
