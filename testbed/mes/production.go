package mes

import (
	"context"
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/testbed/broker"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

const (
	bench    = 20  // orders an operator makes at a time
	pageSize = 100 // orders on the first page, from which operators claim
	// No operator looks more often, whatever the compression: the database is real.
	minLook = 50 * time.Millisecond
)

// operate is one operator: now and then a look at the list, and the first order on it is taken.
func (a *app) operate(ctx context.Context, name string) {
	places := make(chan struct{}, bench)
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		o, ok := a.claim(ctx, name)
		if !ok {
			return
		}
		a.spawn(func() {
			a.produce(ctx, o)
			<-places
		})
	}
}

// claim looks at the list until an order could be taken. It reports false when ctx ended.
func (a *app) claim(ctx context.Context, operator string) (workOrder, bool) {
	for pace.Wait(ctx, max(minLook, a.Pace.Exponential(a.LookEvery))) == nil {
		page, err := a.page(ctx)
		if err != nil {
			if ctx.Err() == nil {
				a.Log.Warn("operator cannot read the list", "error", err)
			}
			continue
		}
		for _, o := range page {
			if _, skip := a.faults.strikes(truth.NobodyClaims, o.file); skip {
				continue
			}
			taken, err := a.step(ctx, o, ManufacturingApproved, ManufacturingStarted, operator)
			if err == nil && taken {
				a.recordClaim(o, page, operator)
				return o, true
			}
		}
	}
	return workOrder{}, false
}

func (a *app) recordClaim(o workOrder, page []workOrder, operator string) {
	older := 0
	for _, other := range page {
		if other.at.Before(o.at) {
			older++
		}
	}
	err := a.Truth.Claim(truth.Claim{File: o.file, ID: o.id, Operator: operator, SkippedOlder: older, At: time.Now().UTC()})
	if err != nil {
		a.Log.Error("truth is incomplete", "error", err)
	}
}

// page is the MES's first page: the approved orders that nobody has claimed.
func (a *app) page(ctx context.Context) ([]workOrder, error) {
	direction := "ASC"
	if a.NewestFirst {
		direction = "DESC"
	}
	rows, err := a.db.Query(ctx, fmt.Sprintf(`SELECT id, file_id, polygons, channel, COALESCE(partner, ''), updated_at FROM work_orders
		WHERE status = $1 ORDER BY updated_at %s, id LIMIT %d`, direction, pageSize), ManufacturingApproved)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	defer rows.Close()
	var page []workOrder
	for rows.Next() {
		var o workOrder
		if err := rows.Scan(&o.id, &o.file, &o.polygons, &o.channel, &o.partner, &o.at); err != nil {
			return nil, fmt.Errorf("read list: %w", err)
		}
		page = append(page, o)
	}
	return page, rows.Err()
}

// produce makes, packs and ships a claimed order.
func (a *app) produce(ctx context.Context, o workOrder) {
	const day = 24 * time.Hour
	for _, s := range []struct {
		from, to           string
		median, atMostTime time.Duration
	}{
		{ManufacturingStarted, ManufacturingCompleted, 2 * day, 5 * day},
		{ManufacturingCompleted, Packaging, 4 * time.Hour, 12 * time.Hour},
		{Packaging, Shipped, 4 * time.Hour, 12 * time.Hour},
	} {
		if pace.Wait(ctx, a.Pace.Lognormal(s.median, 0.4, s.atMostTime)) != nil {
			return
		}
		if taken, err := a.step(ctx, o, s.from, s.to, ""); err != nil || !taken {
			return
		}
	}
	a.publish(ctx, o, broker.OrderShipped, Shipped)
}
