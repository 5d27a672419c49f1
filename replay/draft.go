package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/alexandrite/orderwatch/order"
)

// draft is a flow that is being written.
type draft struct {
	name    string
	key     string
	system  string
	cases   int
	starts  []*activity
	finish  []*activity
	stages  []*draftStage
	promise learned
	done    bool        // learned
	left    []*activity // too rare, or not to be written in a flow file
}

type draftStage struct {
	*activity
	name  string
	leave []*activity
	learned
}

const (
	rareShare   = 0.01 // of the cases: an activity in fewer is left out
	finishShare = 0.5  // of its events: an activity that ends its case this often finishes
	oftenShare  = 0.95 // of an activity's departures: its stage ends with the followers that make up as many
)

func newDraft(name string, m *Mapping, h *history) (*draft, error) {
	all := activities(h)
	if len(all) == 0 {
		return nil, errors.New("no event could be used")
	}
	d := &draft{name: dashed(name, "draft"), key: m.Key.Name, system: m.System, cases: len(h.orders)}
	byCode := map[int32]*activity{}
	for _, a := range all {
		if writable(a.status) && float64(a.cases) >= rareShare*float64(d.cases) {
			byCode[a.code] = a
		} else {
			d.left = append(d.left, a)
		}
	}
	kept := slices.DeleteFunc(all, func(a *activity) bool { return byCode[a.code] == nil })
	slices.SortFunc(kept, func(a, b *activity) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), cmp.Compare(a.status.Name, b.status.Name))
	})
	d.ends(kept)
	taken := map[string]bool{}
	for _, a := range kept {
		leave := a.often(byCode)
		if slices.Contains(d.finish, a) || len(leave) == 0 {
			continue
		}
		d.stages = append(d.stages, &draftStage{activity: a, name: unique(dashed(a.status.Name, "stage"), taken), leave: leave})
	}
	if len(d.stages) == 0 || len(d.finish) == 0 || len(d.starts) == 0 {
		return nil, errors.New("no activity follows another often enough to make a stage")
	}
	return d, nil
}

// ends finds the activities that begin cases and those that finish them.
func (d *draft) ends(kept []*activity) {
	var most *activity
	for _, a := range kept {
		if float64(a.starts) >= rareShare*float64(d.cases) {
			d.starts = append(d.starts, a)
		}
		if a.ends > 0 && (most == nil || a.ends > most.ends) {
			most = a
		}
		if float64(a.ends) >= rareShare*float64(d.cases) && float64(a.ends) >= finishShare*float64(a.events) {
			d.finish = append(d.finish, a)
		}
	}
	if len(d.finish) == 0 && most != nil {
		d.finish = append(d.finish, most)
	}
	d.starts = slices.DeleteFunc(d.starts, func(a *activity) bool { return slices.Contains(d.finish, a) })
}

// often lists what follows the activity, the most frequent first, until nearly all departures are in.
func (a *activity) often(kept map[int32]*activity) []*activity {
	var followers []*activity
	for code := range a.followers {
		if kept[code] != nil {
			followers = append(followers, kept[code])
		}
	}
	slices.SortFunc(followers, func(x, y *activity) int {
		return cmp.Or(-cmp.Compare(a.followers[x.code], a.followers[y.code]), cmp.Compare(x.status.Name, y.status.Name))
	})
	sum := 0
	for i, f := range followers {
		if float64(sum) >= oftenShare*float64(a.left) {
			return followers[:i]
		}
		sum += a.followers[f.code]
	}
	return followers
}

// writable reports whether a flow file can name the status.
func writable(s order.Status) bool {
	const most = 200 // bytes, the flow file's bound
	return s.Name != "*" && strings.TrimSpace(s.Name) == s.Name && len(s.String()) <= most &&
		!strings.ContainsFunc(s.Name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// dashed makes a name of a text: lower case Latin letters and digits, dashes for what is between.
func dashed(text, otherwise string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap = false
		} else {
			gap = true
		}
	}
	name := b.String()
	return cmp.Or(strings.TrimRight(name[:min(len(name), 50)], "-"), otherwise)
}

func unique(name string, taken map[string]bool) string {
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			candidate = name + "-" + strconv.Itoa(n)
		}
		if !taken[candidate] {
			taken[candidate] = true
			return candidate
		}
	}
}

func (d *draft) parse() (*order.Flow, error) { return order.ParseFlow("draft", d.text()) }

// text writes the draft as a flow file.
func (d *draft) text() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Drafted from %d cases. Check the names, the kinds and owners of the stages, and what cancels an order:", d.cases)
	line("# a log does not tell them. Deadlines are what 95 %% of the visits took, rounded up.")
	line("version: 1\nflow: %s\nkeys: [%s]\nsources:\n  - {name: replay, reports: [%s/*]}\nstages:", d.name, d.key, d.system)
	for _, s := range d.stages {
		d.stage(line, s)
	}
	within, ok := d.promise.deadline()
	if !d.done {
		within, ok = order.Span{Unit: order.Elapsed, Amount: longest}, true
	}
	if ok {
		line("promises:\n  - name: lead-time\n    start: [%s]\n    stop: [%s]", d.list(d.starts), d.list(d.finish))
		line("    within: %s%s\n    objective: 0.95", within, d.promise.comment())
	}
	line("finish:")
	for _, a := range d.finish {
		line("  - %s # ends %s", d.status(a), d.of(a.ends))
	}
	if len(d.left) > 0 {
		line("# Left out, in less than %g %% of the cases or with a name that a flow file cannot hold:", rareShare*100)
		slices.SortFunc(d.left, func(a, b *activity) int {
			return cmp.Or(-cmp.Compare(a.cases, b.cases), cmp.Compare(a.status.Name, b.status.Name))
		})
		for _, a := range d.left {
			line("#   %q in %s", a.status.String(), d.of(a.cases))
		}
	}
	return b.Bytes()
}

// longest is the longest deadline that a flow file may have.
const longest = 3650 * order.Day

func (d *draft) stage(line func(string, ...any), s *draftStage) {
	support := "in " + d.of(s.cases)
	if s.starts > 0 {
		support += fmt.Sprintf(", begins %d", s.starts)
	}
	if s.ends > 0 {
		support += fmt.Sprintf(", ends %d", s.ends)
	}
	line("  - name: %s # %s", s.name, support)
	line("    kind: human # a guess")
	line("    enter: [%s]", d.status(s.activity))
	line("    leave:")
	for _, f := range s.leave {
		line("      - %s # %d of %d departures", d.status(f), s.followers[f.code], s.left)
	}
	if within, ok := s.deadline(); ok {
		line("    within: %s%s", within, s.comment())
	} else if len(s.durations) > 0 {
		line("    # no deadline: %d visits are too few to learn from", len(s.durations))
	}
}

func (l *learned) comment() string {
	if len(l.durations) < leastLearned {
		return ""
	}
	text := fmt.Sprintf(" # half within %s, 95 %% within %s, of %d", span(quantile(l.durations, 0.5).Seconds()), span(quantile(l.durations, 0.95).Seconds()), len(l.durations))
	if l.passed > 0 {
		text += fmt.Sprintf("; %d more went elsewhere", l.passed)
	}
	return text
}

func (d *draft) of(n int) string { return fmt.Sprintf("%d of %d cases", n, d.cases) }

// status writes a status so that YAML reads it as text.
func (d *draft) status(a *activity) string { return strconv.Quote(a.status.String()) }

func (d *draft) list(of []*activity) string {
	texts := make([]string, len(of))
	for i, a := range of {
		texts[i] = d.status(a)
	}
	return strings.Join(texts, ", ")
}
