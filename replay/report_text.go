package replay

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// maxShown bounds the long lists of the text; the JSON report has them whole.
const maxShown = 20

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	p := newPrinter(w)
	asOf := r.AsOf
	if asOf == "" {
		asOf = "never: no event could be used"
	}
	o, e := r.Orders, r.Events
	p.line("As of %s", asOf)
	p.line("Orders: %d (%d open, %d finished, %d cancelled)", o.Total, o.Open, o.Finished, o.Cancelled)
	p.line("Events: %d read, %d accepted, %d duplicate, %d rejected; %d out of order in the files",
		e.Read, e.Accepted, e.Duplicate, e.Rejected, e.OutOfOrder)
	if o.Total > 0 {
		p.line("From first to last event: half within %s, 95 %% within %s", span(r.Durations.P50), span(r.Durations.P95))
	}
	p.promises(r.Promises)
	p.stages(r.Stages)
	p.stuck(r.Stuck)
	p.transitions(r.Transitions)
	p.flush()
	if p.err == nil && r.Rejected.Len() > 0 {
		_, p.err = fmt.Fprintln(w)
	}
	if p.err != nil {
		return fmt.Errorf("write report: %w", p.err)
	}
	if err := r.Rejected.WriteText(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// printer writes lines and tables until the first error.
type printer struct {
	w   *tabwriter.Writer
	err error
}

func newPrinter(w io.Writer) *printer { return &printer{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// flush ends a table: the next one has columns of its own.
func (p *printer) flush() {
	if err := p.w.Flush(); p.err == nil {
		p.err = err
	}
}

func (p *printer) table(title string) {
	p.flush()
	p.line("\n%s", title)
}

func (p *printer) promises(list []PromiseCounts) {
	if len(list) == 0 {
		return
	}
	p.table("Promise\tkept\tlate\tbreached\ton track\tat risk\tcancelled")
	for _, c := range list {
		p.line("%s\t%d\t%d\t%d\t%d\t%d\t%d", c.Name, c.Kept, c.Late, c.Breached, c.OnTrack, c.AtRisk, c.Cancelled)
	}
}

func (p *printer) stages(list []StageCounts) {
	p.table("Stage\tvisits\tmet\tlate\tskipped\topen\tat risk\tstuck\tunknown\tever stuck\trework\thalf within\t95 % within")
	for _, c := range list {
		p.line("%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s", c.Name, c.Visits, c.Met, c.Late, c.Skipped, c.Open,
			c.AtRisk, c.Stuck, c.Unknown, c.EverStuck, c.Rework, span(c.P50), span(c.P95))
	}
}

func (p *printer) stuck(list []StuckVisit) {
	if len(list) == 0 {
		return
	}
	p.table("Stuck order\tstage\tcause\tsince\tdue")
	for _, s := range list[:min(maxShown, len(list))] {
		p.line("%s\t%s\t%s\t%s\t%s", s.Order, s.Stage, s.Cause, s.Since, s.Due)
	}
	p.more(len(list))
}

func (p *printer) transitions(list []Transition) {
	if len(list) == 0 {
		return
	}
	p.table("From\tto\torders\t")
	for _, t := range list[:min(maxShown, len(list))] {
		note := ""
		if !t.Expected {
			note = "unexpected"
		}
		p.line("%s\t%s\t%d\t%s", t.From, t.To, t.Count, note)
	}
	p.more(len(list))
}

func (p *printer) more(n int) {
	if n > maxShown {
		p.flush()
		p.line("and %d more (--json lists all)", n-maxShown)
	}
}

// span shows seconds in the unit that suits them.
func span(seconds float64) string {
	const day = 24 * 60 * 60
	if seconds >= 2*day {
		return fmt.Sprintf("%.1fd", seconds/day)
	}
	return (time.Duration(seconds) * time.Second).String()
}
