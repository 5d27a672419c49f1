package sla

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// company is an instance with the test flow, told in events.
type company struct {
	*instance
	t *testing.T
}

func newCompany(t *testing.T) company { return company{newInstance(parseFlow(t, testFlow)), t} }

// send commits one record of a source that happened after day0. Of a system without status it is a
// watermark, at a clock that is ahead by offset.
func (c company) send(source string, seq uint64, after time.Duration, status string, offset time.Duration, keys ...string) {
	c.t.Helper()
	e := order.Event{Kind: order.KindWatermark, Time: day0.Add(after + offset), Position: order.Position{Source: source, Epoch: 1, Seq: seq}}
	e.Watermark = order.Watermark{Through: seq, ClockOffset: offset}
	if status != "" {
		s, ok := order.ParseStatus(status)
		if !ok {
			c.t.Fatalf("%q is no status", status)
		}
		e.Kind, e.System, e.Status, e.Watermark = order.KindStatus, s.System, s.Name, order.Watermark{}
	}
	for i := 0; i < len(keys); i += 2 {
		e.Keys = append(e.Keys, order.Key{Name: keys[i], Value: keys[i+1]})
	}
	c.now = later(c.now, day0.Add(after))
	c.commit([]order.Event{e})
}

func (c company) all() { c.apply(len(c.queue)) }

func TestHistoryTakenInAgainChangesNothing(t *testing.T) {
	c := newCompany(t)
	c.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1")
	c.send("shop-db", 2, time.Second, "shop/OTHER", 0, "shop", "2")
	c.send("shop-db", 3, time.Second, "shop/OTHER", 0, "shop", "1", "mes", "a")
	c.send("shop-db", 4, time.Second, "shop/OTHER", 0, "shop", "2", "mes", "a") // the MES's order is taken
	c.send("mes-db", 1, 2*time.Minute, "", 0)
	c.all()
	want, said := c.memory.orders[1], len(c.memory.audit)
	if want.Visits[0].Verdict != VerdictStuck {
		t.Fatalf("visits %+v", want.Visits)
	}
	for range 2 {
		c.engine.Restore(c.memory.history(1))
	}
	c.engine.Apply(&Batch{Records: c.memory.records})
	c.settle(c.journal())
	if got := c.memory.orders[1]; !reflect.DeepEqual(got, want) {
		t.Errorf("order %+v\nwant %+v", got, want)
	}
	if len(c.memory.audit) != said {
		t.Errorf("audit %+v", c.memory.audit)
	}
}

func TestMergeThatWasNotFoldedBeforeACrashIsMadeUpFor(t *testing.T) {
	c := newCompany(t)
	c.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1")
	c.send("mes-db", 1, time.Second, "mes/SUBMITTED", 0, "mes", "a")
	c.all()
	c.send("mes-db", 2, time.Minute, "mes/STARTED", 0, "mes", "a", "shop", "1")
	c.crash()
	if n := len(c.memory.orders); n != 1 {
		t.Errorf("%d orders in the read model, want 1", n)
	}
	if said := fmt.Sprint(c.memory.audit); len(c.memory.audit) != 1 || c.memory.audit[0].Kind != AuditMerged || c.memory.audit[0].At.IsZero() {
		t.Errorf("audit %s", said)
	}
}

func TestBothHalvesOfAnOrderWereStuck(t *testing.T) {
	c := newCompany(t)
	c.send("shop-db", 1, 0, "crm/PRICED", 0, "shop", "1")
	c.send("shop-db", 2, time.Minute, "crm/PRICED", 0, "mes", "a")
	c.send("shop-db", 3, 9*time.Hour, "", 0)
	c.all()
	c.send("shop-db", 4, 10*time.Hour, "crm/OTHER", 0, "mes", "a", "shop", "1")
	c.all()
	c.send("shop-db", 5, 11*time.Hour, "crm/APPROVED", 0, "shop", "1")
	c.all()
	c.restart()
	if o := c.memory.orders[1]; len(c.memory.orders) != 1 || o.Visits[0].StuckAt.IsZero() {
		t.Errorf("orders %+v", c.memory.orders)
	}
	if n := c.memory.retracted(); n != 0 {
		t.Errorf("%d verdicts were taken back", n)
	}
}

