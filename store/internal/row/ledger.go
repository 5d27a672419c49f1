package row

import (
	"database/sql"

	"github.com/alexandrite/orderwatch/sla"
)

// LedgerColumns are the columns of ledger, as Ledger writes them and ScanLedger reads them.
const LedgerColumns = "order_id, handoff, n, minute, state, entered, deadline, published, copies, dead_lettered, left_at, ended, stuck"

type ledgerKey struct {
	order   sla.OrderID
	handoff string
	n       int
}

// Ledger returns the columns of entries, the last of those of one hand-off only, and the keys
// (order, hand-off, n) of those that are gone.
func Ledger(n *Names, list []sla.LedgerEntry) (values []any, gone [][3]int64) {
	key := func(x *sla.LedgerEntry) ledgerKey { return ledgerKey{x.Order, x.Stage, x.N} }
	last := make(map[ledgerKey]int, len(list))
	for i := range list {
		last[key(&list[i])] = i
	}
	for i := range list {
		x := &list[i]
		switch {
		case last[key(x)] != i:
		case x.State == sla.LedgerGone:
			gone = append(gone, [3]int64{int64(x.Order), n.Intern(x.Stage), int64(x.N)})
		default:
			values = append(values, int64(x.Order), n.Intern(x.Stage), int64(x.N), Nanos(x.Minute), n.Intern(string(x.State)), Nanos(x.Entered), Nanos(x.Deadline),
				Nanos(x.Published), int64(x.Copies), Nanos(x.Dead), Nanos(x.Left), x.Ended, x.Stuck)
		}
	}
	return values, gone
}

// ScanLedger reads an entry.
func ScanLedger(s Scanner, n *Names) (sla.LedgerEntry, error) {
	var (
		x                                                sla.LedgerEntry
		stage, state                                     int64
		minute, entered, deadline, published, dead, left sql.NullInt64
	)
	if err := s.Scan(&x.Order, &stage, &x.N, &minute, &state, &entered, &deadline, &published, &x.Copies, &dead, &left, &x.Ended, &x.Stuck); err != nil {
		return x, err
	}
	x.Minute, x.Entered, x.Deadline, x.Published, x.Dead, x.Left = Time(minute), Time(entered), Time(deadline), Time(published), Time(dead), Time(left)
	return x, n.Resolve(NamePair{stage, &x.Stage}, NamePair{state, (*string)(&x.State)})
}
