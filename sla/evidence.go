package sla

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
)

// argApproximate marks a proof that is from a poll. Kept with the evidence, a restart does not lose it.
const argApproximate = "approximate"

// absenceEvidence says what opened the visit, what did not come, and which sources prove it.
func (e *Engine) absenceEvidence(o *tracked, v *visit) []Evidence {
	evidence := e.questionEvidence(o, v)
	for _, name := range e.plan.flow.Stages[v.stage].Reporters {
		if s := e.sources[name]; s != nil {
			proof := Evidence{Code: EvidenceProof, Source: name, Seq: s.Through, At: nano(s.Watermark)}
			if s.Approximate {
				proof.Args = map[string]string{argApproximate: "yes"}
			}
			evidence = append(evidence, proof)
		}
	}
	return evidence
}

// unknownEvidence says which sources could know and do not, as of now.
func (e *Engine) unknownEvidence(o *tracked, v *visit) []Evidence {
	evidence := e.questionEvidence(o, v)
	reporters := e.plan.flow.Stages[v.stage].Reporters
	if len(reporters) == 0 {
		return append(evidence, Evidence{Code: EvidenceNoReporter})
	}
	for _, name := range reporters {
		s := e.sources[name]
		switch {
		case s == nil || s.Watermark.IsZero():
			evidence = append(evidence, Evidence{Code: EvidenceBlind, Source: name})
		case s.Watermark.Add(-s.Offset).Before(v.deadline.time()):
			evidence = append(evidence, Evidence{Code: EvidenceBlind, Source: name, At: nano(s.Watermark), Seq: s.Through})
		default:
			if g := e.gapIn(name, v.entered.time(), v.deadline.time()); g != nil {
				evidence = append(evidence, Evidence{Code: EvidenceGap, Source: name, Args: map[string]string{
					"from": g.From.UTC().Format(time.RFC3339), "to": g.To.UTC().Format(time.RFC3339), "reason": g.Reason}})
			}
		}
	}
	return evidence
}

func (e *Engine) questionEvidence(o *tracked, v *visit) []Evidence {
	by := &o.facts[v.openedBy]
	return []Evidence{
		{Code: EvidenceEntered, At: int64(by.time), Source: by.origin.Source, Seq: by.seq, Args: by.status.told},
		{Code: EvidenceNotLeft, At: int64(v.deadline), Args: e.plan.leaves[v.stage]},
	}
}

func statusList(list []order.Status) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = s.String()
	}
	return strings.Join(texts, ", ")
}

func nano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// appendEvidence writes evidence as JSON, in a fraction of the time of encoding/json: many orders can
// get stuck at once.
func appendEvidence(b []byte, list []Evidence) []byte {
	b = append(b, '[')
	for i := range list {
		x := &list[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"code":`...), string(x.Code))
		if x.At != 0 {
			b = strconv.AppendInt(append(b, `,"at":`...), x.At, 10)
		}
		if x.Source != "" {
			b = appendText(append(b, `,"source":`...), x.Source)
		}
		if x.Seq != 0 {
			b = strconv.AppendUint(append(b, `,"seq":`...), x.Seq, 10)
		}
		if len(x.Args) > 0 {
			b = appendArgs(append(b, `,"args":{`...), x.Args)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendArgs(b []byte, args map[string]string) []byte {
	names := slices.Sorted(maps.Keys(args))
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(appendText(b, name), ':'), args[name])
	}
	return append(b, '}')
}

func appendText(b []byte, s string) []byte {
	plain := func(r byte) bool { return r >= ' ' && r < utf8.RuneSelf && r != '"' && r != '\\' }
	for i := range len(s) {
		if !plain(s[i]) {
			quoted, _ := json.Marshal(s) // a string cannot fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
