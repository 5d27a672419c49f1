package row

import (
	"database/sql"
	"fmt"

	"github.com/alexandrite/orderwatch/sla"
)

// VisitColumns are the columns of visits, as Visit writes them. (order_id, pos) is the key: visits
// are in order of entering, so that a new one mostly leaves the others where they are.
const VisitColumns = "order_id, pos, stage, n, entered, left_at, deadline, verdict, cause, " +
	"evidence, rework, inferred, stuck_at, approximate, rank, due"

// Visit appends a visit's columns.
func Visit(values []any, n *Names, id sla.OrderID, pos int, v *sla.Visit) []any {
	var evidence any
	if len(v.Evidence) > 0 {
		evidence = asJSON(v.Evidence)
	}
	return append(values, int64(id), int64(pos), n.Intern(v.Stage), int64(v.N), Nanos(v.Entered), Nanos(v.Left), Nanos(v.Deadline),
		n.Intern(string(v.Verdict)), n.Intern(string(v.Cause)), evidence, v.Rework, v.Inferred, Nanos(v.StuckAt), v.Approximate,
		visitRank(v.Verdict), due(v.Deadline))
}

// SelectVisit are the columns that ScanVisit reads.
const SelectVisit = "stage, n, entered, left_at, deadline, verdict, cause, evidence, rework, inferred, stuck_at, approximate"

// ScanVisit reads a visit.
func ScanVisit(s Scanner, n *Names) (sla.Visit, error) {
	var (
		v                                sla.Visit
		stage, verdict, cause            int64
		entered, left, deadline, stuckAt sql.NullInt64
		evidence                         sql.NullString
	)
	if err := s.Scan(&stage, &v.N, &entered, &left, &deadline, &verdict, &cause, &evidence, &v.Rework, &v.Inferred, &stuckAt, &v.Approximate); err != nil {
		return v, err
	}
	v.Entered, v.Left, v.Deadline, v.StuckAt = Time(entered), Time(left), Time(deadline), Time(stuckAt)
	if err := fromJSON(evidence, &v.Evidence); err != nil {
		return v, fmt.Errorf("read evidence: %w", err)
	}
	return v, n.Resolve(NamePair{stage, &v.Stage}, NamePair{verdict, (*string)(&v.Verdict)}, NamePair{cause, (*string)(&v.Cause)})
}

// PromiseColumns are the columns of promises, as Promise writes them.
const PromiseColumns = "order_id, pos, name, start, due, stop, verdict, paused"

// Promise appends a promise's columns.
func Promise(values []any, n *Names, id sla.OrderID, pos int, p *sla.Promise) []any {
	return append(values, int64(id), int64(pos), n.Intern(p.Name), Nanos(p.Start), Nanos(p.Due), Nanos(p.Stop), n.Intern(string(p.Verdict)), p.Paused)
}

// SelectPromise are the columns that ScanPromise reads.
const SelectPromise = "name, start, due, stop, verdict, paused"

// ScanPromise reads a promise.
func ScanPromise(s Scanner, n *Names) (sla.Promise, error) {
	var (
		p                sla.Promise
		name, verdict    int64
		start, due, stop sql.NullInt64
	)
	if err := s.Scan(&name, &start, &due, &stop, &verdict, &p.Paused); err != nil {
		return p, err
	}
	p.Start, p.Due, p.Stop = Time(start), Time(due), Time(stop)
	return p, n.Resolve(NamePair{name, &p.Name}, NamePair{verdict, (*string)(&p.Verdict)})
}

// AuditColumns are the columns of audit, as Audit writes them; the database gives the id.
const AuditColumns = "at, kind, order_id, stage, n, deadline, cause, detail"

// Audit appends an entry's columns.
func Audit(values []any, n *Names, a *sla.AuditEntry) []any {
	return append(values, Nanos(a.At), n.Intern(string(a.Kind)), int64(a.Order), n.Intern(a.Stage), int64(a.N),
		Nanos(a.Deadline), n.Intern(string(a.Cause)), a.Detail)
}

// ScanAudit reads an entry.
func ScanAudit(s Scanner, n *Names) (sla.AuditEntry, error) {
	var (
		a                  sla.AuditEntry
		at, deadline       sql.NullInt64
		kind, stage, cause int64
	)
	if err := s.Scan(&at, &kind, &a.Order, &stage, &a.N, &deadline, &cause, &a.Detail); err != nil {
		return a, err
	}
	a.At, a.Deadline = Time(at), Time(deadline)
	return a, n.Resolve(NamePair{kind, (*string)(&a.Kind)}, NamePair{stage, &a.Stage}, NamePair{cause, (*string)(&a.Cause)})
}
