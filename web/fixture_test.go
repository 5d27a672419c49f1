package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// now is the instant at which every fixture is looked at: a Saturday afternoon in Moscow.
var now = time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const day = 24 * time.Hour

func status(text string) order.Status {
	st, _ := order.ParseStatus(text)
	return st
}

func testFlow(t testing.TB) *order.Flow {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	open := func(d time.Duration) order.Span { return order.Span{Unit: order.OpenTime, Amount: d} }
	stage := func(name string, kind order.StageKind, owner, enter, leave string, within order.Span) order.Stage {
		return order.Stage{Name: name, Kind: kind, Owner: owner, Enter: []order.Status{status(enter)}, Leave: []order.Status{status(leave)},
			Within: within, Parallel: kind == order.Handoff, Reporters: []string{"mes-db"}}
	}
	f := &order.Flow{
		Version: 1, Name: "alexandrite", Timezone: zone, Keys: []string{"shop", "mes"}, Partners: []string{"acme", "bijou"}, Hash: "f00d",
		Sources: []order.FlowSource{
			{Name: "shop-db", Reports: []order.Status{status("shop/*"), status("crm/*")}},
			{Name: "mes-db", Reports: []order.Status{status("mes/*")}},
			{Name: "rabbitmq"}, {Name: "mes-api"},
		},
		Stages: []order.Stage{
			stage("upload", order.Customer, "shop", "shop/INITIATED", "shop/SUBMITTED", order.Span{}),
			stage("shop-to-mes", order.Handoff, "", "shop/SUBMITTED", "mes/SUBMITTED", open(5*time.Minute)),
			stage("calculation-queue", order.Queue, "mes", "mes/SUBMITTED", "mes/CALCULATION_STARTED", open(15*time.Minute)),
			stage("calculation", order.Compute, "mes", "mes/CALCULATION_STARTED", "mes/PRICE_CALCULATED", open(30*time.Minute)),
			stage("price-to-crm", order.Handoff, "", "mes/PRICE_CALCULATED", "crm/PRICE_CALCULATED", open(5*time.Minute)),
			stage("approval", order.Human, "sales", "crm/PRICE_CALCULATED", "crm/MANUFACTURING_APPROVED", order.Span{Unit: order.WorkingDays, Days: 1}),
			stage("approval-to-mes", order.Handoff, "", "crm/MANUFACTURING_APPROVED", "mes/MANUFACTURING_APPROVED", open(5*time.Minute)),
			stage("claim", order.Human, "workshop", "mes/MANUFACTURING_APPROVED", "mes/MANUFACTURING_STARTED", order.Span{Unit: order.WorkingDays, Days: 1}),
			stage("manufacturing", order.Production, "workshop", "mes/MANUFACTURING_STARTED", "mes/MANUFACTURING_COMPLETED", order.Span{Unit: order.Elapsed, Amount: 10 * day}),
			stage("packaging", order.Production, "workshop", "mes/MANUFACTURING_COMPLETED", "mes/SHIPPED", order.Span{Unit: order.Elapsed, Amount: 2 * day}),
			stage("shipped-to-crm", order.Handoff, "", "mes/SHIPPED", "crm/SHIPPED", open(5*time.Minute)),
			stage("delivery", order.Carrier, "carrier", "mes/SHIPPED", "crm/CLOSED", order.Span{Unit: order.Elapsed, Amount: 7 * day}),
		},
		Promises: []order.Promise{{Name: "three-weeks", Start: []order.Status{status("shop/SUBMITTED")}, Stop: []order.Status{status("mes/SHIPPED")},
			Within: order.Span{Unit: order.Elapsed, Amount: 21 * day}, Objective: .95}},
		Finish: []order.Status{status("crm/CLOSED")}, Cancel: []order.Status{status("crm/CANCELLED")},
	}
	f.Stages[4].Via = order.Via{Exchange: "mes.events", RoutingKeys: []string{"price.*"}, Queue: "crm.prices"}
	f.Stages[3].Overrides = []order.Override{{When: map[string]string{"channel": "b2b"}, Within: open(20 * time.Minute)}}
	return f
}

