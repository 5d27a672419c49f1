package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// Bounds of what is read ahead of the disk.
const (
	maxItems = 512
	maxBytes = 8 << 20
)

// item is one thing the receiver hands to the consumer, in the order of the stream.
type item struct {
	message   pglogrepl.Message // nil for the others
	keepalive pglogrepl.LSN     // 0 for the others
	probe     *probe
	bytes     int64
}

// receiver owns the replication connection: it alone reads and writes it, for two goroutines that
// write would corrupt it. It also reads the clock, so that a probe has its place in the stream.
type receiver struct {
	link     *link
	interval time.Duration
	now      func() time.Time
	confirm  func() pglogrepl.LSN
	items    chan item
	room     *semaphore.Weighted
}

// stream receives and consumes until either fails.
func (s *Source) stream(ctx context.Context, l *link, w *writer, works func()) error {
	w.durable.Store(uint64(w.at.Seen))
	r := &receiver{link: l, interval: s.Config.WatermarkInterval, now: s.Now, confirm: w.confirmed,
		items: make(chan item, maxItems), room: semaphore.NewWeighted(maxBytes)}
	c := newConsumer(w, s.Config, s.Log, works)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.run(ctx) })
	group.Go(func() error { return c.run(ctx, r) })
	return group.Wait()
}

func (r *receiver) run(ctx context.Context) error {
	next := time.Now()
	for {
		if !time.Now().Before(next) {
			next = time.Now().Add(r.interval)
			if err := r.tick(ctx); err != nil {
				return err
			}
		}
		deadline, cancel := context.WithDeadline(ctx, next)
		raw, err := r.link.replication.ReceiveMessage(deadline)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if pgconn.Timeout(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if err := r.take(ctx, raw); err != nil {
			return err
		}
	}
}

// tick reads the clock and asks the server how far the stream is, so that an idle database proves
// its silence too.
func (r *receiver) tick(ctx context.Context) error {
	p, err := r.link.probe(ctx, r.now)
	if err != nil {
		return err
	}
	if err := r.hand(ctx, item{probe: &p}); err != nil {
		return err
	}
	return r.status(ctx, true)
}

func (r *receiver) status(ctx context.Context, ask bool) error {
	err := pglogrepl.SendStandbyStatusUpdate(ctx, r.link.replication,
		pglogrepl.StandbyStatusUpdate{WALWritePosition: r.confirm(), ReplyRequested: ask})
	if err != nil {
		return fmt.Errorf("send status: %w", err)
	}
	return nil
}

func (r *receiver) take(ctx context.Context, raw pgproto3.BackendMessage) error {
	switch m := raw.(type) {
	case *pgproto3.ErrorResponse:
		return streamEnd{fmt.Errorf("receive: %w", pgconn.ErrorResponseToPgError(m))}
	case *pgproto3.CopyDone:
		return errors.New("receive: the server ended the stream")
	case *pgproto3.CopyData:
		return r.data(ctx, m.Data)
	}
	return nil
}

func (r *receiver) data(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return errors.New("receive: empty message")
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		k, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if err := r.hand(ctx, item{keepalive: k.ServerWALEnd}); err != nil {
			return err
		}
		if k.ReplyRequested {
			return r.status(ctx, false)
		}
	case pglogrepl.XLogDataByteID:
		x, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		message, err := pglogrepl.Parse(x.WALData)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		return r.hand(ctx, item{message: message, bytes: min(maxBytes, int64(len(data)))})
	}
	return nil
}

// hand gives an item to the consumer. While that one waits for room in the spool, the server still
// hears from us, or it would take us for dead.
func (r *receiver) hand(ctx context.Context, it item) error {
	for {
		patience, cancel := context.WithTimeout(ctx, r.interval)
		err := r.tryHand(patience, it)
		cancel()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.status(ctx, false); err != nil {
			return err
		}
	}
}

func (r *receiver) tryHand(ctx context.Context, it item) error {
	if err := r.room.Acquire(ctx, it.bytes); err != nil {
		return err
	}
	select {
	case r.items <- it:
		return nil
	case <-ctx.Done():
		r.room.Release(it.bytes)
		return ctx.Err()
	}
}
