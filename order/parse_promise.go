package order

// defaultObjective is the share of kept promises to reach where a flow names none.
const defaultObjective = 0.95

func (p *flowReader) promises(f field) {
	seen := map[string]int{}
	for _, entry := range f.list() {
		promise, o := p.promise(entry)
		o.get("name").once(promise.Name, seen)
		p.flow.Promises = append(p.flow.Promises, promise)
		p.promiseObjects = append(p.promiseObjects, o)
	}
}

func (p *flowReader) promise(f field) (Promise, object) {
	o := f.object("name", "start", "stop", "within", "due", "due_at", "calendar", "pause_in", "objective", "overrides")
	out := Promise{
		Name:      o.need("name").name(),
		Start:     o.needStatuses("start"),
		Stop:      o.needStatuses("stop"),
		Due:       o.get("due").name(),
		EndOfDay:  o.get("due_at").oneOf("end_of_day") != "",
		PauseIn:   names(o.get("pause_in").list(), p.stageName),
		Objective: defaultObjective,
	}
	if objective := o.get("objective"); objective.present() {
		out.Objective = objective.share()
	}
	o.get("stop").apart(out.Stop, out.Start, "start")
	out.Within, out.Overrides, out.Calendar = p.deadline(o)
	o.oneDeadline()
	return out, o
}

// oneDeadline holds a promise to one way of saying when it is due.
func (o object) oneDeadline() {
	within, due := o.get("within"), o.get("due")
	switch {
	case len(o.members) == 0: // reported already
	case !within.present() && !due.present():
		o.fail("needs within, or due with the attribute that holds the promised instant")
	case !due.present():
		if at := o.get("due_at"); at.present() {
			at.fail("belongs to due")
		}
	default:
		for _, name := range []string{"within", "pause_in", "overrides"} {
			if f := o.get(name); f.present() {
				f.fail("cannot stand beside due: the promised instant is fixed")
			}
		}
	}
}
