// Package crm is the simulated CRM: it learns of prices and shipments by message, its sellers
// approve orders or see them cancelled, and it closes what was delivered. It keeps its orders in
// the shop's database.
package crm

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/testbed/broker"
	"github.com/alexandrite/orderwatch/testbed/endpoint"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// Schema creates the CRM's table beside the shop's.
//
//go:embed schema.sql
var Schema string

// The statuses a CRM gives an order.
const (
	PriceCalculated       = "PRICE_CALCULATED"
	ManufacturingApproved = "MANUFACTURING_APPROVED"
	Shipped               = "SHIPPED"
	Closed                = "CLOSED"
	Cancelled             = "CANCELLED"
)

// Options says what the CRM works with. All but CancelShare are required.
type Options struct {
	Listen      string // host:port
	DSN         string // the shop DB
	Rabbit      string // AMQP URL
	Pace        *pace.Pace
	Seed        uint64
	CancelShare float64 // of the orders, 0 to 1, at the approval
	Truth       *truth.Writer
	Log         *slog.Logger
}

type app struct {
	Options
	db     *pgxpool.Pool
	out    *broker.Publisher
	people *errgroup.Group // sellers and carriers at work on one order each
	taken  sync.Map        // model files whose price was taken in
}

// Run is the CRM until ctx ends, which is not an error.
func Run(ctx context.Context, opts Options) error {
	db, err := pgxpool.New(ctx, opts.DSN)
	if err != nil {
		return fmt.Errorf("open shop db: %w", err)
	}
	defer db.Close()
	group, ctx := errgroup.WithContext(ctx)
	a := &app{Options: opts, db: db, out: broker.NewPublisher(opts.Rabbit), people: group}
	for queue, handle := range map[string]broker.Handler{
		broker.CRMPrices:    a.price,
		broker.CRMShipments: a.shipment,
	} {
		group.Go(func() error { broker.Consume(ctx, opts.Rabbit, queue, opts.Log, handle); return nil })
	}
	group.Go(func() error { return endpoint.Serve(ctx, opts.Listen, http.NewServeMux()) })
	return errors.Join(group.Wait(), a.out.Close())
}

// price takes in the price of an order: one that the shop knows, or a partner's, of which the CRM hears
// for the first time.
func (a *app) price(ctx context.Context, m broker.Message) error {
	if m.Type == broker.PriceOfPartnerOrder {
		return a.partnerOrder(ctx, m)
	}
	return a.shopOrder(ctx, m)
}

// shopOrder begins the CRM's row of an order that the shop knows by the model file.
func (a *app) shopOrder(ctx context.Context, m broker.Message) error {
	return a.create(ctx, m, `INSERT INTO crm_orders (shop_order_id, model_file, channel, polygons, status, updated_at)
		SELECT id, model_file, channel, polygons, $1, clock_timestamp() FROM orders WHERE model_file = $2
		ON CONFLICT (model_file) DO NOTHING RETURNING id, updated_at`, PriceCalculated, m.FileID)
}

// partnerOrder begins the row of an order that only the MES knows.
func (a *app) partnerOrder(ctx context.Context, m broker.Message) error {
	return a.create(ctx, m, `INSERT INTO crm_orders (mes_order_id, model_file, channel, partner, polygons, status, updated_at)
		VALUES ($3, $2, 'b2b', $4, $5, $1, clock_timestamp())
		ON CONFLICT (model_file) DO NOTHING RETURNING id, updated_at`, PriceCalculated, m.FileID, m.MESOrderID, m.Partner, m.Polygons)
}

// create takes a price in. The message may come again, also after a commit whose answer was lost,
// so the row may exist although no seller has it yet.
func (a *app) create(ctx context.Context, m broker.Message, sql string, args ...any) error {
	s := truth.Status{System: "crm", Status: PriceCalculated, File: m.FileID, Channel: m.Channel, Partner: m.Partner}
	err := a.db.QueryRow(ctx, sql, args...).Scan(&s.ID, &s.At)
	if errors.Is(err, pgx.ErrNoRows) {
		err = a.db.QueryRow(ctx, `SELECT id, updated_at FROM crm_orders WHERE model_file = $1`, m.FileID).Scan(&s.ID, &s.At)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("price of model file %s: no such order: %w", m.FileID, broker.ErrReject)
	}
	if err != nil {
		return fmt.Errorf("create crm order: %w", err)
	}
	if _, repeated := a.taken.LoadOrStore(m.FileID, true); repeated {
		return nil
	}
	a.record(s)
	a.people.Go(func() error { a.decide(ctx, m); return nil })
	return nil
}

// decide is a seller, who approves the order or hears that the customer does not want it. It works
// until ctx ends.
func (a *app) decide(ctx context.Context, m broker.Message) {
	if pace.Wait(ctx, a.Pace.Lognormal(2*time.Hour, 0.7, 8*time.Hour)) != nil {
		return
	}
	seller := fmt.Sprintf("seller-%d", 1+int(3*pace.Chance(a.Seed, "seller", m.FileID)))
	if pace.Chance(a.Seed, "cancel", m.FileID) < a.CancelShare {
		_ = a.step(ctx, m, PriceCalculated, Cancelled, seller)
		return
	}
	if a.step(ctx, m, PriceCalculated, ManufacturingApproved, seller) != nil {
		return
	}
	m.Type, m.Status = broker.OrderApproved, ManufacturingApproved
	if err := a.out.Publish(ctx, broker.CRMEvents, m); err != nil {
		a.Log.Warn("approval not published before the end", "error", err)
	}
}

// shipment is the message that the MES has shipped; the carrier then delivers.
func (a *app) shipment(ctx context.Context, m broker.Message) error {
	if err := a.step(ctx, m, ManufacturingApproved, Shipped, ""); err != nil {
		return err
	}
	a.people.Go(func() error {
		if pace.Wait(ctx, a.Pace.Lognormal(36*time.Hour, 0.4, 4*24*time.Hour)) == nil {
			_ = a.step(ctx, m, Shipped, Closed, "")
		}
		return nil
	})
	return nil
}

// step gives the order a new status where it still has the old one, and tries again while the
// database is away. A step taken twice does nothing the second time.
func (a *app) step(ctx context.Context, m broker.Message, from, to, seller string) error {
	const update = `UPDATE crm_orders SET status = $1, seller = COALESCE(NULLIF($2, ''), seller), updated_at = clock_timestamp()
		WHERE model_file = $3 AND status = $4 RETURNING id, updated_at`
	s := truth.Status{System: "crm", Status: to, File: m.FileID, Channel: m.Channel, Partner: m.Partner}
	taken, doubtful := false, false
	err := pace.Retry(ctx, func(ctx context.Context) error {
		err := a.db.QueryRow(ctx, update, to, seller, m.FileID, from).Scan(&s.ID, &s.At)
		if errors.Is(err, pgx.ErrNoRows) && doubtful {
			// The failed attempt may have been committed and only its answer lost.
			err = a.db.QueryRow(ctx, `SELECT id, updated_at FROM crm_orders WHERE status = $1 AND model_file = $2`,
				to, m.FileID).Scan(&s.ID, &s.At)
		}
		taken = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		doubtful = doubtful || err != nil
		return err
	})
	if err != nil {
		return fmt.Errorf("set crm order %s: %w", to, err)
	}
	if taken {
		a.record(s)
	}
	return nil
}

func (a *app) record(s truth.Status) {
	if err := a.Truth.Status(s); err != nil {
		a.Log.Error("truth is incomplete", "error", err)
	}
}
