package row

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/sla"
)

// historyChunk bounds how many orders are in memory at once while histories stream.
const historyChunk = 256

// Journal reads what a list of orders needs, from one snapshot.
type Journal interface {
	// Absorbed calls add with each order that was merged into one of ids, and that one.
	Absorbed(ids []int64, add func(from, into int64)) error
	// Records calls add by order, then sequence.
	Records(ids []int64, add func(sla.Record)) error
	// Saved calls add with what each order of the read model was made of.
	Saved(ids []int64, add func(id int64, of sla.Saved)) error
	// Audit calls add in order of writing.
	Audit(ids []int64, add func(sla.AuditEntry)) error
}

// Histories calls fn with the history of each surviving order, a few statements for some hundred orders.
func Histories(j Journal, ids []int64, fn func(sla.History) error) error {
	for chunk := range slices.Chunk(ids, historyChunk) {
		list, err := histories(j, chunk)
		if err != nil {
			return err
		}
		for _, h := range list {
			if err := fn(h); err != nil {
				return err
			}
		}
	}
	return nil
}

func histories(j Journal, ids []int64) ([]sla.History, error) {
	list := make([]sla.History, len(ids))
	members := slices.Clone(ids)
	index := make(map[int64]int, len(ids))
	for i, id := range ids {
		list[i].Order = sla.OrderID(id)
		index[id] = i
	}
	merged := map[int]bool{}
	err := j.Absorbed(ids, func(from, into int64) {
		index[from] = index[into]
		merged[index[into]] = true
		members = append(members, from)
	})
	if err != nil {
		return nil, err
	}
	if err := j.Records(members, func(r sla.Record) {
		h := &list[index[int64(r.Order)]]
		h.Records = append(h.Records, r)
	}); err != nil {
		return nil, err
	}
	for i := range merged {
		slices.SortFunc(list[i].Records, func(a, b sla.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	if err := j.Saved(ids, func(id int64, of sla.Saved) { list[index[id]].Saved = of }); err != nil {
		return nil, err
	}
	err = j.Audit(members, func(a sla.AuditEntry) {
		h := &list[index[int64(a.Order)]]
		h.Audit = append(h.Audit, a)
	})
	return list, err
}

// ScanSaved reads an order's id, its flow's hash and its number of events.
func ScanSaved(s Scanner, n *Names) (id int64, of sla.Saved, err error) {
	var hash int64
	if err = s.Scan(&id, &hash, &of.Events); err == nil {
		of.FlowHash, err = n.Text(hash)
	}
	return id, of, err
}
