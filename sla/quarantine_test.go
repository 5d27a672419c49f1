package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

func TestOrderWhoseFoldFailsIsQuarantinedAndTheOthersGoOn(t *testing.T) {
	c := newCompany(t)
	breakFold := func() {
		c.engine.(*Engine).plan.statuses[order.Status{System: "crm", Name: "OTHER"}] = &step{enters: []int{99}}
	}
	breakFold()
	c.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1")
	c.send("shop-db", 2, 0, "shop/SUBMITTED", 0, "shop", "2")
	c.send("shop-db", 3, time.Second, "crm/OTHER", 0, "shop", "1")
	c.send("mes-db", 1, 2*time.Minute, "", 0)
	c.all()
	for _, o := range c.memory.orders {
		if broken := o.Keys[0].Value == "1"; broken && len(o.Visits) > 0 || !broken && o.Visits[0].Verdict != VerdictStuck {
			t.Errorf("order %+v", o)
		}
	}
	var kinds []AuditKind
	for _, a := range c.memory.audit {
		kinds = append(kinds, a.Kind)
	}
	if want := []AuditKind{AuditQuarantine, AuditStuck, AuditIncidentOpened}; !slices.Equal(kinds, want) {
		t.Errorf("said %v", kinds)
	}
	if view := c.engine.Overview(); view.Quarantined != 1 || view.Orders.Open != 1 || view.Stages[0].Open != 1 {
		t.Errorf("overview %+v", view)
	}
	// What comes of it later is kept, and judged once the fold is mended.
	c.send("shop-db", 4, 3*time.Minute, "crm/PRICED", 0, "shop", "1")
	c.all()
	c.restart()
	if o := c.memory.orders[1]; c.engine.Overview().Quarantined != 0 || o.Counts.Events != 3 || len(o.Visits) != 2 {
		t.Errorf("after the restart: %+v", o)
	}
}
