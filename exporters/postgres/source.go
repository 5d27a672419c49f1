package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alexandrite/orderwatch/exporters"
)

// Options is what a Source is made of.
type Options struct {
	Config   Config
	StateDir string           // for what belongs to the resume point; the spool's lock covers it
	Log      *slog.Logger     // defaults to discarding
	Now      func() time.Time // the sidecar's clock; defaults to time.Now
	RetryMin time.Duration    // first wait after a failure; defaults to 250 ms
	RetryMax time.Duration    // longest wait; defaults to 15 s
}

// Source watches one database. It implements exporters.Source.
type Source struct {
	Options
	lost string // why the slot can no longer be trusted, found while streaming
}

var _ exporters.Source = (*Source)(nil)

// New checks the configuration. It connects nowhere.
func New(o Options) (*Source, error) {
	if problems := o.Config.Validate(); len(problems) > 0 {
		return nil, fmt.Errorf("configure postgres source: %w", errors.Join(problems...))
	}
	if o.StateDir == "" {
		return nil, errors.New("configure postgres source: no state directory")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryMin <= 0 {
		o.RetryMin = 250 * time.Millisecond
	}
	if o.RetryMax <= 0 {
		o.RetryMax = 15 * time.Second
	}
	return &Source{Options: o}, nil
}

// streamError is a failure of our own side, which reconnecting does not mend.
type streamError struct{ error }

func (e streamError) Unwrap() error { return e.error }

// streamEnd is what the server answered on the replication connection.
type streamEnd struct{ error }

func (e streamEnd) Unwrap() error { return e.error }

// Run implements exporters.Source. Whatever is wrong with the database is said once and waited
// out; only a failure of the Stream or of our own files is returned.
func (s *Source) Run(ctx context.Context, out exporters.Stream) error {
	wait := exporters.Backoff{Min: s.RetryMin, Max: s.RetryMax}
	said := ""
	for {
		err := s.session(ctx, out, func() {
			s.Log.Info("watching", "slot", s.Config.Slot)
			wait.Reset()
			said = ""
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var own streamError
		if errors.As(err, &own) {
			return own.error
		}
		if text := kindOf(err); text != said {
			said = text
			s.Log.Warn("not watching; trying again until it works", "error", err)
		}
		if err := wait.Wait(ctx); err != nil {
			return err
		}
	}
}

// kindOf tells one state of failure from another. An outage has many faces: the connection breaks,
// is refused, the server says that it starts. All of them are one.
func kindOf(err error) string {
	var unfit *unfitError
	var server *pgconn.PgError
	switch {
	case errors.As(err, &unfit):
		return err.Error()
	case errors.As(err, &server) && server.Code[:2] != "57" && server.Code[:2] != "08":
		return server.Code
	}
	return "unreachable"
}

// session connects, makes sure of the slot, and streams until something fails. It begins from the
// Stream's position each time, so that whatever was read and not appended is read again. It calls
// works, once, when the first watermark shows that the stream gets through.
func (s *Source) session(ctx context.Context, out exporters.Stream, works func()) error {
	at, err := parsePosition(out.Position())
	if err != nil {
		return streamError{err}
	}
	l, err := connect(ctx, s.Config)
	if err != nil {
		return err
	}
	defer l.close()
	report, tables, err := preflight(ctx, l.plain, s.Config)
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return report.err()
	}
	for _, r := range l.rules {
		r.primary = tables[r.schema+"."+r.name].primary
	}
	known, forgot, err := openStatuses(s.StateDir, s.Config.RememberRows, at.Generation, at.Blocks)
	if err != nil {
		return streamError{err}
	}
	defer known.close()
	if forgot {
		s.Log.Warn("last statuses were lost; some will be sent again")
	}
	w := &writer{out: out, at: at, known: known, rules: l.rules, now: s.Now}
	if err := s.secureSlot(ctx, l, w); err != nil {
		return err
	}
	if err := l.startReplication(ctx, s.Config, w.at.Seen); err != nil {
		return s.noteLoss(err)
	}
	return s.noteLoss(s.stream(ctx, l, w, works))
}

// noteLoss remembers errors which say that the slot will never deliver again.
func (s *Source) noteLoss(err error) error {
	var end streamEnd
	var server *pgconn.PgError
	if errors.As(err, &end) && errors.As(err, &server) && (server.Code == "55000" || server.Code == "42704") {
		s.lost = "replication slot lost: " + server.Message
	}
	return err
}

// secureSlot leaves a slot that continues the writer's position: the one that is there or, after a
// loss, a new one with a snapshot.
func (s *Source) secureSlot(ctx context.Context, l *link, w *writer) error {
	slot, err := l.slot(ctx, s.Config.Slot)
	if err != nil {
		return err
	}
	if err := slot.foreign(l.database); err != nil {
		return err
	}
	reason := s.lost
	if reason == "" {
		reason = slot.lossOf(&w.at, l)
	}
	if reason == "" && !w.at.Snapshot {
		return nil
	}
	if reason != "" && w.at.System != "" {
		s.Log.Error("replication slot is lost; taking a new snapshot", "slot", s.Config.Slot, "reason", reason)
	} else {
		s.Log.Info("taking a snapshot", "slot", s.Config.Slot)
	}
	if err := s.snapshot(ctx, l, w, slot.exists, reason); err != nil {
		return err
	}
	s.lost = ""
	return nil
}
