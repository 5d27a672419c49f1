package order

import "slices"

// doubts warns of what is allowed but will not work as the writer may expect.
func (p *flowReader) doubts(top object) {
	if len(p.flow.Sources) == 0 {
		top.get("sources").warn("there are none: absence cannot be proven, every overdue order will be unknown")
		return
	}
	for i := range p.flow.Stages {
		p.doubtStage(i)
	}
	for i, promise := range p.flow.Promises {
		p.doubtStatuses(p.promiseObjects[i].get("start"), promise.Start)
		p.doubtStatuses(p.promiseObjects[i].get("stop"), promise.Stop)
	}
	p.doubtStatuses(top.get("finish"), p.flow.Finish)
	p.doubtStatuses(top.get("cancel"), p.flow.Cancel)
}

func (p *flowReader) doubtStage(i int) {
	s, o := &p.flow.Stages[i], p.stageObjects[i]
	deadline := !s.Within.IsZero() || len(s.Overrides) > 0
	if deadline && len(s.Reporters) == 0 {
		o.get("leave").warn("no source can report it: absence cannot be proven, its overdue orders will be unknown")
	} else {
		p.doubtStatuses(o.get("leave"), s.Leave)
	}
	p.doubtStatuses(o.get("enter"), s.Enter)
	if s.Parallel {
		return
	}
	for _, other := range p.flow.Stages[:i] {
		for _, status := range s.Enter {
			if !other.Parallel && slices.Contains(other.Enter, status) {
				o.get("enter").warn("%s enters stage %q too: an order is in one serial stage at a time", status, other.Name)
			}
		}
	}
}

// doubtStatuses warns of statuses that no source reports: most often a slip of the pen.
func (p *flowReader) doubtStatuses(f field, list []Status) {
	for _, status := range list {
		if !slices.ContainsFunc(p.flow.Sources, func(s FlowSource) bool { return status.Matches(s.Reports) }) {
			f.warn("no source reports %s", status)
		}
	}
}
