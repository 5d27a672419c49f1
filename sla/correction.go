package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
)

// Bounds of what a person writes, in runes.
const (
	MaxPersonRunes = 100
	MaxNoteRunes   = 500
)

// Linking is a person's word that two orders are one.
type Linking struct {
	A, B     order.Key
	By, Note string
}

// Unlinking is a person's word that a link was wrong.
type Unlinking struct {
	Of       order.Key // of the order, as it is now
	Record   int64     // sequence of the record that made the link
	Key      order.Key // which of the keys that the record joined; zero where it joined one only
	By, Note string
}

// RefusalCode says why a correction is refused.
type RefusalCode string

// The codes of a Refusal.
const (
	RefusedPerson   RefusalCode = "person"   // no name, or not one that can be written
	RefusedNote     RefusalCode = "note"     // not a note that can be written
	RefusedKey      RefusalCode = "key"      // no order goes by the key
	RefusedSame     RefusalCode = "same"     // the keys are of one order already
	RefusedConflict RefusalCode = "conflict" // the order would hold two values of one key name
	RefusedLink     RefusalCode = "link"     // the record joined no such keys
)

// Refusal is why a correction is refused; nothing was changed. Detail names the keys or the record.
type Refusal struct {
	Code   RefusalCode
	Detail string
}

var refusals = map[RefusalCode]string{
	RefusedPerson:   "a name is needed, of at most " + strconv.Itoa(MaxPersonRunes) + " printable characters",
	RefusedNote:     "the note must have at most " + strconv.Itoa(MaxNoteRunes) + " printable characters",
	RefusedKey:      "no order goes by this key",
	RefusedSame:     "these keys are of one order already",
	RefusedConflict: "the order would have two keys of one name",
	RefusedLink:     "no such link: the order is not joined there",
}

// Error returns the reason in words.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return refusals[r.Code]
	}
	return refusals[r.Code] + ": " + r.Detail
}

func checkWords(by, note string) error {
	if strings.TrimSpace(by) == "" || !writable(by, MaxPersonRunes) {
		return &Refusal{Code: RefusedPerson}
	}
	if !writable(note, MaxNoteRunes) {
		return &Refusal{Code: RefusedNote}
	}
	return nil
}

