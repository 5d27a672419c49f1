package app

import (
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

const (
	otherLabel  = "other" // stands for a partner that the flow does not name, or a channel too many
	maxChannels = 16
)

// metrics are the engine's figures for Prometheus: counters and histograms of what happened, and
// gauges read from the last overview.
type metrics struct {
	partners   map[string]bool
	channels   *channels
	created    *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	leadTimes  *prometheus.HistogramVec
	promises   *prometheus.CounterVec
	retracted  *prometheus.CounterVec
	detections prometheus.Histogram

	transitions *prometheus.CounterVec
	repeats     *prometheus.CounterVec
	conflicts   prometheus.Counter
}

func newMetrics(flow *order.Flow, r prometheus.Registerer) *metrics {
	buckets := durationBuckets(flow)
	m := &metrics{
		partners: map[string]bool{},
		channels: &channels{known: map[string]bool{}},
		created: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_orders_created_total", Help: "Orders seen for the first time."}, []string{"channel", "partner"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "orderwatch_stage_duration_seconds", Help: "Time orders spent in a stage, by corrected clocks, without skipped visits.", Buckets: buckets}, []string{"stage", "channel"}),
		leadTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "orderwatch_lead_time_seconds", Help: "Time from a promise's start to its stop, without cancelled ones.", Buckets: buckets}, []string{"promise", "channel"}),
		promises: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_promises_total", Help: "Promises that became final."}, []string{"promise", "channel", "partner", "result"}),
		retracted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_verdicts_retracted_total", Help: "Stuck verdicts taken back because a late fact showed that all was well: our own false alarms."}, []string{"stage"}),
		detections: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "orderwatch_detection_delay_seconds", Help: "From a deadline to the stuck verdict.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2, 5, 15, 60, 300, 1800, 7200}}),
	}
	m.transitions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "orderwatch_transitions_total", Help: "Times that one status directly followed another in an order, and whether the flow foresees it."}, []string{"from", "to", "expected"})
	m.repeats = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "orderwatch_repeated_statuses_total", Help: "Times that a system said the same status of an order again."}, []string{"system", "status"})
	m.conflicts = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "orderwatch_identity_conflicts_total", Help: "Events with a key that was refused, because their order has another of that name or a person keeps the two apart."})
	for _, p := range flow.Partners {
		m.partners[p] = true
	}
	for _, s := range flow.Stages {
		m.retracted.WithLabelValues(s.Name)
	}
	r.MustRegister(m.created, m.durations, m.leadTimes, m.promises, m.retracted, m.detections, m.transitions, m.repeats, m.conflicts)
	return m
}

// durationBuckets spreads about two dozen bounds from 1 s to 90 d and adds every deadline of the flow,
// so that the share within a deadline is exact.
func durationBuckets(flow *order.Flow) []float64 {
	bounds := map[float64]bool{}
	for _, d := range []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200} {
		bounds[d] = true
	}
	const day = 86400
	for _, d := range []float64{1, 2, 3, 5, 7, 14, 21, 30, 60, 90} {
		bounds[d*day] = true
	}
	add := func(s order.Span) {
		switch {
		case s.Unit == order.WorkingDays:
			bounds[float64(s.Days)*day] = true
		case !s.IsZero():
			bounds[s.Amount.Seconds()] = true
		}
	}
	for _, s := range flow.Stages {
		add(s.Within)
	}
	for _, p := range flow.Promises {
		add(p.Within)
	}
	return slices.Sorted(maps.Keys(bounds))
}

func (m *metrics) partner(name string) string {
	if name == "" || m.partners[name] {
		return name
	}
	return otherLabel
}

// observe counts what a change reports.
func (m *metrics) observe(c *sla.Change) {
	for _, o := range c.Created {
		m.created.WithLabelValues(m.channels.label(o.Channel), m.partner(o.Partner)).Inc()
	}
	for _, v := range c.Closed {
		if v.Visit.Verdict != sla.VerdictSkipped {
			m.durations.WithLabelValues(v.Visit.Stage, m.channels.label(v.Channel)).Observe(v.Visit.Left.Sub(v.Visit.Entered).Seconds())
		}
	}
	for _, p := range c.Settled {
		m.promises.WithLabelValues(p.Promise.Name, m.channels.label(p.Channel), m.partner(p.Partner), string(p.Promise.Verdict)).Inc()
		if p.Promise.Verdict != sla.PromiseCancelled {
			m.leadTimes.WithLabelValues(p.Promise.Name, m.channels.label(p.Channel)).Observe(p.Promise.Stop.Sub(p.Promise.Start).Seconds())
		}
	}
	for _, t := range c.Transitions {
		m.transitions.WithLabelValues(statusLabel(t.From), statusLabel(t.To), strconv.FormatBool(t.Expected)).Add(float64(t.Count))
	}
	for _, r := range c.Repeats {
		system, status := otherLabel, otherLabel
		if r.Status != (order.Status{}) {
			system, status = r.Status.System, r.Status.Name
		}
		m.repeats.WithLabelValues(system, status).Add(float64(r.Count))
	}
	m.conflicts.Add(float64(c.Conflicts))
	for _, a := range c.Audit {
		switch a.Kind {
		case sla.AuditStuck:
			m.detections.Observe(a.At.Sub(a.Deadline).Seconds())
		case sla.AuditRetracted:
			m.retracted.WithLabelValues(a.Stage).Inc()
		}
	}
}

// statusLabel bounds the label: a status that the flow does not name is another.
func statusLabel(s order.Status) string {
	if s == (order.Status{}) {
		return otherLabel
	}
	return s.String()
}

// channels bounds the values of the channel label: they come from the watched systems.
type channels struct {
	mu    sync.Mutex
	known map[string]bool
}

func (c *channels) label(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known[name] {
		if len(c.known) >= maxChannels {
			return otherLabel
		}
		c.known[name] = true
	}
	return name
}
