package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

// maxPending is how many events one Append, and so one sync of the disk, carries.
const maxPending = 500

// writer gathers events and appends them together with the position they lead to. It is for one
// goroutine, but for confirmed.
type writer struct {
	out     exporters.Stream
	at      position
	known   *statuses
	rules   []*rule
	now     func() time.Time
	pending []order.Event
	durable atomic.Uint64 // what may be confirmed to the server
}

func (w *writer) add(e order.Event) {
	e.Observed = w.now().UTC()
	w.pending = append(w.pending, e)
}

func (w *writer) full() bool { return len(w.pending) >= maxPending }

// flush makes the pending events and the position durable.
func (w *writer) flush(ctx context.Context) error {
	if len(w.pending) == 0 {
		return nil
	}
	if err := w.known.write(); err != nil {
		return streamError{err}
	}
	w.at.Generation, w.at.Blocks = w.known.generation, w.known.blocks
	data, err := w.at.bytes()
	if err != nil {
		return streamError{fmt.Errorf("write position: %w", err)}
	}
	if err := w.out.Append(ctx, w.pending, data); err != nil {
		return streamError{err}
	}
	w.known.appended()
	w.pending = w.pending[:0]
	w.durable.Store(uint64(w.at.Seen))
	return nil
}

func (w *writer) confirmed() pglogrepl.LSN { return pglogrepl.LSN(w.durable.Load()) }

// gap says that facts may be missing.
func (w *writer) gap(g gapRange, repaired bool) {
	w.add(order.Event{Kind: order.KindGap, Time: g.to(),
		Gap: order.Gap{From: g.from(), To: g.to(), Reason: g.Reason, Repaired: repaired}})
}
