package web

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

// placeholder matches what a text leaves to be filled in.
var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// factLine is one piece of evidence as a sentence, with where it can be looked up.
type factLine struct {
	Text   string
	Detail string // arguments the sentence does not use
	At     *instant
	Source string
	Seq    uint64
}

// caseOf tells why a visit has its verdict. Commands to check by hand stand apart: they are copied, not read.
func caseOf(c clock, v *sla.Visit) caseLine {
	out := caseLine{Stage: v.Stage, Verdict: c.Verdict(string(v.Verdict)), Cause: c.Cause(v.Cause), Approximate: v.Approximate}
	if v.Cause != "" {
		out.CauseText = c.T("cause_text." + string(v.Cause))
	}
	for _, e := range v.Evidence {
		if command := e.Args["command"]; e.Code == sla.EvidenceCheck && command != "" {
			out.Checks = append(out.Checks, command)
			continue
		}
		out.Facts = append(out.Facts, factOf(c, e))
	}
	return out
}

func factOf(c clock, e sla.Evidence) factLine {
	f := factLine{Source: e.Source, Seq: e.Seq, Text: sentence(c, e)}
	if e.At != 0 {
		f.At = c.At(time.Unix(0, e.At))
	}
	template := c.texts[sentenceKey(e)].plain
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(e.Args)) {
		if e.Args[name] != "" && !strings.Contains(template, "{"+name+"}") {
			rest = append(rest, name+" = "+c.plain(e.Args[name]))
		}
	}
	f.Detail = strings.Join(rest, ", ")
	return f
}

// sentence writes a piece of evidence in words. An argument that is missing shows as a dash.
func sentence(c clock, e sla.Evidence) string {
	key := sentenceKey(e)
	if !c.Has(key) {
		return string(e.Code) // of a newer engine: shown rather than hidden
	}
	args := []any{"source", orDash(e.Source), "seq", fmt.Sprint(e.Seq)}
	for name, value := range e.Args {
		args = append(args, name, c.plain(value))
	}
	if e.At != 0 {
		args = append(args, "time", c.Stamp(time.Unix(0, e.At)))
	}
	return placeholder.ReplaceAllString(c.T(key, args...), "–")
}

// plain writes an argument that is an instant, a duration or a kind of stage as pages write those.
func (c clock) plain(value string) string {
	if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
		return c.Stamp(t)
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return c.Span(d)
	}
	if word := "kind." + value; c.Has(word) {
		return c.T(word)
	}
	return value
}

// sentenceKey names the text of a piece of evidence.
func sentenceKey(e sla.Evidence) string {
	key := "evidence." + string(e.Code)
	if e.Code == sla.EvidenceBlind && e.At == 0 {
		key += "_never"
	}
	return key
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