// fakeReader holds orders in memory. It fails everything with err where that is set.
type fakeReader struct {
	overview sla.Overview
	orders   []sla.Order
	rows     []sla.OrderRow
	records  map[sla.OrderID][]sla.Record
	audit    map[sla.OrderID][]sla.AuditEntry
	incident []sla.Incident // with members
	ledger   sla.LedgerOverview
	err      error
}

func (f *fakeReader) Overview(context.Context) (sla.Overview, error) { return f.overview, f.err }

func (f *fakeReader) Orders(_ context.Context, q sla.OrderFilter) (sla.OrderPage, error) {
	if f.err != nil {
		return sla.OrderPage{}, f.err
	}
	from := 0
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "at-%d", &from); err != nil {
			return sla.OrderPage{}, ErrCursor
		}
	}
	var page sla.OrderPage
	for i, row := range f.rows {
		if i < from || !matches(row, q) {
			continue
		}
		if len(page.Items) == q.Limit {
			page.Next = fmt.Sprintf("at-%d", i)
			break
		}
		page.Items = append(page.Items, row)
	}
	return page, nil
}

func matches(row sla.OrderRow, q sla.OrderFilter) bool {
	prefix := q.Prefix == ""
	for _, v := range row.Keys {
		prefix = prefix || strings.HasPrefix(v, q.Prefix)
	}
	return prefix && (q.Stage == "" || q.Stage == row.Stage) && (q.Verdict == "" || q.Verdict == row.Verdict) && (q.State == "" || q.State == row.State) &&
		(q.Channel == "" || q.Channel == row.Channel) && (q.Partner == "" || q.Partner == row.Partner)
}

func (f *fakeReader) Order(_ context.Context, id sla.OrderID) (sla.Order, error) {
	if f.err != nil {
		return sla.Order{}, f.err
	}
	for _, o := range f.orders {
		if o.ID == id || slices.Contains(o.Absorbed, id) {
			return o, nil
		}
	}
	return sla.Order{}, ErrNotFound
}

func (f *fakeReader) FindKey(_ context.Context, value string) ([]sla.OrderID, error) {
	var ids []sla.OrderID
	for _, o := range f.orders {
		for _, k := range o.Keys {
			if k.Value == value {
				ids = append(ids, o.ID)
				break
			}
		}
	}
	return ids, f.err
}

func (f *fakeReader) Records(_ context.Context, id sla.OrderID) ([]sla.Record, error) {
	return f.records[id], f.err
}

func (f *fakeReader) Audit(_ context.Context, id sla.OrderID) ([]sla.AuditEntry, error) {
	return f.audit[id], f.err
}

func (f *fakeReader) Incidents(_ context.Context, q sla.IncidentFilter) (sla.IncidentPage, error) {
	if q.Cursor != "" {
		return sla.IncidentPage{}, ErrCursor
	}
	var page sla.IncidentPage
	for _, i := range f.incident {
		if q.State == "" || i.State() == q.State {
			i.Members = nil
			page.Items = append(page.Items, i)
		}
	}
	if len(page.Items) > q.Limit {
		page.Items, page.Next = page.Items[:q.Limit], "7"
	}
	return page, f.err
}

func (f *fakeReader) Incident(_ context.Context, id sla.IncidentID) (sla.Incident, error) {
	for _, i := range f.incident {
		if i.ID == id {
			return i, f.err
		}
	}
	return sla.Incident{}, cmp.Or(f.err, ErrNotFound)
}

func (f *fakeReader) Handoffs(context.Context) (sla.LedgerOverview, error) { return f.ledger, f.err }

var errDown = errors.New("disk I/O error at /secret/path")

