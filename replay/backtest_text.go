package replay

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes the comparison as `backtest --json` prints it.
func (b *Backtest) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// WriteText writes the comparison for a person.
func (b *Backtest) WriteText(w io.Writer) error {
	p := newPrinter(w)
	p.line("As of %s", b.AsOf)
	p.line("Events: %d read, %d accepted", b.Events.Read, b.Events.Accepted)
	p.result("--flow", &b.Flow)
	p.result("--against", &b.Against)
	p.incidents("Only --flow opens", b.Difference.OnlyFlow)
	p.incidents("Only --against opens", b.Difference.OnlyAgainst)
	p.pairs(b.Difference.Both)
	p.flush()
	if p.err == nil {
		p.err = b.Rejected.WriteText(w)
	}
	if p.err != nil {
		return fmt.Errorf("write comparison: %w", p.err)
	}
	return nil
}

func (p *printer) result(role string, r *FlowResult) {
	p.line("%s %s: %d pages, %d tickets, %d orders stuck; %d orders broke a promise, %d of them were stuck before, half of these %s or more before",
		role, r.Flow, r.Pages, r.Tickets, r.Stuck, r.Broken, r.Announced, span(r.Warning))
}

func (p *printer) incidents(title string, list []Incident) {
	if len(list) == 0 {
		return
	}
	p.table(title + "\tclosed\twhat\tseverity\torders\tbefore the breach")
	for i := range list[:min(maxShown, len(list))] {
		x := &list[i]
		p.line("%s\t%s\t%s\t%s\t%d\t%s", x.Opened, x.closedText(), x.what(), x.Severity, x.Orders, x.warning())
	}
	p.more(len(list))
}

func (p *printer) pairs(list []Pair) {
	if len(list) == 0 {
		return
	}
	p.table("Both open\twhat\tseverity\torders\tbefore the breach\t--against opens it\torders\tbefore the breach")
	for i := range list[:min(maxShown, len(list))] {
		x := &list[i]
		when := span(x.Earlier) + " earlier"
		switch {
		case x.Earlier == 0:
			when = "at the same time"
		case x.Earlier < 0:
			when = span(-x.Earlier) + " later"
		}
		p.line("%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s", x.Flow.Opened, x.Flow.what(), x.Flow.Severity, x.Flow.Orders, x.Flow.warning(),
			when, x.Against.Orders, x.Against.warning())
	}
	p.more(len(list))
}

// what names an incident by what its orders have in common.
func (i *Incident) what() string {
	text := ""
	for _, part := range []string{i.Stage, i.Cause, i.Channel, i.Partner} {
		if part != "" && text != "" {
			text += ", "
		}
		text += part
	}
	return text
}

func (i *Incident) closedText() string {
	if i.Closed == "" {
		return "open"
	}
	return i.Closed
}

func (i *Incident) warning() string {
	if i.BeforeBreach == nil {
		return "–"
	}
	return span(*i.BeforeBreach)
}
