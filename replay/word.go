package replay

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// maxWords bounds the words that are kept once for all events.
const maxWords = 10_000

// words makes strings of text, the same one for the same text where there are few different ones.
type words struct {
	kept   map[string]string
	joined map[[2]string]string
}

func newWords() *words { return &words{kept: map[string]string{}, joined: map[[2]string]string{}} }

// word returns the text as a string.
func (w *words) word(text []byte) string {
	if word, ok := w.kept[string(text)]; ok {
		return word
	}
	word := string(text)
	w.keep(word, word)
	return word
}

// keep remembers what a text means.
func (w *words) keep(text, word string) {
	if len(w.kept) < maxWords {
		w.kept[text] = word
	}
}

// join returns a/b.
func (w *words) join(a, b string) string {
	pair := [2]string{a, b}
	word, ok := w.joined[pair]
	if !ok {
		word = a + "/" + b
		if len(w.joined) < maxWords {
			w.joined[pair] = word
		}
	}
	return word
}

// values turns what a file says of an order into what an event carries.
type values struct {
	clock *clock
	dues  map[string]bool // attributes that are instants
}

func newValues(c *clock, dues []string) *values {
	v := &values{clock: c, dues: map[string]bool{}}
	for _, name := range dues {
		v.dues[name] = true
	}
	return v
}

// value returns an attribute's value: an instant in RFC 3339, UTC; false where it is none but ought to be.
func (v *values) value(name, text string) (string, bool) {
	if !v.dues[name] {
		return text, true
	}
	ns, ok := v.clock.instant([]byte(text))
	if !ok {
		return "", false
	}
	return stamp(unixNano(ns)), true
}

var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// unescape replaces XML's references in a value. One that is none stays as it is written.
func unescape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for {
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		text = text[i:]
		end := bytes.IndexByte(text, ';')
		r, ok := rune(0), false
		if end > 0 {
			r, ok = reference(string(text[1:end]))
		}
		if !ok {
			out = append(out, '&')
			text = text[1:]
			continue
		}
		out = utf8.AppendRune(out, r)
		text = text[end+1:]
	}
}

func reference(name string) (rune, bool) {
	if r, ok := entities[name]; ok {
		return r, true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// earliest returns the first event by time of a queue, a state only if there is no other.
func earliest(queue []result) *Event {
	var first *Event
	for i := range queue {
		if queue[i].err != nil {
			continue
		}
		e := &queue[i].event
		if first == nil || !e.Last && (first.Last || e.Time.Before(first.Time)) {
			first = e
		}
	}
	return first
}
