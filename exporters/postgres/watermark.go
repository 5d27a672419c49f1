package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/alexandrite/orderwatch/order"
)

// probeTimeout is how long the database may take to say the time before it counts as hung.
const probeTimeout = 10 * time.Second

// maxProbes bounds the probes that wait for the stream. When it lags, every other one goes: the
// later ones prove more.
const maxProbes = 64

// probe is the database's clock and the WAL position behind everything that committed by then.
//
// The clock is read first, then the position at which the next WAL record will go. A transaction
// takes its commit time a moment before it inserts its commit record. One that took a time up to
// T−margin has inserted the record by the time the position is read, unless the server kept it
// from running between these two steps, which are next to each other in a critical section, for
// longer than the margin. So when the stream has passed the position, every commit up to T−margin
// was sent. Transactions that are open take later times. A clock that is set back makes times
// again that were proven already: nothing read from a clock can help that, so the watermark only
// never goes back.
//
// A keepalive's own time proves nothing: it is the time of sending, and says nothing of commits
// that are not decoded yet. Its position does.
type probe struct {
	time        time.Time
	position    pglogrepl.LSN
	least, most time.Duration // between these lies the database's clock less ours
}

// The CTE is materialised: its clock is read before the position.
const probeQuery = `WITH t AS MATERIALIZED (SELECT clock_timestamp() AS now)
SELECT t.now, pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text FROM t`

// flushQuery is an empty transaction with a number. Its commit makes the server flush what was
// inserted before it, within wal_writer_delay. The stream ends at what is flushed, and what nobody
// committed yet may stay unflushed until the server's own record of running transactions, every 15
// seconds: a single open transaction in a quiet database would keep us from proving anything.
const flushQuery = `SELECT txid_current()`

func (l *link) probe(ctx context.Context, now func() time.Time) (probe, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	sent := now()
	var p probe
	var inserted, flushed pglogrepl.LSN
	if err := l.plain.QueryRow(ctx, probeQuery).Scan(&p.time, &inserted, &flushed); err != nil {
		return p, fmt.Errorf("read clock: %w", err)
	}
	received := now()
	p.position = recordEnd(inserted, l.segment)
	if flushed < p.position {
		_, _ = l.plain.Exec(ctx, flushQuery) // without it the proof only comes later
	}
	p.least, p.most = p.time.Sub(received), p.time.Sub(sent)
	return p, nil
}

// Sizes of PostgreSQL's WAL pages and their headers.
const (
	walPage        = 8192
	pageHeader     = 24
	segmentHeader  = 40
	offsetStep     = 10 * time.Millisecond
	offsetNotWorth = 50 * time.Millisecond
)

// recordEnd turns an insert position just behind a page's header into the page's beginning: no
// record reaches behind it, and an idle server's stream stays there.
func recordEnd(at, segment pglogrepl.LSN) pglogrepl.LSN {
	switch {
	case segment > 0 && at%segment == segmentHeader:
		return at - segmentHeader
	case at%walPage == pageHeader && (segment == 0 || at%segment != pageHeader):
		return at - pageHeader
	}
	return at
}

// correct returns the offset nearest to the one in force that a probe does not disprove. The middle of
// a probe's bounds would be as wrong as the longest pause of either process, and move events in time.
func (p *probe) correct(offset time.Duration) time.Duration {
	return quantise(min(max(offset, p.least), p.most))
}

// quantise rounds a clock offset to what a round trip can tell; small ones are none.
func quantise(d time.Duration) time.Duration {
	if d.Abs() < offsetNotWorth {
		return 0
	}
	return d.Round(offsetStep)
}

// prover holds the probes whose position the stream has not passed.
type prover struct {
	margin time.Duration
	waits  []probe
	last   time.Time     // of the last watermark
	offset time.Duration // in force
}

func (p *prover) add(x probe) {
	if len(p.waits) >= maxProbes {
		kept := p.waits[:0]
		for i := 1; i < len(p.waits); i += 2 {
			kept = append(kept, p.waits[i])
		}
		p.waits = kept
	}
	p.offset = x.correct(p.offset)
	p.waits = append(p.waits, x)
}

// passed returns the watermark that a stream which is at this position proves, if it is a new one.
func (p *prover) passed(at pglogrepl.LSN) (order.Event, bool) {
	var best probe
	n := 0
	for n < len(p.waits) && p.waits[n].position <= at {
		best = p.waits[n]
		n++
	}
	p.waits = p.waits[n:]
	proven := best.time.Add(-p.margin).UTC()
	if n == 0 || !proven.After(p.last) {
		return order.Event{}, false
	}
	p.last = proven
	return order.Event{Kind: order.KindWatermark, Time: proven, Watermark: order.Watermark{ClockOffset: p.offset}}, true
}
