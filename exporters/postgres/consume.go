package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// consumer turns the stream into events and appends them. It is for one goroutine.
type consumer struct {
	*writer
	log       *slog.Logger
	prover    prover
	relations map[uint32]*relation
	tx        *transaction // nil between transactions
	works     func()       // the stream gets through
}

// transaction is the one being read. pgoutput sends it after its commit, so that its time is known
// from the beginning.
type transaction struct {
	commit pglogrepl.LSN
	time   time.Time
	skip   uint64 // row changes that were appended before a restart
	rows   uint64
}

const skipAll = ^uint64(0)

func newConsumer(w *writer, c Config, log *slog.Logger, works func()) *consumer {
	out := &consumer{writer: w, log: log, relations: map[uint32]*relation{}, works: sync.OnceFunc(works), prover: prover{margin: c.Margin, offset: time.Duration(w.at.Offset)}}
	if w.at.Proven != 0 {
		out.prover.last = time.Unix(0, w.at.Proven)
	}
	return out
}

// run takes everything that has arrived, then makes it durable: one sync for many under load, one
// at once when it is quiet.
func (c *consumer) run(ctx context.Context, r *receiver) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case it := <-r.items:
			if err := c.consume(ctx, r, it); err != nil {
				return err
			}
		}
		for more := true; more && !c.full(); {
			select {
			case it := <-r.items:
				if err := c.consume(ctx, r, it); err != nil {
					return err
				}
			default:
				more = false
			}
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

func (c *consumer) consume(ctx context.Context, r *receiver, it item) error {
	defer r.room.Release(it.bytes)
	switch {
	case it.probe != nil:
		c.prover.add(*it.probe)
		c.prove()
	case it.message != nil:
		if err := c.message(it.message); err != nil {
			return err
		}
	case c.tx == nil: // one inside a transaction says less than its commit will
		c.passed(it.keepalive)
	}
	if c.full() {
		return c.flush(ctx)
	}
	return nil
}

// passed says that whatever commits with a record before the position has been consumed.
func (c *consumer) passed(at pglogrepl.LSN) {
	c.at.Seen = max(c.at.Seen, at)
	c.prove()
}

func (c *consumer) prove() {
	if c.tx != nil {
		return
	}
	if mark, ok := c.prover.passed(c.at.Seen); ok {
		c.at.Proven, c.at.Offset = mark.Time.UnixNano(), int64(mark.Watermark.ClockOffset)
		c.add(mark)
		c.works()
	}
}

func (c *consumer) message(m pglogrepl.Message) error {
	switch m := m.(type) {
	case *pglogrepl.RelationMessage:
		c.relate(m)
	case *pglogrepl.BeginMessage:
		c.begin(m)
	case *pglogrepl.CommitMessage:
		c.commit(m)
	case *pglogrepl.InsertMessage:
		return c.row(m.RelationID, func(rel *relation) { c.inserted(rel, m.Tuple) })
	case *pglogrepl.UpdateMessage:
		return c.row(m.RelationID, func(rel *relation) { c.updated(rel, m) })
	case *pglogrepl.DeleteMessage:
		return c.row(m.RelationID, func(rel *relation) { c.deleted(rel, m.OldTuple) })
	case *pglogrepl.TruncateMessage:
		c.truncated(m)
	}
	return nil
}

// begin decides what of the transaction is news: none where its commit was appended before, and
// what follows the saved row where the sidecar died in the middle of it.
func (c *consumer) begin(m *pglogrepl.BeginMessage) {
	c.tx = &transaction{commit: m.FinalLSN, time: m.CommitTime.UTC()}
	switch {
	case m.FinalLSN <= c.at.LSN:
		c.tx.skip = skipAll
	case m.FinalLSN == c.at.Tx:
		c.tx.skip = c.at.Done
	}
}

func (c *consumer) commit(m *pglogrepl.CommitMessage) {
	c.tx = nil
	c.at.LSN = max(c.at.LSN, m.CommitLSN)
	c.at.Tx, c.at.Done = 0, 0
	c.passed(m.TransactionEndLSN)
}

// row counts a row change of the transaction and calls change where it is news to us.
func (c *consumer) row(id uint32, change func(*relation)) error {
	rel := c.relations[id]
	if rel == nil || c.tx == nil {
		return fmt.Errorf("receive: a row of relation %d without its description or transaction", id)
	}
	c.tx.rows++
	if c.tx.rows <= c.tx.skip {
		return nil
	}
	c.at.Tx, c.at.Done = c.tx.commit, c.tx.rows
	change(rel)
	return nil
}

func (c *consumer) truncated(m *pglogrepl.TruncateMessage) {
	if c.tx == nil {
		return
	}
	c.tx.rows++
	if c.tx.rows <= c.tx.skip {
		return
	}
	c.at.Tx, c.at.Done = c.tx.commit, c.tx.rows
	for _, id := range m.RelationIDs {
		if rel := c.relations[id]; rel != nil && len(rel.rules) > 0 {
			at := c.tx.time.UnixNano()
			c.gap(gapRange{From: at, To: at, Reason: "table " + rel.name + " was truncated"}, false)
		}
	}
}

func (c *consumer) emit(r *rule, row []value) {
	if e, ok := r.event(row, c.tx.time); ok {
		c.add(e)
	}
}
