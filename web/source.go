package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// silentAfter is how old a watermark may be before pages call its source silent.
const silentAfter = 2 * time.Minute

// sourceHealth says what a source can prove now.
type sourceHealth string

const (
	sourceFresh  sourceHealth = "fresh"
	sourceSilent sourceHealth = "silent" // its watermark is old: nothing later is proven
	sourceGap    sourceHealth = "gap"    // it may have missed facts
	sourceNever  sourceHealth = "never"  // it has proven nothing yet
)

func healthOf(src sla.SourceState, now time.Time) sourceHealth {
	switch {
	case src.Watermark.IsZero():
		return sourceNever
	case len(src.Gaps) > 0:
		return sourceGap
	case now.Sub(effective(src)) > silentAfter:
		return sourceSilent
	}
	return sourceFresh
}

// effective returns the watermark by our clock.
func effective(src sla.SourceState) time.Time { return src.Watermark.Add(-src.Offset) }

// sourceLine is one source as pages show it.
type sourceLine struct {
	Name        string
	Health      mark
	Blind       bool // it proves no absence now; past a gap it does again
	Approximate bool
	Watermark   *instant
	Lag         string
	LastSeen    *instant
	Epoch       int64
	Through     uint64
	Received    uint64 // of the last epoch
	Pending     int    // watermarks that wait for events
	Offset      string
	GapsTotal   string
	Duplicates  string
	Rejected    string
	Reports     string
	Gaps        []gapLine
	Queues      []order.QueueDepth
	QueuesAt    *instant
}

type gapLine struct {
	From, To *instant
	Reason   string
}

type sourcesBody struct{ Sources []sourceLine }

func (s *Server) sourcesPage(w http.ResponseWriter, r *http.Request) error {
	p := s.newPage(w, r, "sources")
	o, err := s.reader.Overview(r.Context())
	if err != nil {
		return err
	}
	p.Title, p.AsOf = p.T("nav.sources"), p.At(o.AsOf)
	p.Body = sourcesBody{sourceLines(p.clock, s.flow, o.Sources)}
	return s.render(w, http.StatusOK, "sources", p)
}

// knownSources returns what is known of every source of the flow, in its order, then of others.
func knownSources(flow *order.Flow, states []sla.SourceState) []sla.SourceState {
	var all []sla.SourceState
	for _, declared := range flow.Sources {
		i := slices.IndexFunc(states, func(st sla.SourceState) bool { return st.Name == declared.Name })
		if i < 0 {
			all = append(all, sla.SourceState{Name: declared.Name})
		} else {
			all = append(all, states[i])
		}
	}
	for _, st := range states {
		if !slices.ContainsFunc(flow.Sources, func(d order.FlowSource) bool { return d.Name == st.Name }) {
			all = append(all, st)
		}
	}
	return all
}

func sourceLines(c clock, flow *order.Flow, states []sla.SourceState) []sourceLine {
	var lines []sourceLine
	for _, st := range knownSources(flow, states) {
		lines = append(lines, sourceLineOf(c, flow, st))
	}
	return lines
}

func sourceLineOf(c clock, flow *order.Flow, st sla.SourceState) sourceLine {
	health := healthOf(st, c.now)
	line := sourceLine{
		Name: st.Name, Health: mark{string(health), c.T("source." + string(health))}, Blind: health != sourceFresh && health != sourceGap,
		Approximate: st.Approximate, Watermark: c.At(st.Watermark), LastSeen: c.At(st.LastSeen), Through: st.Through,
		GapsTotal: c.Number(int(st.GapsTotal)), Duplicates: c.Number(int(st.Duplicates)), Rejected: c.Number(int(st.Rejected)),
		Reports: reportsOf(flow, st.Name), Queues: st.Queues, QueuesAt: c.At(st.QueuesAt),
	}
	if !st.Watermark.IsZero() {
		line.Lag = c.Span(max(0, c.now.Sub(effective(st))))
		line.Offset = c.signed(st.Offset)
	}
	if n := len(st.Epochs); n > 0 {
		last := st.Epochs[n-1]
		line.Epoch, line.Received, line.Pending = last.Epoch, last.Through, len(last.Pending)
	}
	for _, g := range st.Gaps {
		line.Gaps = append(line.Gaps, gapLine{c.At(g.From), c.At(g.To), g.Reason})
	}
	return line
}

// signed writes a clock offset: plus where the source's clock is ahead of ours.
func (c clock) signed(d time.Duration) string {
	if d < 0 {
		return "−" + c.Span(d)
	}
	return "+" + c.Span(d)
}

func reportsOf(flow *order.Flow, name string) string {
	var out []string
	for _, src := range flow.Sources {
		if src.Name == name {
			for _, status := range src.Reports {
				out = append(out, status.String())
			}
		}
	}
	return strings.Join(out, ", ")
}
