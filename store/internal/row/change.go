package row

import "github.com/alexandrite/orderwatch/sla"

// Change is the columns of a change's orders.
type Change struct {
	Orders, Visits, Promises        []any
	IDs, VisitCounts, PromiseCounts []int64 // by order: rows at these positions and above are surplus
}

// NewChange returns the columns of orders, the last of those with one id only.
func NewChange(n *Names, list []sla.Order) Change {
	last := make(map[sla.OrderID]int, len(list))
	for i := range list {
		last[list[i].ID] = i
	}
	var c Change
	for i := range list {
		if last[list[i].ID] == i {
			c.add(n, &list[i])
		}
	}
	return c
}

func (c *Change) add(n *Names, o *sla.Order) {
	c.Orders = Order(c.Orders, n, o)
	for pos := range o.Visits {
		c.Visits = Visit(c.Visits, n, o.ID, pos, &o.Visits[pos])
	}
	for pos := range o.Promises {
		c.Promises = Promise(c.Promises, n, o.ID, pos, &o.Promises[pos])
	}
	c.IDs = append(c.IDs, int64(o.ID))
	c.VisitCounts = append(c.VisitCounts, int64(len(o.Visits)))
	c.PromiseCounts = append(c.PromiseCounts, int64(len(o.Promises)))
}

// Audits returns the columns of entries.
func Audits(n *Names, list []sla.AuditEntry) []any {
	var values []any
	for i := range list {
		values = Audit(values, n, &list[i])
	}
	return values
}
