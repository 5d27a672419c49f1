package sla

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// OrderID is an order's number in the store, given in order of first sight. In a merge the lower one survives.
type OrderID int64

// Record is one committed line of the journal: an event, and which order it is about.
type Record struct {
	Seq      int64         // journal sequence, growing by 1
	Order    OrderID       // the order as it was resolved at commit; 0 for watermarks and gaps
	Received time.Time     // when it was committed, by our clock
	Event    order.Event   // as it was sent
	Link     Link          // what the record did to identities
	Offset   time.Duration // the source's clock offset in force; corrected time is Event.Time − Offset
}

// Link is what a record did to the identities of orders.
type Link struct {
	Absorbed   []OrderID   // these orders were merged into Record.Order
	Refused    []order.Key // keys that contradict what Record.Order already holds: an identity conflict
	Correction *Correction `json:",omitempty"` // of order.KindLink and order.KindUnlink
}

// Correction is what a person said about identities, and when it was said is the record's time. A
// link's record has the two keys. An unlink has one record for every order that comes of it, with
// one of that order's keys.
type Correction struct {
	By, Note string
	Undone   int64 // of an unlink: the sequence of the record whose link it undoes
	Pins     []Pin // of an unlink: the keys kept apart from now on; of a link: those that no longer are
}

// Pin keeps two keys in different orders until a person links them again.
type Pin struct{ A, B order.Key }

// Merge redirects one order to the order that survives.
type Merge struct{ From, Into OrderID }

// KeyOwner says which order holds a key; order 0: none any more.
type KeyOwner struct {
	Key   order.Key
	Order OrderID
}

// Batch is what one journal transaction writes, whole or not at all. Its Records are the next of the journal.
type Batch struct {
	Records []Record      // consecutive Seq; without watermarks, which live in Sources
	Keys    []KeyOwner    // new keys and keys that move in a merge
	Merges  []Merge       //
	Freed   []OrderID     // orders that are no longer merged into another; it comes before Merges
	Moved   []Record      // earlier records that are about another order now, or linked otherwise: Seq, Order and Link count
	Sources []SourceState // every source that the batch touched, as it is after the batch
	At      time.Time     // commit time, by our clock
}

// SourceState is what is known of a source's stream: what was received and what that proves.
// It changes only in the commit loop (see Tracker), and travels with the batch that changed it.
type SourceState struct {
	Name        string
	Epochs      []EpochState // oldest first, bounded
	Watermark   time.Time    // effective: every event with an earlier time was received; zero: none yet
	Through     uint64       // the sequence that carried it, for the proof
	Approximate bool         // the watermark is from a poll
	Offset      time.Duration
	Gaps        []order.Gap        // unrepaired, oldest first, bounded
	Queues      []order.QueueDepth // as of QueuesAt
	QueuesAt    time.Time          // by the source's clock
	LastSeen    time.Time          // our clock
	GapsTotal   uint64
	Duplicates  uint64
	Rejected    uint64
}

// EpochState is what was received of one incarnation of a source's stream.
type EpochState struct {
	Epoch     int64
	Through   uint64         // every sequence up to this was received, rejected for good, or given up
	Ahead     []Range        // received beyond Through, ascending, disjoint
	Pending   []PendingMark  // watermarks waiting for Through
	Offsets   []OffsetChange // ascending by From; of those up to Through only the last and those with Until; bounded
	Since     time.Time      // our clock: since when the number after Through is missed; zero: it is not
	Top       uint64         // highest sequence here at Since: holes below it are as old
	Skipped   []Range        // given up as lost, ascending; accepted should they come after all; bounded
	Proven    uint64         // highest Through of the effective watermarks
	First     time.Time      // earliest effective watermark
	Watermark time.Time      // latest effective watermark
	Gaps      []SeqGap       // unrepaired ones stated in this epoch, or found in it, ascending by Seq; bounded
	Repairs   []SeqGap       // repaired ones, ascending by Seq; bounded
	Joined    bool           // a repair now forgotten covered the time before First
}

// SeqGap is a gap and the sequence that stated it.
type SeqGap struct {
	Seq uint64
	Gap order.Gap
}

// Range is an inclusive range of sequences.
type Range struct{ From, To uint64 }

// PendingMark is a watermark whose events have not all arrived. Seq is its own sequence.
type PendingMark struct {
	Seq  uint64
	Time time.Time
	Mark order.Watermark
	At   time.Time // received, our clock
	// Latest bounds the time of every record sent before it, by the source's clock. Time does not:
	// a record may be newer than the watermark that follows it.
	Latest time.Time
}

// OffsetChange says which clock offset is in force from a sequence on.
type OffsetChange struct {
	From   uint64
	Offset time.Duration
	Until  uint64 // records up to this had come before the offset was known, and are stamped without it; 0: none
}

// History is all that is kept of one order: its records in journal order, and what was said of it.
type History struct {
	Order   OrderID
	Records []Record
	Audit   []AuditEntry
	Saved   Saved
}

// Saved tells what the read model's order was made of, so that an order that is as it was need not
// be written again after a restart. The zero Saved has it written.
type Saved struct {
	FlowHash string
	Events   int
}
