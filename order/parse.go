package order

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a flow means the same on a machine without a time zone database

	"go.yaml.in/yaml/v3"
)

// maxFlowBytes bounds a flow file.
const maxFlowBytes = 1 << 20

// flowReader reads one flow file; flow grows as its sections are read.
type flowReader struct {
	*reader
	flow           *Flow
	stageObjects   []object // by index in flow.Stages
	promiseObjects []object // by index in flow.Promises
}

// ParseFlow reads a flow file strictly and validates it. Its error is Problems, all there are; file
// is the name they carry. What is allowed but doubtful is in Flow.Warnings. Same bytes, same result:
// nothing of the environment is read, apart from the time zone database.
func ParseFlow(file string, data []byte) (*Flow, error) {
	p := &flowReader{reader: &reader{file: file}, flow: &Flow{}}
	if root, ok := p.document(data); ok {
		p.read(root)
	}
	if len(p.problems) > 0 {
		sortProblems(p.problems)
		return nil, p.problems
	}
	sortProblems(p.warnings)
	p.flow.Warnings = p.warnings
	hash, err := flowHash(p.flow)
	if err != nil {
		return nil, err
	}
	p.flow.Hash = hash
	return p.flow, nil
}

// document decodes the YAML and returns its one document.
func (p *flowReader) document(data []byte) (field, bool) {
	root := field{r: p.reader, line: 1}
	if len(data) > maxFlowBytes {
		root.fail("is larger than %d bytes", maxFlowBytes)
		return root, false
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0:
		root.fail("is empty")
		return root, false
	case err != nil:
		root.failYAML(err)
		return root, false
	}
	err = decoder.Decode(&second)
	switch {
	case err == nil:
		root.line = second.Line
		root.fail("holds more than one document")
		return root, false
	case !errors.Is(err, io.EOF):
		root.failYAML(err)
		return root, false
	}
	root = root.at(document.Content[0], "")
	return root, root.present()
}

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

// failYAML reports an error of the YAML library. Its text begins with the line where it knows one:
// that of the construct that is broken, counted from 0 where the parser and not the scanner found it.
func (f field) failYAML(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		f.line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(text, m[0])
		if strings.HasPrefix(text, "did not find expected") {
			f.line++
		}
	}
	f.fail("is not YAML from here on: %s", text)
}

// read reads the sections in the order in which they build on each other.
func (p *flowReader) read(root field) {
	top := root.object("version", "flow", "timezone", "calendars", "keys", "sources", "stages", "promises",
		"finish", "cancel", "reopen", "incidents", "partners", "capacity")
	p.version(top.need("version"))
	p.flow.Name = top.need("flow").name()
	p.zone(top.get("timezone"))
	p.calendars(top.get("calendars"))
	p.flow.Keys = names(top.need("keys").needList(), field.name)
	p.sources(top.get("sources"))
	p.stages(top.need("stages"))
	p.promises(top.get("promises"))
	p.ends(top)
	p.incidents(top.get("incidents"))
	p.flow.Partners = names(top.get("partners").list(), field.text)
	p.capacity(top.get("capacity"))
	p.doubts(top)
}

func (p *flowReader) version(f field) {
	p.flow.Version = 1
	if text, ok := f.scalar(); ok && (text != "1" || f.node.ShortTag() != "!!int") {
		f.fail("%q: this orderwatch reads version 1", text)
	}
}

func (p *flowReader) zone(f field) {
	p.flow.Timezone = time.UTC
	name := f.text()
	if name == "" {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		f.fail("%q is not a time zone: use a name like Europe/Berlin or UTC", name)
		return
	}
	p.flow.Timezone = zone
}

func (p *flowReader) sources(f field) {
	seen := map[string]int{}
	for _, entry := range f.list() {
		o := entry.object("name", "reports")
		s := FlowSource{Name: o.need("name").name(), Reports: statuses(o.need("reports").list(), true)}
		o.get("name").once(s.Name, seen)
		p.flow.Sources = append(p.flow.Sources, s)
	}
}

