package row

import (
	"database/sql"
	"fmt"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// OrderColumns are the columns of orders, as Order writes them.
const OrderColumns = "id, keys, attrs, state, created, updated, ended, channel, partner, " +
	"stage, entered, deadline, verdict, cause, rank, due, late, flow_hash, doc"

// doc is what nobody selects by.
type doc struct {
	Statuses [][2]string   `json:"statuses,omitempty"`
	Counts   sla.Counts    `json:"counts"`
	Absorbed []sla.OrderID `json:"absorbed,omitempty"`
	Refused  []order.Key   `json:"refused,omitempty"`
}

// Order appends an order's columns.
func Order(values []any, n *Names, o *sla.Order) []any {
	d := doc{Counts: o.Counts, Absorbed: o.Absorbed, Refused: o.Refused}
	for _, s := range o.Statuses {
		d.Statuses = append(d.Statuses, [2]string{s.System, s.Name})
	}
	v := pressing(o.Visits)
	rank := rankOf(o.State, v)
	if v == nil {
		v = &sla.Visit{}
	}
	return append(values, int64(o.ID), Pairs(o.Keys), Pairs(o.Attrs), n.Intern(string(o.State)),
		Nanos(o.Created), Nanos(o.Updated), Nanos(o.Ended), attr(o, "channel"), attr(o, "partner"),
		n.Intern(v.Stage), Nanos(v.Entered), Nanos(v.Deadline), n.Intern(string(v.Verdict)), n.Intern(string(v.Cause)),
		rank, due(v.Deadline), late(o), n.Intern(o.FlowHash), asJSON(d))
}

func attr(o *sla.Order, name string) string {
	for _, a := range o.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// SelectOrder are the columns that ScanOrder reads.
const SelectOrder = "id, keys, attrs, state, created, updated, ended, flow_hash, doc"

// ScanOrder reads an order without visits and promises.
func ScanOrder(s Scanner, n *Names) (sla.Order, error) {
	var (
		o                       sla.Order
		keys, attrs, text       sql.NullString
		state, hash             int64
		created, updated, ended sql.NullInt64
		d                       doc
	)
	if err := s.Scan(&o.ID, &keys, &attrs, &state, &created, &updated, &ended, &hash, &text); err != nil {
		return o, err
	}
	o.Created, o.Updated, o.Ended = Time(created), Time(updated), Time(ended)
	var err error
	if o.Keys, err = ScanPairs[order.Key](keys); err != nil {
		return o, err
	}
	if o.Attrs, err = ScanPairs[order.Attr](attrs); err != nil {
		return o, err
	}
	if err := fromJSON(text, &d); err != nil {
		return o, fmt.Errorf("read order %d: %w", o.ID, err)
	}
	for _, s := range d.Statuses {
		o.Statuses = append(o.Statuses, order.Status{System: s[0], Name: s[1]})
	}
	o.Counts, o.Absorbed, o.Refused = d.Counts, d.Absorbed, d.Refused
	return o, n.Resolve(NamePair{state, (*string)(&o.State)}, NamePair{hash, &o.FlowHash})
}
