package exporters

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/alexandrite/orderwatch/order"
)

// Bounds of one request, far below the 4 MiB a gRPC receiver takes by default.
const (
	maxBatchRecords = 1000
	maxBatchBytes   = 1 << 20
	maxDelay        = 5 * time.Minute // what a receiver may ask us to wait
	maxReasons      = 100             // partial-success reasons remembered as logged
)

// sender moves what the spool holds to the collector, in order, one request at a time: the
// receiver decides by sequence, so nothing is gained by overtaking. It is for one goroutine.
type sender struct {
	spool     *spool
	transport transport
	config    Config
	log       *slog.Logger
	metrics   *metrics
	backoff   Backoff
	timeout   time.Duration
	down      bool            // the last attempt failed and was logged
	reasons   map[string]bool // of partial success, logged already
}

// batch is a request in the making and the cursor behind its last whole frame.
type batch struct {
	logs    plog.Logs
	records plog.LogRecordSlice
	bytes   int
	end     cursor
}

func (s *sender) newBatch(end cursor) *batch {
	b := &batch{logs: plog.NewLogs(), end: end}
	r := b.logs.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr(order.AttrServiceName, s.config.Service)
	r.Resource().Attributes().PutStr(order.AttrEnvironment, s.config.Environment)
	b.records = r.ScopeLogs().AppendEmpty().LogRecords()
	return b
}

// run sends until ctx ends or the spool cannot be read.
func (s *sender) run(ctx context.Context) error {
	at := s.spool.start()
	b := s.newBatch(at)
	for {
		f, after, err := s.next(ctx, at, b)
		if errors.Is(err, errNothingMore) {
			if err := s.flush(ctx, b); err != nil {
				return err
			}
			b = s.newBatch(at)
			continue
		}
		if err != nil {
			return err
		}
		b, err = s.add(ctx, b, f)
		if err != nil {
			return err
		}
		at, b.end = after, after
	}
}

var errNothingMore = errors.New("nothing more to add to the batch")

// next returns the next frame. It waits for one only while the batch is empty.
func (s *sender) next(ctx context.Context, at cursor, b *batch) (frame, cursor, error) {
	if b.end == s.spool.start() {
		return s.spool.next(ctx, at)
	}
	f, after, wait, err := s.spool.tryNext(at)
	if err == nil && wait != nil {
		err = errNothingMore
	}
	return f, after, err
}

// add puts the frame's records into the batch and sends whenever it is full.
func (s *sender) add(ctx context.Context, b *batch, f frame) (*batch, error) {
	var sizer plog.ProtoMarshaler
	err := decodeRecords(f.records, func(r plog.LogRecord) error {
		size := sizer.LogRecordSize(r)
		if n := b.records.Len(); n > 0 && (n >= maxBatchRecords || b.bytes+size > maxBatchBytes) {
			if err := s.flush(ctx, b); err != nil {
				return err
			}
			b = s.newBatch(b.end)
		}
		r.MoveTo(b.records.AppendEmpty())
		b.bytes += size
		return nil
	})
	return b, err
}

// flush sends the batch and moves the cursor.
func (s *sender) flush(ctx context.Context, b *batch) error {
	if b.records.Len() > 0 {
		if err := s.deliver(ctx, b.logs); err != nil {
			return err
		}
	}
	if b.end == s.spool.start() {
		return nil
	}
	if err := s.spool.ack(b.end); err != nil {
		s.log.Warn("cursor not saved; events may be sent again after a restart", "error", err)
	}
	return nil
}

// deliver returns once the collector took the logs or refused them for good. Records it calls bad
// are looked for by halves, so that one of them does not cost the others.
func (s *sender) deliver(ctx context.Context, logs plog.Logs) error {
	request := plogotlp.NewExportRequestFromLogs(logs)
	for {
		attempt, cancel := context.WithTimeout(ctx, s.timeout)
		response, err := s.transport.export(attempt, request)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused *refusal
		switch {
		case err == nil:
			s.delivered(logs, response)
			return nil
		case errors.As(err, &refused) && refused.bad:
			return s.split(ctx, logs, refused)
		}
		if err := s.wait(ctx, err, refused); err != nil {
			return err
		}
	}
}

// wait logs the first failure of a row and waits for the next attempt.
func (s *sender) wait(ctx context.Context, err error, refused *refusal) error {
	s.metrics.retries.Inc()
	if !s.down {
		s.down = true
		s.log.Warn("collector does not take events; they wait in the spool", "endpoint", s.config.Collector.Endpoint, "error", err)
	}
	delay := s.backoff.Next()
	if refused != nil {
		if refused.setup {
			delay = max(delay, s.backoff.Max/2)
		}
		delay = max(delay, min(refused.after, maxDelay))
	}
	return sleep(ctx, delay)
}

func (s *sender) delivered(logs plog.Logs, response plogotlp.ExportResponse) {
	s.backoff.Reset()
	if s.down {
		s.down = false
		s.log.Info("collector takes events again", "endpoint", s.config.Collector.Endpoint)
	}
	partial := response.PartialSuccess()
	rejected := max(0, min(partial.RejectedLogRecords(), int64(logs.LogRecordCount())))
	s.metrics.rejected.Add(float64(rejected))
	s.metrics.sent.Add(float64(int64(logs.LogRecordCount()) - rejected))
	reason := partial.ErrorMessage()
	if reason == "" && rejected == 0 || s.reasons[reason] || len(s.reasons) >= maxReasons {
		return
	}
	s.reasons[reason] = true
	s.log.Warn("collector rejected events", "events", rejected, "reason", reason)
}

// split sends the halves of what was refused. A single bad record is given up, and a gap says so.
func (s *sender) split(ctx context.Context, logs plog.Logs, refused *refusal) error {
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	n := records.Len()
	if n > 1 {
		first, second := s.newBatch(cursor{}), s.newBatch(cursor{})
		for i, r := range records.All() {
			half := first
			if i >= n/2 {
				half = second
			}
			r.MoveTo(half.records.AppendEmpty())
		}
		if err := s.deliver(ctx, first.logs); err != nil {
			return err
		}
		return s.deliver(ctx, second.logs)
	}
	s.giveUp(records.At(0), refused)
	return nil
}

func (s *sender) giveUp(r plog.LogRecord, refused *refusal) {
	at := int64(r.Timestamp())
	seq, _ := r.Attributes().Get(order.AttrSeq) // always there: the spool put it
	s.metrics.dropped(dropRefused, 1)
	s.log.Error("collector refused an event for good", "kind", r.EventName(), "seq", seq.Int(), "error", refused.err)
	if r.EventName() == order.EventNameGap {
		return // a gap about a refused gap would never end
	}
	if err := s.spool.AppendGap(at, at, "refused by the collector: "+Cut(refused.Error())); err != nil {
		s.log.Error("gap waits for the next event", "error", err)
	}
}
