package app

import (
	"context"
	"errors"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/web"
)

// reader gives the pages the read model and the engine's counts, once the state is restored.
type reader struct{ loop *loop }

func (r *reader) Overview(ctx context.Context) (sla.Overview, error) {
	totals, err := r.loop.store.Totals(ctx)
	if err != nil {
		return sla.Overview{}, err
	}
	with := *r.loop.overview.Load()
	with.Orders.Finished, with.Orders.Cancelled = totals.Finished, totals.Cancelled
	return with, nil
}

func (r *reader) Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error) {
	page, err := r.loop.store.Orders(ctx, f)
	return page, translate(err)
}

func (r *reader) Order(ctx context.Context, id sla.OrderID) (sla.Order, error) {
	o, err := r.loop.store.Order(ctx, id)
	return o, translate(err)
}

func (r *reader) FindKey(ctx context.Context, value string) ([]sla.OrderID, error) {
	return r.loop.store.FindKey(ctx, value)
}

func (r *reader) Records(ctx context.Context, id sla.OrderID) ([]sla.Record, error) {
	h, err := r.loop.store.History(ctx, id)
	return h.Records, translate(err)
}

func (r *reader) Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error) {
	return r.loop.store.Audit(ctx, id)
}

func (r *reader) Incidents(ctx context.Context, f sla.IncidentFilter) (sla.IncidentPage, error) {
	page, err := r.loop.store.Incidents(ctx, f)
	return page, translate(err)
}

func (r *reader) Incident(ctx context.Context, id sla.IncidentID) (sla.Incident, error) {
	i, err := r.loop.store.Incident(ctx, id)
	return i, translate(err)
}

func (r *reader) Handoffs(ctx context.Context) (sla.LedgerOverview, error) {
	view := *r.loop.balance.Load()
	var ids []sla.OrderID
	for _, h := range view.Handoffs {
		for _, x := range h.Named {
			ids = append(ids, x.Order)
		}
	}
	keys, err := r.loop.store.KeysOf(ctx, ids)
	view.Keys = keys
	return view, err
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
