package order

import "slices"

func (p *flowReader) stages(f field) {
	seen := map[string]int{}
	for _, entry := range f.needList() {
		s, o := p.stage(entry)
		o.get("name").once(s.Name, seen)
		p.flow.Stages = append(p.flow.Stages, s)
		p.stageObjects = append(p.stageObjects, o)
	}
}

func (p *flowReader) stage(f field) (Stage, object) {
	o := f.object("name", "kind", "owner", "via", "enter", "leave", "within", "calendar", "expect_by", "parallel", "overrides")
	s := Stage{
		Name:     o.need("name").name(),
		Kind:     p.kind(o.need("kind")),
		Owner:    o.get("owner").text(),
		Enter:    o.needStatuses("enter"),
		Leave:    o.needStatuses("leave"),
		ExpectBy: o.get("expect_by").name(),
		Parallel: o.get("parallel").flag(),
	}
	o.get("leave").apart(s.Leave, s.Enter, "enter")
	p.handoff(&s, o)
	s.Within, s.Overrides, s.Calendar = p.deadline(o)
	for _, source := range p.flow.Sources {
		if slices.ContainsFunc(s.Leave, func(l Status) bool { return l.Matches(source.Reports) }) {
			s.Reporters = append(s.Reporters, source.Name)
		}
	}
	return s, o
}

func (p *flowReader) kind(f field) StageKind {
	return StageKind(f.oneOf(string(Customer), string(Human), string(Queue), string(Compute),
		string(Handoff), string(Production), string(Carrier)))
}

// handoff reads what only hand-offs have. They always run beside the serial stages.
func (p *flowReader) handoff(s *Stage, o object) {
	via := o.get("via")
	if s.Kind != Handoff {
		if via.present() && s.Kind != "" {
			via.fail("only a handoff has a way: this is a %s stage", s.Kind)
		}
		return
	}
	if parallel := o.get("parallel"); parallel.present() && !s.Parallel {
		parallel.fail("a handoff always runs beside the serial stages")
	}
	s.Parallel = true
	if !via.present() {
		return
	}
	v := via.object("exchange", "routing_keys", "queue", "dead_letter")
	s.Via = Via{
		Exchange:    v.get("exchange").text(),
		RoutingKeys: names(v.get("routing_keys").list(), field.text),
		Queue:       v.get("queue").text(),
		DeadLetter:  v.get("dead_letter").text(),
	}
	if !v.get("exchange").present() && !v.get("queue").present() {
		via.fail("names neither an exchange nor a queue")
	}
}

// deadline reads what stages and promises share: within, its overrides and the calendar they count in.
func (p *flowReader) deadline(o object) (Span, []Override, *Calendar) {
	calendar, known := p.calendarNamed(o.get("calendar"))
	span := func(f field) Span {
		s := f.span()
		if s.Unit == WorkingDays && known && calendar == nil {
			f.fail("%q counts working days, which calendar always has not: name a calendar or use %dd", s, s.Days)
		}
		if s.Unit == OpenTime && calendar.slow(s.Amount) {
			f.fail("%q of open time takes more than ten years in calendar %s", s, calendar)
		}
		return s
	}
	var overrides []Override
	for _, entry := range o.get("overrides").list() {
		member := entry.object("when", "within")
		overrides = append(overrides, Override{When: member.need("when").conditions(), Within: span(member.need("within"))})
	}
	return span(o.get("within")), overrides, calendar
}

// conditions reads attributes and the values they must have.
func (f field) conditions() map[string]string {
	order, members := f.pairs()
	if f.isMapping() && len(f.node.Content) == 0 {
		f.fail("must name an attribute: what holds for every order is within itself")
	}
	when := map[string]string{}
	for _, name := range order {
		when[name] = members[name].text()
		if !namePattern.MatchString(name) {
			members[name].fail("%q is not the name of an attribute", name)
		}
	}
	return when
}
