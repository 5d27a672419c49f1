// Package mes is the simulated MES: it prices models, its operators claim and make orders, and it
// ships. Shop orders come from the shop with nothing but the model file; partners' orders begin
// here. Faults can be switched on for single orders while it runs, or for a share of them.
package mes

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/testbed/broker"
	"github.com/alexandrite/orderwatch/testbed/endpoint"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// Schema creates the MES's table in an empty database.
//
//go:embed schema.sql
var Schema string

// The statuses a MES gives an order.
const (
	Submitted              = "SUBMITTED"
	CalculationStarted     = "CALCULATION_STARTED"
	PriceCalculated        = "PRICE_CALCULATED"
	ManufacturingApproved  = "MANUFACTURING_APPROVED"
	ManufacturingStarted   = "MANUFACTURING_STARTED"
	ManufacturingCompleted = "MANUFACTURING_COMPLETED"
	Packaging              = "PACKAGING"
	Shipped                = "SHIPPED"
)

// Options says what the MES works with and who works there.
type Options struct {
	Listen      string // host:port
	DSN         string // the MES DB
	Rabbit      string // AMQP URL
	Partners    []string
	Pace        *pace.Pace
	Seed        uint64
	Calculators int                // calculations at a time
	Operators   int                // people who claim
	LookEvery   time.Duration      // mean time between an operator's looks at the list, before compression
	NewestFirst bool               // the list's order
	FaultShare  map[string]float64 // of the orders, by fault, 0 to 1; the sum at most 1
	Truth       *truth.Writer
	Log         *slog.Logger
}

// workOrder is a row of work_orders, with what its applications need of it.
type workOrder struct {
	id       int64
	file     string
	polygons int64
	channel  string
	partner  string
	at       time.Time // when it got its status
}

type app struct {
	Options
	db     *pgxpool.Pool
	out    *broker.Publisher
	faults *faults
	work   *errgroup.Group // what is being done to one order each
	wake   chan struct{}   // a calculation waits
}

// Run is the MES until ctx ends, which is not an error.
func Run(ctx context.Context, opts Options) error {
	faults, err := newFaults(opts)
	if err != nil {
		return err
	}
	db, err := pgxpool.New(ctx, opts.DSN)
	if err != nil {
		return fmt.Errorf("open mes db: %w", err)
	}
	defer db.Close()
	group, ctx := errgroup.WithContext(ctx)
	a := &app{
		Options: opts, db: db, out: broker.NewPublisher(opts.Rabbit), faults: faults,
		work: group, wake: make(chan struct{}, opts.Calculators),
	}
	group.Go(func() error { return endpoint.Serve(ctx, opts.Listen, a.routes()) })
	group.Go(func() error { broker.Consume(ctx, opts.Rabbit, broker.MESApprovals, opts.Log, a.approval); return nil })
	for range opts.Calculators {
		group.Go(func() error { a.calculate(ctx); return nil })
	}
	for n := range opts.Operators {
		group.Go(func() error { a.operate(ctx, fmt.Sprintf("operator-%d", n+1)); return nil })
	}
	return errors.Join(group.Wait(), a.out.Close())
}

// approval is the message that a seller has approved.
func (a *app) approval(ctx context.Context, m broker.Message) error {
	_, err := a.step(ctx, workOrder{id: m.MESOrderID, file: m.FileID, channel: m.Channel, partner: m.Partner},
		PriceCalculated, ManufacturingApproved, "")
	return err
}

// step gives the order a new status where it still has the old one, and tries again while the
// database is away. It reports whether it took the step.
func (a *app) step(ctx context.Context, o workOrder, from, to, operator string) (bool, error) {
	const update = `UPDATE work_orders SET status = $1, claimed_by = COALESCE(NULLIF($2, ''), claimed_by),
		updated_at = clock_timestamp() WHERE file_id = $3 AND status = $4 RETURNING id, updated_at`
	const lookUp = `SELECT id, updated_at FROM work_orders WHERE status = $1 AND COALESCE(claimed_by, '') IN ($2, '') AND file_id = $3`
	taken, doubtful := false, false
	err := pace.Retry(ctx, func(ctx context.Context) error {
		err := a.db.QueryRow(ctx, update, to, operator, o.file, from).Scan(&o.id, &o.at)
		if errors.Is(err, pgx.ErrNoRows) && doubtful {
			// The failed attempt may have been committed and only its answer lost.
			err = a.db.QueryRow(ctx, lookUp, to, operator, o.file).Scan(&o.id, &o.at)
		}
		taken = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		doubtful = doubtful || err != nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("set work order %s: %w", to, err)
	}
	if taken {
		a.record(o, to)
	}
	return taken, nil
}

func (a *app) publish(ctx context.Context, o workOrder, key, status string) {
	m := broker.Message{
		Type: key, MESOrderID: o.id, FileID: o.file, Status: status,
		Channel: o.channel, Partner: o.partner, Polygons: o.polygons,
	}
	if err := a.out.Publish(ctx, broker.MESEvents, m); err != nil {
		a.Log.Warn("message not published before the end", "type", key, "error", err)
	}
}

func (a *app) record(o workOrder, status string) {
	err := a.Truth.Status(truth.Status{
		System: "mes", Status: status, File: o.file, ID: o.id, Channel: o.channel, Partner: o.partner, At: o.at,
	})
	if err != nil {
		a.Log.Error("truth is incomplete", "error", err)
	}
}

// spawn does something to one order beside everything else.
func (a *app) spawn(do func()) {
	a.work.Go(func() error { do(); return nil })
}

func (a *app) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /internal/orders", a.shopOrder)
	mux.HandleFunc("POST /api/v1/orders", a.partnerOrder)
	mux.HandleFunc("PUT /testbed/faults/{file}", a.beginFault)
	mux.HandleFunc("DELETE /testbed/faults/{file}", a.endFault)
	return mux
}
