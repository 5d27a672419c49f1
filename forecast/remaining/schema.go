package remaining

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what a model looks at.
const (
	countedStatuses = 40
	usedAttributes  = 16
	knownAttributes = 256  // names looked at in training
	attributeValues = 4096 // distinct values counted, an attribute
)

// schema says which statuses and attributes a model looks at; it is learned from the training cases.
// Its fields are exported for the encoding of models.
type schema struct {
	Statuses   []uint64 // the most frequent, which get counts of their own
	Attributes []attribute
}

// attribute is one that varies and is no identifier. One that looks like a number may be a code, so
// it can be both.
type attribute struct {
	Name    string
	Number  bool // its value is a feature
	Encoded bool // what was learned about orders with this value is a feature
}

// census is what learnSchema counts about one attribute.
type census struct {
	name     string
	first    int // place of its first appearance
	events   int
	numbers  int
	cases    int
	lastCase int
	values   map[string]int
	trail    uint64 // hash of values in the order of their first appearance: equal trails, equal attributes
}

func learnSchema(cases []Case) schema {
	statuses := map[string]int{}
	attributes := map[string]*census{}
	statusTrail := &census{values: map[string]int{}}
	events := 0
	for i, c := range cases {
		for j, e := range c.Events {
			events++
			statuses[e.Status]++
			statusTrail.count(e.Status, events, i)
			if j == 0 {
				for _, a := range c.Attrs {
					countAttribute(attributes, a.Name, a.Value, events, i)
				}
			}
			for _, a := range e.Attrs {
				countAttribute(attributes, a.Name, a.Value, events, i)
			}
		}
	}
	return schema{mostFrequent(statuses), useful(attributes, statusTrail.trail, len(cases))}
}

func countAttribute(attributes map[string]*census, name, value string, place, caseIndex int) {
	a := attributes[name]
	if a == nil {
		if len(attributes) >= knownAttributes {
			return
		}
		a = &census{name: name, first: len(attributes), values: map[string]int{}, lastCase: -1}
		attributes[name] = a
	}
	a.count(value, place, caseIndex)
}

func (a *census) count(value string, place, caseIndex int) {
	code, known := a.values[value]
	if !known && len(a.values) < attributeValues {
		code = len(a.values)
		a.values[value] = code
	}
	a.events++
	a.trail = join(a.trail, join(uint64(code), uint64(place)))
	if _, ok := number(value); ok {
		a.numbers++
	}
	if a.lastCase != caseIndex {
		a.cases++
		a.lastCase = caseIndex
	}
}

// number reads a finite number.
func number(text string) (float64, bool) {
	if text == "" || text[0] > '9' { // most texts are none
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

func mostFrequent(statuses map[string]int) []uint64 {
	names := make([]string, 0, len(statuses))
	for name := range statuses {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(statuses[b], statuses[a]), strings.Compare(a, b))
	})
	names = names[:min(len(names), countedStatuses)]
	out := make([]uint64, 0, len(names))
	for _, name := range names {
		out = append(out, hashText(seedStatus, name))
	}
	return out
}

// useful leaves out what never varies, what names single orders and what says the same as another.
func useful(attributes map[string]*census, statusTrail uint64, cases int) []attribute {
	byPlace := make([]*census, 0, len(attributes))
	for _, a := range attributes {
		byPlace = append(byPlace, a)
	}
	slices.SortFunc(byPlace, func(a, b *census) int { return cmp.Compare(a.first, b.first) })
	seen := map[uint64]bool{statusTrail: true}
	var out []attribute
	for _, a := range byPlace {
		identifies := len(a.values) >= attributeValues || 2*len(a.values) > max(a.cases, 2)
		numeric := len(a.values) > 2 && a.numbers*100 >= a.events*95
		if len(a.values) < 2 || identifies && !numeric || a.cases*20 < cases || seen[a.trail] {
			continue
		}
		seen[a.trail] = true
		out = append(out, attribute{a.name, numeric, !identifies})
		if len(out) == usedAttributes {
			break
		}
	}
	return out
}
