package sla

// Verdict is the judgement of a visit.
type Verdict string

// The verdicts of a visit. Open visits are open, at_risk, stuck or unknown; closed ones met, late or skipped.
const (
	VerdictOpen    Verdict = "open"
	VerdictAtRisk  Verdict = "at_risk"
	VerdictStuck   Verdict = "stuck"   // the deadline passed and the leave is proven absent
	VerdictUnknown Verdict = "unknown" // the deadline passed and a source that could know is blind
	VerdictMet     Verdict = "met"
	VerdictLate    Verdict = "late"
	VerdictSkipped Verdict = "skipped"
)

// visitVerdict is a Verdict by its number.
type visitVerdict uint8

// The numbers of the verdicts; the open ones come first.
const (
	visitOpen visitVerdict = iota
	visitAtRisk
	visitStuck
	visitUnknown
	visitMet
	visitLate
	visitSkipped
)

func (v visitVerdict) verdict() Verdict {
	return [...]Verdict{VerdictOpen, VerdictAtRisk, VerdictStuck, VerdictUnknown, VerdictMet, VerdictLate, VerdictSkipped}[v]
}

// PromiseVerdict is the judgement of a promise.
type PromiseVerdict string

// The verdicts of a promise.
const (
	PromiseOnTrack   PromiseVerdict = "on_track"
	PromiseAtRisk    PromiseVerdict = "at_risk"
	PromiseBreached  PromiseVerdict = "breached" // open past its due
	PromiseKept      PromiseVerdict = "kept"
	PromiseLate      PromiseVerdict = "late"      // stopped, or cancelled, after its due
	PromiseCancelled PromiseVerdict = "cancelled" // cancelled before its due: outside the objective
)

// Final reports whether the verdict can only change by a correction of history.
func (v PromiseVerdict) Final() bool {
	return v == PromiseKept || v == PromiseLate || v == PromiseCancelled
}

// Cause says why a visit is stuck.
type Cause string

// The causes, in no order; DESIGN's rules say which is tried first for each kind of stage.
const (
	CauseLostInHandoff    Cause = "lost_in_handoff"
	CauseBacklog          Cause = "backlog"
	CauseStalled          Cause = "stalled"
	CauseSlowCompute      Cause = "slow_compute"
	CauseWaitingForPerson Cause = "waiting_for_person"
	CauseStarved          Cause = "starved"
	CauseDiverged         Cause = "diverged"
	CauseUnexplained      Cause = "unexplained"
)

// Evidence is one fact that a verdict rests on. Code selects the sentence (pages translate it), the
// other fields fill it in; a zero field does not apply.
type Evidence struct {
	Code   EvidenceCode      `json:"code"`
	At     int64             `json:"at,omitempty"` // Unix nanoseconds
	Source string            `json:"source,omitempty"`
	Seq    uint64            `json:"seq,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
}

// EvidenceCode names a kind of evidence.
type EvidenceCode string

// The kinds of evidence.
const (
	EvidenceEntered      EvidenceCode = "entered"       // status, system: the event that opened the visit
	EvidenceNotLeft      EvidenceCode = "not_left"      // statuses: none of these was seen by the deadline
	EvidenceProof        EvidenceCode = "proof"         // source has sent everything through At (seq); args approximate: by a poll
	EvidenceBlind        EvidenceCode = "blind"         // source proves nothing past At
	EvidenceGap          EvidenceCode = "gap"           // source may have missed facts; args from, to, reason
	EvidenceNoReporter   EvidenceCode = "no_reporter"   // no source can report the leave
	EvidencePublished    EvidenceCode = "published"     // message seen at exchange with routing_key, message id
	EvidenceNotPublished EvidenceCode = "not_published" // tap of exchange saw no message for this order
	EvidenceDeadLettered EvidenceCode = "dead_lettered" // the message came to exchange, where the broker puts what it gives up
	EvidenceNotApplied   EvidenceCode = "not_applied"   // queue was seen empty after the message, with consumers; system shows nothing
	EvidenceCopy         EvidenceCode = "copy"          // system's copy of the order says status
	EvidenceRepeated     EvidenceCode = "repeated"      // what was said again: n times
	EvidenceQueueDepth   EvidenceCode = "queue_depth"   // queue held n messages, consumers c
	EvidenceServed       EvidenceCode = "served"        // the last order left this stage At
	EvidenceNotServed    EvidenceCode = "not_served"    // no order left this stage since At
	EvidenceOvertaken    EvidenceCode = "overtaken"     // n later arrivals left the stage first
	EvidenceLearned      EvidenceCode = "learned"       // age against the usual duration; args age, p95, by
	EvidenceOwner        EvidenceCode = "owner"         // who is to act
	EvidenceCheck        EvidenceCode = "check"         // command: a query or command to check by hand
)

// Causes returns every cause.
func Causes() []Cause {
	return []Cause{CauseLostInHandoff, CauseBacklog, CauseStalled, CauseSlowCompute, CauseWaitingForPerson, CauseStarved, CauseDiverged, CauseUnexplained}
}
