package replay

import (
	"bytes"
	"strings"

	"github.com/alexandrite/orderwatch/order"
)

func (x *xes) eventAttribute() {
	e, key := &x.current, x.attributeKey()
	switch {
	case string(key) == x.statusKey:
		var ok bool
		if e.status, ok = x.word(x.text.value); !ok {
			e.wrong, e.detail = ReasonEncoding, ""
		}
	case string(key) == x.timeKey:
		x.eventTime()
	case string(key) == xesTransition:
		e.transition, _ = x.word(x.text.value)
		e.transition = strings.ToLower(e.transition)
	default:
		e.attrs = x.attribute(x.events, key, e.attrs)
	}
}

// attributeKey returns the key of the current tag as it is meant.
func (x *xes) attributeKey() []byte {
	if bytes.IndexByte(x.text.key, '&') >= 0 {
		return unescape(x.text.key)
	}
	return x.text.key
}

func (x *xes) eventTime() {
	e, text := &x.current, x.text.value
	if e.ns, e.timed = x.clock.instant(text); !e.timed && e.wrong == "" {
		e.wrong, e.detail = ReasonTime, quote(string(text))
	}
}

func (x *xes) traceAttribute() {
	key := x.attributeKey()
	if x.key == "" && string(key) == x.traceKey {
		x.key, _ = x.plain(x.text.value)
	}
	x.attrs = x.attribute(x.traces, key, x.attrs)
}

// attribute adds the current tag's attribute to the list if the mapping wants it.
func (x *xes) attribute(from []AttributeColumn, key []byte, to []order.Attr) []order.Attr {
	for i := range from {
		a := &from[i]
		if string(key) != a.Column {
			continue
		}
		text, ok := x.word(x.text.value)
		if !ok {
			x.reject(x.text.line(), ReasonAttribute, a.Column+": not in the file's encoding")
			continue
		}
		if text == "" {
			continue
		}
		value, ok := x.values.value(a.Name, text)
		if !ok {
			x.reject(x.text.line(), ReasonDue, a.Column+" "+quote(text))
			continue
		}
		to = append(to, order.Attr{Name: a.Name, Value: value})
	}
	return to
}

// word returns what a value means, the same string for the same value.
func (x *xes) word(raw []byte) (string, bool) {
	if word, ok := x.words.kept[string(raw)]; ok {
		return word, true
	}
	word, ok := x.plain(raw)
	if ok {
		x.words.keep(string(raw), word)
	}
	return word, ok
}

// plain returns what a value means: decoded, without references.
func (x *xes) plain(raw []byte) (string, bool) {
	if x.charset == nil && x.text.encoding != "" {
		x.charset = charsetOf(x.text.encoding)
	}
	text, ok := x.charset.decode(raw)
	if ok && bytes.IndexByte(text, '&') >= 0 {
		text = unescape(text)
	}
	return string(text), ok
}