func TestProofOfAPolledSourceIsKnownAsSuchAfterARestart(t *testing.T) {
	c := newCompany(t)
	c.send("shop-db", 1, 0, "shop/SUBMITTED", 0, "shop", "1")
	e := order.Event{Kind: order.KindWatermark, Time: day0.Add(time.Hour), Position: order.Position{Source: "mes-db", Epoch: 1, Seq: 1}}
	e.Watermark = order.Watermark{Through: 1, Approximate: true}
	c.now = day0.Add(time.Hour)
	c.commit([]order.Event{e})
	c.all()
	for _, when := range []string{"before", "after"} {
		if v := c.memory.orders[1].Visits[0]; v.Verdict != VerdictStuck || !v.Approximate {
			t.Errorf("%s the restart: %+v", when, v)
		}
		c.restart()
	}
}

func TestRecordIsPlacedByTheOffsetOfItsPlace(t *testing.T) {
	const minute = time.Minute
	tests := map[string][]uint64{ // arrivals of: 1 SUBMITTED, 2 watermark with the clock a minute ahead, 3 STARTED, 4 watermark, the clock set right
		"in order": {1, 2, 3, 4},
		"the record fills a hole that a later watermark waited for": {1, 2, 4, 3},
		"the record overtakes its watermark":                        {1, 3, 2, 4},
		"it comes before everything, its watermark last":            {3, 4, 1, 2},
	}
	for name, arrivals := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			for _, seq := range arrivals {
				switch seq {
				case 1:
					c.send("mes-db", 1, 0, "mes/SUBMITTED", 0, "mes", "a")
				case 2:
					c.send("mes-db", 2, 5*time.Second, "", minute)
				case 3:
					c.send("mes-db", 3, 10*time.Second+minute, "mes/STARTED", 0, "mes", "a") // by the clock that is ahead
				case 4:
					c.send("mes-db", 4, 2*minute, "", 0)
				}
				c.all()
			}
			c.restart()
			v := c.memory.orders[1].Visits
			if len(v) != 2 || !v[1].Entered.Equal(day0.Add(10*time.Second)) {
				t.Errorf("visits %+v", v)
			}
		})
	}
}

func TestVerdictOnADeadlineThatMovedNeedsAProofOfItsOwn(t *testing.T) {
	c := newCompany(t)
	verdict := func() Verdict { c.all(); return c.memory.orders[1].Visits[0].Verdict }
	c.send("shop-db", 2, 0, "crm/APPROVED", 0, "shop", "1") // to be claimed within four hours
	c.send("mes-db", 1, 4*time.Hour+30*time.Minute, "", 0)
	c.now = day0.Add(6 * time.Hour)
	if got := verdict(); got != VerdictStuck {
		t.Errorf("at first it is %s", got)
	}
	c.send("shop-db", 1, -time.Minute, "", -time.Hour) // the shop's clock is an hour behind: it was approved at one
	if got := verdict(); got != VerdictUnknown || c.memory.retracted() != 1 {
		t.Errorf("with the later deadline it is %s, %d verdicts taken back", got, c.memory.retracted())
	}
	c.send("mes-db", 2, 5*time.Hour, "", 0)
	if got := verdict(); got != VerdictStuck {
		t.Errorf("proven again it is %s", got)
	}
}

func TestVerdictOnAVisitThatBeganInAGapIsTakenBack(t *testing.T) {
	c := newCompany(t)
	verdict := func() Verdict { c.all(); return c.memory.orders[1].Visits[0].Verdict }
	c.send("shop-db", 2, 3*time.Hour, "crm/APPROVED", 0, "shop", "1")
	c.send("mes-db", 1, 30*time.Minute, "", 0)
	gap := order.Gap{From: day0.Add(time.Hour), To: day0.Add(2 * time.Hour), Reason: "test"}
	c.commit([]order.Event{{Kind: order.KindGap, Time: gap.To, Gap: gap, Position: order.Position{Source: "mes-db", Epoch: 1, Seq: 2}}})
	c.send("mes-db", 3, 8*time.Hour, "", 0)
	if got := verdict(); got != VerdictStuck {
		t.Errorf("at first it is %s", got)
	}
	c.send("shop-db", 1, 45*time.Minute, "crm/APPROVED", 0, "shop", "1") // the one we knew was a repeat
	if got := verdict(); got != VerdictUnknown || c.memory.retracted() != 1 {
		t.Errorf("begun before the gap it is %s, %d verdicts taken back", got, c.memory.retracted())
	}
}
