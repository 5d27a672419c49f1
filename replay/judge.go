package replay

import (
	"context"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// judge plays the history to the engine and reports what it says.
func (o *Options) judge(ctx context.Context, h *history) (*Report, error) {
	facts, until := h.until(o.Until)
	p, err := o.play(ctx, o.Flow, h)
	if err != nil {
		return nil, err
	}
	r := tally(o.Flow, o.Mapping.Key.Name, p.engine.Flush().Orders)
	r.AsOf, r.Events, r.Rejected = stamp(until), h.counts, h.rejected
	r.Durations = durations(facts, len(h.orders))
	r.Transitions = p.steps.transitions(o.Flow, h.statuses)
	return r, nil
}

// play plays the history to a new engine, up to the freeze.
func (o *Options) play(ctx context.Context, flow *order.Flow, h *history) (*player, error) {
	facts, until := h.until(o.Until)
	p := newPlayer(flow, o.Mapping.Key.Name, h)
	done := 0
	for run := range instants(facts) {
		p.play(run)
		if (done+len(run))/checkEvery > done/checkEvery {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			o.progress(Progress{Phase: PhaseJudge, Events: done + len(run), Total: len(facts)})
		}
		done += len(run)
	}
	p.engine.Advance(until)
	return p, nil
}

// durations measures the orders from their first to their last fact; facts are sorted by time.
func durations(facts []fact, orders int) Durations {
	first := make([]int64, orders)
	long := slices.Repeat([]time.Duration{-1}, orders)
	for i := range facts {
		f := &facts[i]
		if long[f.order] < 0 {
			first[f.order] = f.at
		}
		long[f.order] = time.Duration(f.at - first[f.order])
	}
	long = slices.DeleteFunc(long, func(d time.Duration) bool { return d < 0 })
	if len(long) == 0 {
		return Durations{}
	}
	slices.Sort(long)
	return Durations{quantile(long, 0.50).Seconds(), quantile(long, 0.95).Seconds()}
}

// sourceName is the one source of replayed events.
const sourceName = "replay"

// player feeds facts to an engine, on the facts' own clock.
type player struct {
	engine  *sla.Engine
	history *history
	steps   *steps
	keys    []order.Key   // by order
	ids     []sla.OrderID // by order, in the order in which they begin; 0 before
	last    sla.OrderID
	seq     int64
	batch   sla.Batch    // reused: the engine keeps its records alone
	records []sla.Record // room for the next ones; the engine keeps what it is given
}

func newPlayer(flow *order.Flow, key string, h *history) *player {
	p := &player{
		engine:  sla.New(sla.Options{Flow: flow, ProvenByClock: true}),
		history: h, steps: newSteps(len(h.orders)),
		keys: make([]order.Key, len(h.orders)), ids: make([]sla.OrderID, len(h.orders)),
	}
	for i := range h.orders {
		p.keys[i] = order.Key{Name: key, Value: h.orders[i].key}
	}
	return p
}

// recordChunk is the number of records allocated at once.
const recordChunk = 1 << 10

// play feeds the facts of one instant. Deadlines before it are judged first, as a live engine would
// have done; one at the instant itself sees what happened then.
func (p *player) play(run []fact) {
	at := time.Unix(0, run[0].at).UTC()
	p.engine.Advance(at.Add(-1))
	if len(p.records) < len(run) {
		p.records = make([]sla.Record, max(recordChunk, len(run)))
	}
	batch := p.records[:len(run):len(run)]
	p.records = p.records[len(run):]
	for i, f := range run {
		p.fill(&batch[i], f, at)
		p.steps.add(f)
	}
	p.batch.Records, p.batch.At = batch, at
	p.engine.Apply(&p.batch)
}

func (p *player) fill(r *sla.Record, f fact, at time.Time) {
	if p.ids[f.order] == 0 {
		p.last++
		p.ids[f.order] = p.last
	}
	p.seq++
	status := &p.history.statuses[f.status]
	r.Seq, r.Order, r.Received = p.seq, p.ids[f.order], at
	e := &r.Event
	e.Kind, e.Time, e.Observed = order.KindStatus, at, at
	e.Position = order.Position{Source: sourceName, Epoch: 1, Seq: uint64(p.seq)}
	e.System, e.Status = status.System, status.Name
	e.Keys = p.keys[f.order : f.order+1 : f.order+1]
	e.Attrs = p.history.attrs[f.attrs]
}
