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
	template := c.texts["evidence."+string(e.Code)].plain
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(e.Args)) {
		if !strings.Contains(template, "{"+name+"}") {
			rest = append(rest, name+" = "+e.Args[name])
		}
	}
	f.Detail = strings.Join(rest, ", ")
	return f
}

// sentence writes a piece of evidence in words. An argument that is missing shows as a dash.
func sentence(c clock, e sla.Evidence) string {
	key := "evidence." + string(e.Code)
	if !c.Has(key) {
		return string(e.Code) // of a newer engine: shown rather than hidden
	}
	args := []any{"source", orDash(e.Source), "seq", fmt.Sprint(e.Seq)}
	for name, value := range e.Args {
		args = append(args, name, value)
	}
	if e.At != 0 {
		args = append(args, "time", c.Stamp(time.Unix(0, e.At)))
	}
	return placeholder.ReplaceAllString(c.T(key, args...), "–")
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
