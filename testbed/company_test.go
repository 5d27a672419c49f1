package testbed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/testbed/broker"
	"github.com/alexandrite/orderwatch/testbed/customer"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// TestMain lets the test binary also be the applications, as the orderwatch binary is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "testbed" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := Main(ctx, os.Args[2:], os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// fast lets an order's whole way take about two seconds.
const fast = 200_000

func startCompany(t *testing.T, opts Options) *Company {
	t.Helper()
	c, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Log(c.Log())
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func readTruth(t *testing.T, c *Company) *truth.Truth {
	t.Helper()
	all, err := c.Truth()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// awaitTruth waits until the truth satisfies ok.
func awaitTruth(t *testing.T, c *Company, what string, ok func(*truth.Truth) bool) *truth.Truth {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		all := readTruth(t, c)
		if ok(all) {
			return all
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			for _, o := range all.Orders {
				t.Logf("%s %s: shop %q, mes %q, crm %q, fault %+v", o.File, o.Channel, o.Last("shop"), o.Last("mes"), o.Last("crm"), o.Fault)
			}
			t.Fatalf("never came true: %s", what)
		}
	}
}

func closed(o truth.Order) bool { return o.Last("crm") == "CLOSED" }

func count(orders []truth.Order, ok func(truth.Order) bool) int {
	n := 0
	for _, o := range orders {
		if ok(o) {
			n++
		}
	}
	return n
}

// table reads a two-column query as a map.
func table(t *testing.T, dsn, sql string) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			t.Fatal(err)
		}
		all[key] = value
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

