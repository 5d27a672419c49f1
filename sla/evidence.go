package sla

import (
	"strings"
	"time"

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
		{Code: EvidenceEntered, At: int64(by.time), Source: by.origin.Source, Seq: by.seq, Args: map[string]string{"status": by.status.String()}},
		{Code: EvidenceNotLeft, At: int64(v.deadline), Args: map[string]string{"statuses": statusList(e.plan.flow.Stages[v.stage].Leave)}},
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
