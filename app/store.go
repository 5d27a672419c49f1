package app

import (
	"context"
	"errors"
	"time"

	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/store"
	"github.com/alexandrite/orderwatch/store/postgres"
	"github.com/alexandrite/orderwatch/store/sqlite"
)

// How long to wait between attempts to open a store on a server. The longest is also how long a
// standby may take to notice that the other instance has ended.
const (
	openRetryMin = 100 * time.Millisecond
	openRetryMax = 2 * time.Second
)

// openStore opens the store. A server that is away is waited for, and so is another instance that
// writes there: this one then stands by. A file that another instance has open is an error.
func (a *App) openStore(ctx context.Context) (store.Store, error) {
	if a.Config.Store.Driver != config.Postgres {
		return sqlite.Open(ctx, sqlite.Options{Path: a.Config.Store.Path})
	}
	wait := exporters.Backoff{Min: openRetryMin, Max: openRetryMax}
	var reason error
	for {
		st, err := postgres.Open(ctx, postgres.Options{DSN: a.Config.Store.DSN})
		switch {
		case err == nil:
			if reason != nil {
				a.Logger.Info("store opened at last")
			}
			return st, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, store.ErrLocked):
			a.sayOnce(&reason, store.ErrLocked, "another instance writes to the store, standing by until it ends", err)
		case errors.Is(err, store.ErrUnreachable):
			a.sayOnce(&reason, store.ErrUnreachable, "store cannot be reached, trying until it can", err)
		default:
			return nil, err
		}
		if err := wait.Wait(ctx); err != nil {
			return nil, err
		}
	}
}

// sayOnce logs why we wait, unless that is what was said last.
func (a *App) sayOnce(last *error, reason error, message string, err error) {
	if !errors.Is(*last, reason) {
		a.Logger.Warn(message, "error", err)
	}
	*last = reason
}