// checkDatabases holds the truth to what stands in the databases.
func checkDatabases(t *testing.T, c *Company, all *truth.Truth) {
	t.Helper()
	for system, query := range map[string]struct{ dsn, sql string }{
		"shop": {c.ShopDSN(), `SELECT model_file, id || ' ' || status FROM orders WHERE model_file IS NOT NULL`},
		"crm":  {c.ShopDSN(), `SELECT model_file, id || ' ' || status FROM crm_orders`},
		"mes":  {c.MESDSN(), `SELECT file_id, id || ' ' || status FROM work_orders`},
	} {
		want := table(t, query.dsn, query.sql)
		got := map[string]string{}
		for _, o := range all.Orders {
			id := map[string]int64{"shop": o.ShopID, "crm": o.CRMID, "mes": o.MESID}[system]
			if id != 0 {
				got[o.File] = fmt.Sprintf("%d %s", id, o.Last(system))
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: truth and database differ:\ntruth    %v\ndatabase %v", system, got, want)
		}
	}
	claimed := table(t, c.MESDSN(), `SELECT file_id, claimed_by FROM work_orders WHERE claimed_by IS NOT NULL`)
	claims := map[string]string{}
	for _, claim := range all.Claims {
		claims[claim.File] = claim.Operator
	}
	if !maps.Equal(claims, claimed) || len(all.Claims) != len(claimed) {
		t.Errorf("claims: truth and database differ:\ntruth    %v\ndatabase %v", all.Claims, claimed)
	}
}

var (
	mesWay = []string{"mes/SUBMITTED", "mes/CALCULATION_STARTED", "mes/PRICE_CALCULATED", "crm/PRICE_CALCULATED",
		"crm/MANUFACTURING_APPROVED", "mes/MANUFACTURING_APPROVED", "mes/MANUFACTURING_STARTED",
		"mes/MANUFACTURING_COMPLETED", "mes/PACKAGING", "mes/SHIPPED", "crm/SHIPPED", "crm/CLOSED"}
	shopWay = append([]string{"shop/INITIATED", "shop/FILE_UPLOADED", "shop/SUBMITTED"}, mesWay...)
)

func way(o truth.Order) []string {
	way := make([]string, 0, len(o.Statuses))
	for _, s := range o.Statuses {
		way = append(way, s.System+"/"+s.Status)
	}
	return way
}

func TestHealthyOrdersGoTheirWholeWayAndTruthEqualsTheDatabases(t *testing.T) {
	const orders = 20
	c := startCompany(t, Options{Compress: fast, Seed: 7, Orders: orders, Rate: 20, B2BShare: 0.4})
	all := awaitTruth(t, c, "all orders are closed", func(all *truth.Truth) bool { return count(all.Orders, closed) == orders })
	checkDatabases(t, c, all)
	channels := map[string]int{}
	for _, o := range all.Orders {
		channels[o.Channel]++
		want := shopWay
		if o.Channel == "b2b" {
			want = mesWay
		}
		if got := way(o); !slices.Equal(got, want) {
			t.Errorf("%s %s went %v, want %v", o.Channel, o.File, got, want)
		}
		if (o.Channel == "b2b") != (o.Partner != "") || (o.ShopID == 0) != (o.Channel == "b2b") {
			t.Errorf("%s order %s: partner %q, shop id %d", o.Channel, o.File, o.Partner, o.ShopID)
		}
	}
	if channels["b2c"] == 0 || channels["b2b"] == 0 {
		t.Errorf("channels: %v, want some of each", channels)
	}
	if faulty := all.Faulty(); len(faulty) != 0 {
		t.Errorf("faulty: %v", faulty)
	}
	checkWatcher(t, c)
}

// checkWatcher reads the databases as a sidecar would: only what was published.
func checkWatcher(t *testing.T, c *Company) {
	t.Helper()
	for dsn, secret := range map[string]string{
		c.WatchShopDSN(): "SELECT customer_email, '' FROM orders",
		c.WatchMESDSN():  "",
	} {
		changes := table(t, dsn, `SELECT 'changes', count(*)::text FROM (SELECT pg_create_logical_replication_slot('probe', 'pgoutput', true)) s,
			LATERAL (SELECT 1 FROM pg_publication_tables WHERE pubname = '`+Publication+`') p`)
		if changes["changes"] == "0" {
			t.Errorf("the watcher finds no published table at %s", dsn)
		}
		if secret == "" {
			continue
		}
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), secret); err == nil {
			t.Error("the watcher may read the customers' addresses")
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAFaultKeepsItsOrderWhereItIsUntilItIsTakenAway(t *testing.T) {
	c := startCompany(t, Options{Compress: fast, Seed: 8})
	cases := []struct {
		order         customer.Order
		fault         string
		lastMES, last string // statuses at which it stays; last is the CRM's
	}{
		{customer.Order{FileID: "lost-b2c", Polygons: 40_000}, truth.MessageLost, "PRICE_CALCULATED", ""},
		{customer.Order{FileID: "lost-b2b", Polygons: 40_000, Partner: "acme"}, truth.MessageLost, "PRICE_CALCULATED", ""},
		{customer.Order{FileID: "hung", Polygons: 40_000}, truth.CalculationHangs, "CALCULATION_STARTED", ""},
		{customer.Order{FileID: "unclaimed", Polygons: 40_000, Partner: "bijou"}, truth.NobodyClaims, "MANUFACTURING_APPROVED", "MANUFACTURING_APPROVED"},
		{customer.Order{FileID: "healthy-1", Polygons: 40_000}, "", "SHIPPED", "CLOSED"},
		{customer.Order{FileID: "healthy-2", Polygons: 40_000, Partner: "acme"}, "", "SHIPPED", "CLOSED"},
	}
	for _, test := range cases {
		if err := c.Place(t.Context(), test.order, test.fault); err != nil {
			t.Fatal(err)
		}
	}
	nobodys := broker.Message{Type: broker.PriceOfShopOrder, FileID: "nobodys"}
	out := broker.NewPublisher(c.RabbitURL())
	if err := errors.Join(out.Publish(t.Context(), broker.MESEvents, nobodys), out.Close()); err != nil {
		t.Fatal(err)
	}
	all := awaitTruth(t, c, "the healthy orders are closed and the faults have struck", func(all *truth.Truth) bool {
		return count(all.Orders, closed) == 2 && len(all.Faulty()) == 4
	})
	checkDatabases(t, c, all)
	if n := deadLetters(t, c); n != 1 {
		t.Errorf("%d dead letters, want the price of nobody's order", n)
	}
	for _, test := range cases {
		o := all.Order(test.order.FileID)
		if o.Last("mes") != test.lastMES || o.Last("crm") != test.last {
			t.Errorf("%s: mes %q, crm %q; want %q, %q", o.File, o.Last("mes"), o.Last("crm"), test.lastMES, test.last)
		}
		switch {
		case test.fault == "" && o.Fault != nil, test.fault != "" && o.Fault.Fault != test.fault:
			t.Errorf("%s: fault %+v, want %q", o.File, o.Fault, test.fault)
		case test.fault != "" && (o.Fault.Began.Before(o.At("mes", test.lastMES)) || !o.Fault.Ended.IsZero()):
			t.Errorf("%s: fault %+v, want it to begin after %s and not to end", o.File, o.Fault, o.At("mes", test.lastMES))
		}
		if err := c.EndFault(t.Context(), o.File); err != nil {
			t.Fatal(err)
		}
	}
	all = awaitTruth(t, c, "all orders are closed", func(all *truth.Truth) bool { return count(all.Orders, closed) == len(cases) })
	checkDatabases(t, c, all)
	for _, o := range all.Faulty() {
		if o.Fault.Ended.Before(o.Fault.Began) {
			t.Errorf("%s: fault %+v has no end after its beginning", o.File, o.Fault)
		}
	}
}

// deadLetters counts the messages among the dead letters.
func deadLetters(t *testing.T, c *Company) int {
	t.Helper()
	conn, err := amqp.Dial(c.RabbitURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	queue, err := ch.QueueDeclarePassive(broker.DeadLetters, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return queue.Messages
}

func TestDrawnFaultsAndCancellationsAreAsSeeded(t *testing.T) {
	c := startCompany(t, Options{
		Compress: fast, Seed: 9, Orders: 30, Rate: 30, B2BShare: 0.3, CancelShare: 0.2, NewestFirst: true,
		FaultShare: map[string]float64{truth.MessageLost: 0.15, truth.CalculationHangs: 0.15, truth.NobodyClaims: 0.15},
	})
	settled := func(o truth.Order) bool {
		return closed(o) || o.Last("crm") == "CANCELLED" || o.Fault != nil
	}
	all := awaitTruth(t, c, "every order is closed, cancelled or faulty", func(all *truth.Truth) bool { return count(all.Orders, settled) == 30 })
	checkDatabases(t, c, all)
	seen := map[string]int{}
	for _, o := range all.Orders {
		switch {
		case o.Fault != nil:
			seen[o.Fault.Fault]++
		default:
			seen[o.Last("crm")]++
		}
	}
	for _, outcome := range append(truth.Faults(), "CLOSED", "CANCELLED") {
		if seen[outcome] == 0 {
			t.Errorf("no order was %s: %v", outcome, seen)
		}
	}
}

func TestOrdersSurviveAKilledDatabaseAndAKilledBroker(t *testing.T) {
	const orders = 12
	c := startCompany(t, Options{Compress: fast, Seed: 10, Orders: orders, Rate: 20, B2BShare: 0.5})
	awaitTruth(t, c, "all orders are in the MES", func(all *truth.Truth) bool {
		return count(all.Orders, func(o truth.Order) bool { return o.MESID != 0 }) == orders
	})
	c.MESDB().Kill()
	c.Rabbit().Kill()
	c.ShopDB().Kill()
	var restarts errgroup.Group
	for _, restart := range []func(context.Context) error{c.ShopDB().Restart, c.MESDB().Restart, c.Rabbit().Restart} {
		restarts.Go(func() error { return restart(t.Context()) })
	}
	if err := restarts.Wait(); err != nil {
		t.Fatal(err)
	}
	all := awaitTruth(t, c, "all orders are closed", func(all *truth.Truth) bool { return count(all.Orders, closed) == orders })
	checkDatabases(t, c, all)
}