func writable(text string, bound int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= bound && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// Link returns the batch that makes one order of two: the next record of the journal has this
// sequence. It is staged, as with Resolve; the keys must have been loaded. The error is a *Refusal.
func (r *Resolver) Link(x Linking, seq int64, now time.Time) (*Batch, error) {
	if err := checkWords(x.By, x.Note); err != nil {
		return nil, err
	}
	a, b, err := r.sides(x.A, x.B)
	if err != nil {
		return nil, err
	}
	lifted := r.pins.between(a, b)
	free := group{}
	if !free.add(a) || !free.add(b) {
		return nil, &Refusal{RefusedConflict, contradictions(a, b)}
	}
	kept := r.pins
	r.pins = pins{} // what a person joins no pin keeps apart
	res := r.Resolve(&order.Event{Keys: []order.Key{x.A, x.B}})
	r.pins = kept
	res.Link.Correction = &Correction{By: strings.TrimSpace(x.By), Note: strings.TrimSpace(x.Note), Pins: lifted}
	r.change, r.links = *res.Link.Correction, true
	batch := &Batch{At: now, Records: []Record{correction(order.KindLink, seq, res.Order, now, x.A, x.B)}}
	batch.Records[0].Link = res.Link
	batch.Keys, batch.Merges = r.Staged()
	return batch, nil
}

// sides returns the keys of the orders that two keys name. A key that no order holds will do where
// a pin took it from the other.
func (r *Resolver) sides(x, y order.Key) (a, b []order.Key, err error) {
	idA, knownA := r.owner[x]
	idB, knownB := r.owner[y]
	a, b = r.held[idA], r.held[idB]
	if !knownA {
		a = []order.Key{x}
	}
	if !knownB {
		b = []order.Key{y}
	}
	pinned := (knownA || knownB) && len(r.pins.between(a, b)) > 0
	switch {
	case x == y || knownA && knownB && idA == idB:
		return nil, nil, &Refusal{RefusedSame, keysText([]order.Key{x, y})}
	case !knownA && !pinned:
		return nil, nil, &Refusal{RefusedKey, keysText([]order.Key{x})}
	case !knownB && !pinned:
		return nil, nil, &Refusal{RefusedKey, keysText([]order.Key{y})}
	}
	return a, b, nil
}

// contradictions names the keys of two orders that contradict each other.
func contradictions(as, bs []order.Key) string {
	var pairs []string
	for _, a := range as {
		for _, b := range bs {
			if a.Name == b.Name && a != b {
				pairs = append(pairs, keysText([]order.Key{a, b}))
			}
		}
	}
	return strings.Join(pairs, ", ")
}

// correction is a record of the journal that no sender wrote.
func correction(kind order.Kind, seq int64, id OrderID, now time.Time, keys ...order.Key) Record {
	return Record{Seq: seq, Order: id, Received: now, Event: order.Event{
		Kind: kind, Time: now, Observed: now, Position: order.Position{Source: order.SourceSelf}, ID: "identity-" + strconv.FormatInt(seq, 10), Keys: keys,
	}}
}

// Unlink returns the batch that undoes a link in an order's whole history. It is staged, as with
// Resolve. The error is a *Refusal.
func (r *Resolver) Unlink(x Unlinking, h *History, seq int64, now time.Time) (*Batch, error) {
	if err := checkWords(x.By, x.Note); err != nil {
		return nil, err
	}
	pin, err := linkOf(h.Records, x.Record, x.Key)
	if err != nil {
		return nil, err
	}
	s := r.split(h, pin)
	c := Correction{By: strings.TrimSpace(x.By), Note: strings.TrimSpace(x.Note), Undone: x.Record, Pins: []Pin{pin}}
	r.change, r.links = c, false
	batch := &Batch{At: now, Keys: s.keys, Merges: s.merges, Freed: s.freed, Moved: s.moved}
	for i := range s.parts {
		p := &s.parts[i]
		record := correction(order.KindUnlink, seq+int64(i), p.id, now, p.anchor(pin))
		record.Link = Link{Absorbed: p.absorbed, Correction: &c}
		batch.Records = append(batch.Records, record)
	}
	return batch, nil
}

// linkOf returns the two keys that a record joined.
func linkOf(records []Record, seq int64, key order.Key) (Pin, error) {
	var found []Pin
	for _, l := range Links(records) {
		if l.Record == seq && (key == order.Key{} || key == l.Keys.A || key == l.Keys.B) {
			found = append(found, l.Keys)
		}
	}
	if len(found) != 1 {
		return Pin{}, &Refusal{RefusedLink, strings.TrimSpace(fmt.Sprintf("record %d %s", seq, strings.Trim(keysText([]order.Key{key}), ":")))}
	}
	return found[0], nil
}

// KeyLink is two names of an order that a record joined.
type KeyLink struct {
	Record   int64 // its sequence in the journal
	Keys     Pin
	At       time.Time // when we received it
	Source   string    // whose record it is; order.SourceSelf: a person's
	By, Note string    // of a person
}

// Links returns what joined an order's keys, in journal order: all but one of its keys, once each.
func Links(records []Record) []KeyLink {
	var links []KeyLink
	group := map[order.Key]order.Key{} // a key's representative
	for i := range records {
		r := &records[i]
		keys := accepted(r)
		if len(keys) == 0 || r.Event.Kind == order.KindUnlink {
			continue
		}
		base := keys[max(0, slices.IndexFunc(keys, func(k order.Key) bool { _, known := group[k]; return known }))]
		if _, known := group[base]; !known {
			group[base] = base
		}
		for _, key := range keys {
			to, from := group[base], group[key]
			if to == from {
				continue
			}
			link := KeyLink{Record: r.Seq, Keys: Pin{A: base, B: key}, At: r.Received, Source: r.Event.Source}
			if c := r.Link.Correction; c != nil {
				link.By, link.Note = c.By, c.Note
			}
			links = append(links, link)
			group[key] = to
			for k, g := range group {
				if g == from {
					group[k] = to
				}
			}
		}
	}
	return links
}

// accepted returns the keys by which a record belongs to its order.
func accepted(r *Record) []order.Key {
	if len(r.Link.Refused) == 0 {
		return r.Event.Keys
	}
	var keys []order.Key
	for _, k := range r.Event.Keys {
		if !slices.Contains(r.Link.Refused, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
