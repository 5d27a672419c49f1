package mes

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/testbed/broker"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// medianPolygons is the size of model that takes the median time.
const medianPolygons = 50_000

func (a *app) wakeCalculator() {
	select {
	case a.wake <- struct{}{}:
	default: // all calculators have work waiting already
	}
}

// calculate is one calculator: it takes the oldest order and prices it.
func (a *app) calculate(ctx context.Context) {
	for ctx.Err() == nil {
		o, err := a.nextCalculation(ctx)
		if err != nil {
			if !errors.Is(err, pgx.ErrNoRows) && ctx.Err() == nil {
				a.Log.Warn("calculator cannot reach its queue", "error", err)
			}
			a.awaitCalculation(ctx)
			continue
		}
		if ended, hangs := a.faults.strikes(truth.CalculationHangs, o.file); hangs {
			// The computation never comes back; the calculator goes on with the next order.
			a.spawn(func() { a.after(ctx, ended, func() { a.priced(ctx, o) }) })
			continue
		}
		if pace.Wait(ctx, a.calculationTime(o.polygons)) == nil {
			a.priced(ctx, o)
		}
	}
}

func (a *app) awaitCalculation(ctx context.Context) {
	// The wake-up may have been for an order that another calculator took, or was lost with an answer
	// that timed out after its commit: look again now and then.
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-a.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// nextCalculation takes the oldest order that waits. It reports pgx.ErrNoRows where none does, or
// where another calculator was faster.
func (a *app) nextCalculation(ctx context.Context) (workOrder, error) {
	var o workOrder
	err := a.db.QueryRow(ctx, `SELECT id, file_id, polygons, channel, COALESCE(partner, '') FROM work_orders
		WHERE status = $1 ORDER BY id LIMIT 1`, Submitted).Scan(&o.id, &o.file, &o.polygons, &o.channel, &o.partner)
	if err != nil {
		return o, err
	}
	taken, err := a.step(ctx, o, Submitted, CalculationStarted, "")
	if err == nil && !taken {
		err = pgx.ErrNoRows
	}
	return o, err
}

// calculationTime grows with the square root of the polygons: with the customers' models it is
// lognormal with a median of 1.5 minutes and a sigma of about 1, and at most 28 minutes, so that only a hung
// one takes longer than the 30 that are given as the most.
func (a *app) calculationTime(polygons int64) time.Duration {
	const limit = 28 * time.Minute
	median := 90 * time.Second.Seconds() * math.Sqrt(float64(polygons)/medianPolygons)
	return a.Pace.Lognormal(time.Duration(min(median, limit.Seconds())*float64(time.Second)), 0.8, limit)
}

// priced commits the price and then tells the CRM.
func (a *app) priced(ctx context.Context, o workOrder) {
	if taken, err := a.step(ctx, o, CalculationStarted, PriceCalculated, ""); err != nil || !taken {
		return
	}
	key := broker.PriceOfShopOrder
	if o.channel == "b2b" {
		key = broker.PriceOfPartnerOrder
	}
	if ended, lost := a.faults.strikes(truth.MessageLost, o.file); lost {
		a.spawn(func() { a.after(ctx, ended, func() { a.publish(ctx, o, key, PriceCalculated) }) })
		return
	}
	a.publish(ctx, o, key, PriceCalculated)
}

// after does something once the fault is taken away.
func (a *app) after(ctx context.Context, ended <-chan struct{}, do func()) {
	select {
	case <-ended:
		do()
	case <-ctx.Done():
	}
}
