// Package postgres owns the sidecar that watches a PostgreSQL database by logical replication:
// preflight, the replication slot, the snapshot that hands over to the stream without a gap, the
// mapping of rows to order.status events, and the watermark that proves how far it has seen.
//
// It guarantees that every committed change of a watched status column becomes exactly one event
// with one number, over crashes of the sidecar and of the database, as long as the slot lives.
// When the slot is lost it says so with a gap, takes a new snapshot, sends the differences as
// inferred, and says that the gap is repaired. It never creates a publication. It writes nothing
// but its slot and, at most once a watermark and only while the server holds back WAL that is not
// flushed, an empty transaction.
//
// A status is an event when it differs from the row's last one. The last ones are kept beside the
// spool (see statuses) exactly as of the resume point; one that is not known counts as different.
// So in doubt there is an event too many, which the receiver counts as a repeat, and never one
// too few.
//
// A Source is for one Run at a time. Preflight is safe concurrently.
package postgres
