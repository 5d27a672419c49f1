package app

import (
	"context"
	"errors"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/web"
)

// errRestoring is what readers are told until the engine's state is back.
var errRestoring = errors.New("state is being restored")

// reader gives the pages the read model and the engine's counts.
type reader struct {
	store store.Store
	loop  *loop
}

func (r *reader) Overview(ctx context.Context) (sla.Overview, error) {
	view := r.loop.overview.Load()
	if view == nil {
		return sla.Overview{}, errRestoring
	}
	totals, err := r.store.Totals(ctx)
	if err != nil {
		return sla.Overview{}, err
	}
	with := *view
	with.Orders.Finished, with.Orders.Cancelled = totals.Finished, totals.Cancelled
	return with, nil
}

func (r *reader) Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error) {
	page, err := r.store.Orders(ctx, f)
	return page, translate(err)
}

func (r *reader) Order(ctx context.Context, id sla.OrderID) (sla.Order, error) {
	o, err := r.store.Order(ctx, id)
	return o, translate(err)
}

func (r *reader) FindKey(ctx context.Context, value string) ([]sla.OrderID, error) {
	return r.store.FindKey(ctx, value)
}

func (r *reader) Records(ctx context.Context, id sla.OrderID) ([]sla.Record, error) {
	h, err := r.store.History(ctx, id)
	return h.Records, translate(err)
}

func (r *reader) Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error) {
	return r.store.Audit(ctx, id)
}

func (r *reader) Incidents(ctx context.Context, f sla.IncidentFilter) (sla.IncidentPage, error) {
	page, err := r.store.Incidents(ctx, f)
	return page, translate(err)
}

func (r *reader) Incident(ctx context.Context, id sla.IncidentID) (sla.Incident, error) {
	i, err := r.store.Incident(ctx, id)
	return i, translate(err)
}

// translate says the store's errors in the words of web.
func translate(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, store.ErrBadCursor):
		return web.ErrCursor
	}
	return err
}