// once reports a name that another entry of its list has.
func (f field) once(name string, seen map[string]int) {
	if name == "" {
		return
	}
	if line, twice := seen[name]; twice {
		f.fail("%q is the name of the one on line %d too", name, line)
		return
	}
	seen[name] = f.line
}

// statuses reads a list of system/STATUS; where any is set, system/* stands for all of a system's.
func statuses(entries []field, any bool) []Status {
	var out []Status
	for _, entry := range entries {
		text := entry.text()
		if text == "" {
			continue
		}
		s, ok := ParseStatus(text)
		switch {
		case !ok || !namePattern.MatchString(s.System):
			entry.fail("%q is not a status: write system/STATUS, for example mes/SHIPPED", text)
		case s.Name == "*" && !any:
			entry.fail("%q: only a source's reports may stand for every status of a system", text)
		case slices.Contains(out, s):
			entry.fail("%q is in the list twice", text)
		default:
			out = append(out, s)
		}
	}
	return out
}

// needStatuses reads a list of statuses that must be there and have an entry.
func (o object) needStatuses(name string) []Status {
	return statuses(o.need(name).needList(), false)
}

// ends reads what finishes, cancels and reopens an order. No status may be in two of them.
func (p *flowReader) ends(top object) {
	p.flow.Finish = top.needStatuses("finish")
	p.flow.Cancel = statuses(top.get("cancel").list(), false)
	p.flow.Reopen = statuses(top.get("reopen").list(), false)
	top.get("cancel").apart(p.flow.Cancel, p.flow.Finish, "finish")
	top.get("reopen").apart(p.flow.Reopen, p.flow.Finish, "finish")
	top.get("reopen").apart(p.flow.Reopen, p.flow.Cancel, "cancel")
}

// apart reports statuses of f's list that another list has too.
func (f field) apart(list, other []Status, name string) {
	for _, s := range list {
		if slices.Contains(other, s) {
			f.fail("%s is in %s too", s, name)
		}
	}
}

func (p *flowReader) incidents(f field) {
	p.flow.Incidents = IncidentRule{GroupBy: []string{"stage", "cause"}, MinOrders: 1, CloseAfter: 30 * time.Minute}
	if !f.present() {
		return
	}
	o, rule := f.object("group_by", "min_orders", "close_after"), &p.flow.Incidents
	if by := o.get("group_by"); by.present() {
		rule.GroupBy = names(by.needList(), func(f field) string { return f.oneOf("stage", "cause", "channel", "partner") })
	}
	if n := o.get("min_orders"); n.present() {
		rule.MinOrders = n.integer(1, 1_000_000)
	}
	if after := o.get("close_after"); after.present() {
		span := after.span()
		if span.Unit == WorkingDays {
			after.fail("%q: an incident closes after elapsed time: use 30m, 2h or 3d", span)
		}
		rule.CloseAfter = span.Amount
	}
}

// oneOf reads one of the words.
func (f field) oneOf(words ...string) string {
	text := f.text()
	if text != "" && !slices.Contains(words, text) {
		f.fail("%q is not known here%s", text, suggest(text, words))
		return ""
	}
	return text
}

func (p *flowReader) capacity(f field) {
	seen := map[string]int{}
	for _, entry := range f.list() {
		o := entry.object("stage", "queue", "servers")
		c := Capacity{
			Stage:   p.stageName(o.need("stage")),
			Queue:   p.stageName(o.get("queue")),
			Servers: o.need("servers").integer(1, 1_000_000),
		}
		if c.Queue != "" && c.Queue == c.Stage {
			o.get("queue").fail("%q cannot be its own queue", c.Queue)
		}
		o.get("stage").once(c.Stage, seen)
		p.flow.Capacity = append(p.flow.Capacity, c)
	}
}

// stageName reads the name of a stage of this flow.
func (p *flowReader) stageName(f field) string {
	name := f.text()
	if name == "" {
		return ""
	}
	if s, _ := p.flow.Stage(name); s == nil {
		f.fail("no stage is named %q%s", name, suggest(name, p.stageNames()))
		return ""
	}
	return name
}

func (p *flowReader) stageNames() []string {
	var names []string
	for _, s := range p.flow.Stages {
		if s.Name != "" {
			names = append(names, s.Name)
		}
	}
	return names
}
