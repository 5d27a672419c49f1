package sla

import (
	"fmt"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// takeApart lets go of an order that comes of an unlink, as it was: its history has what it is now.
func (e *Engine) takeApart(r *Record) {
	if o := e.held(r.Order); o != nil {
		e.drop(o)
	}
	e.last = max(e.last, r.Order)
	e.await(r.Order)
}

// sayCorrected tells what a person did to an order's identity.
func (e *Engine) sayCorrected(id OrderID, r *Record) {
	kind, detail := correctionText(r)
	e.reasons[id] = string(kind) + " by " + r.Link.Correction.By
	e.audit(AuditEntry{Kind: kind, Order: id, Detail: detail})
}

// correctionText words a correction, each differently: by its number in the journal.
func correctionText(r *Record) (AuditKind, string) {
	c := r.Link.Correction
	kind, keys := AuditLinked, r.Event.Keys
	if r.Event.Kind == order.KindUnlink {
		kind, keys = AuditUnlinked, []order.Key{c.Pins[0].A, c.Pins[0].B}
	}
	text := fmt.Sprintf("%s by %s", keysText(keys), c.By)
	if c.Note != "" {
		text += ": " + c.Note
	}
	return kind, fmt.Sprintf("%s (record %d)", text, r.Seq)
}

// refuses reports whether the order is known to contradict all these keys.
func (o *tracked) refuses(keys []order.Key) bool {
	return !slices.ContainsFunc(keys, func(k order.Key) bool { return !slices.Contains(o.folded.refused, k) })
}

// contradicting returns the keys that were refused and that the order still does not go by.
func (f *folded) contradicting() []order.Key {
	var keys []order.Key
	for _, k := range f.refused {
		if !slices.Contains(f.keys, k) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
