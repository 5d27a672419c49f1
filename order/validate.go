package order

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of an event's texts, in bytes, and of its lists.
const (
	MaxNameBytes  = 200  // names, key values, statuses, ids
	MaxValueBytes = 1024 // attribute values and a gap's reason
	maxListLength = 128
)

// earliest and latest bound the times of events: what counts in nanoseconds since 1970 holds them.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Validate reports why a decoded event cannot be accepted, nil if it can. The error wraps a Reason.
// env is the environment of this instance; empty, every environment is right. What depends on the time
// of receipt or on the flow is not checked here.
func (e *Event) Validate(env string) error {
	if KindOf(e.Kind.EventName()) == 0 {
		return ReasonUnknownKind.because("kind %d", e.Kind)
	}
	if env != "" && e.Environment != env {
		return ReasonWrongEnvironment.because("%.40q, here is %q", e.Environment, env)
	}
	for _, step := range []func() error{e.checkTexts, e.checkPosition, e.checkTimes, e.checkSubject} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// CheckKeys reports a key whose name the flow does not declare, with ReasonUnknownKey.
func (f *Flow) CheckKeys(e *Event) error {
	for _, k := range e.Keys {
		if !slices.Contains(f.Keys, k.Name) {
			return ReasonUnknownKey.because("%q is not one of %s", k.Name, strings.Join(f.Keys, ", "))
		}
	}
	return nil
}

// checkTexts holds every text to its bound and encoding, before any of them is quoted in an answer.
func (e *Event) checkTexts() error {
	if max(len(e.Keys), len(e.Attrs), len(e.Watermark.Queues)) > maxListLength {
		return ReasonTooLarge.because("more than %d keys, attributes or queues", maxListLength)
	}
	names := []struct{ what, text string }{
		{"service", e.Service}, {"environment", e.Environment}, {"source", e.Source}, {"event id", e.ID},
		{"system", e.System}, {"status", e.Status}, {"destination", e.Message.Destination},
		{"operation", e.Message.Operation}, {"message id", e.Message.ID},
	}
	for _, n := range names {
		if err := checkText(n.what, n.text, MaxNameBytes); err != nil {
			return err
		}
	}
	for _, k := range e.Keys {
		if err := checkText("key name", k.Name, MaxNameBytes); err != nil {
			return err
		}
		if err := checkText("key "+k.Name, k.Value, MaxNameBytes); err != nil {
			return err
		}
	}
	for _, a := range e.Attrs {
		if err := checkText("attribute name", a.Name, MaxNameBytes); err != nil {
			return err
		}
		if err := checkValue("attribute "+a.Name, a.Value); err != nil {
			return err
		}
	}
	for _, q := range e.Watermark.Queues {
		if err := checkText("queue", q.Queue, MaxNameBytes); err != nil {
			return err
		}
	}
	if err := checkText("routing key", e.Message.RoutingKey, 255); err != nil { // AMQP's own bound
		return err
	}
	return checkValue("gap reason", e.Gap.Reason)
}

// checkText checks text that names something and is compared: nothing in it may be invisible.
func checkText(what, text string, bound int) error {
	return check(what, text, bound, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// checkValue checks text that only informs: lines and tabs in it do no harm.
func checkValue(what, text string) error {
	return check(what, text, MaxValueBytes, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r)
	})
}

func check(what, text string, bound int, bad func(rune) bool) error {
	switch {
	case len(text) > bound:
		return ReasonTooLarge.because("%s of %d bytes, at most %d", what, len(text), bound)
	case !utf8.ValidString(text):
		return ReasonBadEncoding.because("%s is not UTF-8", what)
	case strings.ContainsFunc(text, bad):
		return ReasonBadEncoding.because("%s %q cannot be printed", what, text)
	}
	return nil
}

func (e *Event) checkPosition() error {
	switch {
	case e.Source == "":
		return ReasonNoSequence.because("no source")
	case e.Source == SourceSelf:
		return ReasonReservedSource.because("%q writes no events but its own", e.Source)
	case e.Seq == 0 && e.ID == "":
		return ReasonNoSequence.because("neither sequence nor event id")
	case e.Seq > 0 && e.Epoch < 0:
		return ReasonNoSequence.because("epoch %d is negative", e.Epoch)
	case e.Seq == 0 && e.Kind == KindWatermark:
		return ReasonNoSequence.because("a watermark needs one")
	}
	return nil
}

func (e *Event) checkTimes() error {
	for _, t := range []struct {
		what string
		time time.Time
	}{{"time", e.Time}, {"observed time", e.Observed}} {
		if t.what != "time" && t.time.IsZero() {
			continue // a sender may leave it out
		}
		if !t.time.After(earliest) || !t.time.Before(latest) {
			return ReasonBadTime.because("%s %s", t.what, t.time.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// checkSubject checks what the kind of event is about: an order, or the source itself.
func (e *Event) checkSubject() error {
	switch e.Kind {
	case KindWatermark:
		if e.Watermark.Through > e.Seq {
			return ReasonBadWatermark.because("number %d vouches for %d, which comes after it", e.Seq, e.Watermark.Through)
		}
		return nil
	case KindGap:
		if e.Gap.To.Before(e.Gap.From) {
			return ReasonBadGap.because("from %s to %s", e.Gap.From.UTC().Format(time.RFC3339), e.Gap.To.UTC().Format(time.RFC3339))
		}
		return nil
	case KindStatus, KindJob:
		if e.System == "" || e.Status == "" {
			return ReasonNoStatus.because("system %q, status %q", e.System, e.Status)
		}
	}
	return e.checkKeys()
}

func (e *Event) checkKeys() error {
	if len(e.Keys) == 0 {
		return ReasonNoKey
	}
	for i, k := range e.Keys {
		if k.Name == "" || k.Value == "" {
			return ReasonBadKey.because("name %q, value %q", k.Name, k.Value)
		}
		if slices.ContainsFunc(e.Keys[:i], func(other Key) bool { return other.Name == k.Name }) {
			return ReasonBadKey.because("%q is given twice", k.Name)
		}
	}
	return nil
}