// busy is a company with every verdict, every cause and every kind of evidence.
func busy() *fakeReader {
	f := &fakeReader{records: map[sla.OrderID][]sla.Record{}, audit: map[sla.OrderID][]sla.AuditEntry{}}
	f.overview = busyOverview()
	causes := []sla.Cause{sla.CauseLostInHandoff, sla.CauseBacklog, sla.CauseStalled, sla.CauseSlowCompute, sla.CauseWaitingForPerson, sla.CauseStarved, sla.CauseDiverged, sla.CauseUnexplained}
	stages := []string{"price-to-crm", "calculation-queue", "calculation-queue", "calculation", "approval", "claim", "claim", "packaging"}
	for i, cause := range causes {
		f.add(stuckOrder(sla.OrderID(i+1), fmt.Sprintf("10%02d", 42+i), stages[i], cause, time.Duration(40-4*i)*time.Hour))
	}
	f.incident = busyIncidents(f.orders)
	f.ledger = busyLedger(f.orders[0])
	f.add(unknownOrder(20))
	f.add(atRiskOrder(21))
	f.add(finishedOrder(22))
	f.add(cancelledOrder(23))
	f.add(twin(24, "shop"))
	f.add(twin(25, "mes"))
	for i := range 60 {
		o := plainOrder(sla.OrderID(100+i), fmt.Sprintf("2%03d", i), "manufacturing", time.Duration(i+1)*time.Hour)
		f.add(o)
	}
	return f
}

func (f *fakeReader) add(o sla.Order) {
	f.orders = append(f.orders, o)
	row := sla.OrderRow{ID: o.ID, Keys: keyMap(o.Keys), State: o.State, Created: o.Created, Updated: o.Updated}
	for _, a := range o.Attrs {
		switch a.Name {
		case "channel":
			row.Channel = a.Value
		case "partner":
			row.Partner = a.Value
		}
	}
	if v := mostPressing(&o); v != nil && o.State == sla.StateOpen {
		row.Stage, row.Entered, row.Deadline, row.Verdict, row.Cause = v.Stage, v.Entered, v.Deadline, v.Verdict, v.Cause
	}
	f.rows = append(f.rows, row)
	f.records[o.ID] = recordsOf(&o)
}

func recordsOf(o *sla.Order) []sla.Record {
	var records []sla.Record
	for i, v := range o.Visits {
		records = append(records, sla.Record{Seq: int64(o.ID)*100 + int64(i), Order: o.ID, Received: v.Entered.Add(340 * time.Millisecond), Event: order.Event{
			Kind: order.KindStatus, Time: v.Entered, Observed: v.Entered.Add(20 * time.Millisecond), Service: "mes", Environment: "prod",
			Position: order.Position{Source: "mes-db", Epoch: 1763700000, Seq: uint64(4700 + i)}, System: "mes", Status: strings.ToUpper(strings.ReplaceAll(v.Stage, "-", "_")), Keys: o.Keys, Attrs: o.Attrs,
		}})
	}
	for i, st := range o.Statuses {
		at := o.Updated.Add(-time.Duration(3*i) * time.Hour)
		records = append(records, sla.Record{Seq: int64(o.ID)*100 + 20 + int64(i), Order: o.ID, Received: at.Add(90 * time.Millisecond), Event: order.Event{
			Kind: order.KindStatus, Time: at, Service: st.System, Environment: "prod", Position: order.Position{Source: st.System + "-db", Epoch: 1763500000, Seq: uint64(31000 - i)},
			System: st.System, Status: st.Name, Keys: o.Keys[:1],
		}})
	}
	records = append(records, sla.Record{Seq: int64(o.ID)*100 + 50, Order: o.ID, Received: o.Updated.Add(time.Second), Offset: 2 * time.Second, Event: order.Event{
		Kind: order.KindMessage, Time: o.Updated, Service: "rabbitmq", Environment: "prod", Position: order.Position{Source: "rabbitmq", Epoch: 1763700001, Seq: 88},
		Keys: o.Keys, Inferred: true, Message: order.Message{Destination: "mes.events", RoutingKey: "price.calculated", Operation: "send", ID: "m-77"},
	}})
	return records
}
