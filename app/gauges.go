package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/sla"
)

// gauges exports the last overview: always every stage and source, zero included. Timestamps and
// ages are absent where there is nothing to be old.
type gauges struct {
	overview  func() *sla.Overview // nil until the state is restored
	incidents func() *[]sla.Incident
	balance   func() *sla.LedgerOverview
	channels  *channels
	now       func() time.Time
}

var (
	inStageDesc  = prometheus.NewDesc("orderwatch_orders_in_stage", "Orders in a stage now.", []string{"stage", "channel"}, nil)
	overdueDesc  = prometheus.NewDesc("orderwatch_orders_overdue", "Orders proven stuck in a stage, by cause.", []string{"stage", "channel", "cause"}, nil)
	unknownDesc  = prometheus.NewDesc("orderwatch_orders_unknown", "Orders past a stage's deadline of which a blind source keeps us from knowing.", []string{"stage"}, nil)
	brokenDesc   = prometheus.NewDesc("orderwatch_orders_quarantined", "Orders whose events could not be folded: an error of ours.", nil, nil)
	oldestDesc   = prometheus.NewDesc("orderwatch_stage_oldest_age_seconds", "Age of the order that has been in a stage for longest; 0 where none is.", []string{"stage"}, nil)
	incidentDesc = prometheus.NewDesc("orderwatch_incident_orders", "Orders in an open incident; 0 while it waits to be closed.", []string{"incident", "stage", "cause", "severity"}, nil)

	handoffPublishedDesc = prometheus.NewDesc("orderwatch_handoff_published_total", "Orders whose message the tap of a hand-off saw.", []string{"handoff"}, nil)
	handoffArrivedDesc   = prometheus.NewDesc("orderwatch_handoff_arrived_total", "Of those, orders that arrived.", []string{"handoff"}, nil)
	handoffPendingDesc   = prometheus.NewDesc("orderwatch_handoff_pending_orders", "Orders that were published and may still arrive.", []string{"handoff"}, nil)
	handoffLostDesc      = prometheus.NewDesc("orderwatch_handoff_lost_orders", "Orders that were published and are proven not to have arrived by their deadline.", []string{"handoff"}, nil)

	watermarkAgeDesc = prometheus.NewDesc("orderwatch_source_watermark_age_seconds", "Time since the instant through which a source is known to have sent everything.", []string{"source"}, nil)
	sourceGapsDesc   = prometheus.NewDesc("orderwatch_source_gaps_total", "Gaps a source recorded or left.", []string{"source"}, nil)
	clockOffsetDesc  = prometheus.NewDesc("orderwatch_source_clock_offset_seconds", "The watched system's clock less the sidecar's.", []string{"source"}, nil)
)

func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{inStageDesc, overdueDesc, unknownDesc, brokenDesc, oldestDesc, incidentDesc,
		handoffPublishedDesc, handoffArrivedDesc, handoffPendingDesc, handoffLostDesc, watermarkAgeDesc, sourceGapsDesc, clockOffsetDesc} {
		out <- d
	}
}

func (g *gauges) Collect(out chan<- prometheus.Metric) {
	view := g.overview()
	if view == nil {
		return
	}
	gauge(out, brokenDesc, float64(view.Quarantined))
	for _, i := range *g.incidents() {
		gauge(out, incidentDesc, float64(i.Orders), i.ID.String(), i.Stage, string(i.Cause), string(i.Severity))
	}
	for _, h := range g.balance().Handoffs {
		out <- prometheus.MustNewConstMetric(handoffPublishedDesc, prometheus.CounterValue, float64(h.Totals.Published), h.Stage)
		out <- prometheus.MustNewConstMetric(handoffArrivedDesc, prometheus.CounterValue, float64(h.Totals.Arrived), h.Stage)
		gauge(out, handoffPendingDesc, float64(h.Pending), h.Stage)
		gauge(out, handoffLostDesc, float64(h.Lost), h.Stage)
	}
	for i := range view.Stages {
		g.stage(out, &view.Stages[i])
	}
	for i := range view.Sources {
		g.source(out, &view.Sources[i])
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// stage adds up channels that share a label, since a label set may be exported once only.
func (g *gauges) stage(out chan<- prometheus.Metric, s *sla.StageOverview) {
	type pair struct {
		channel string
		cause   sla.Cause
	}
	open, overdue := map[string]int{"": 0}, map[pair]int{}
	for name, c := range s.Channels {
		label := g.channels.label(name)
		open[label] += c.Open
		for cause, n := range c.Overdue {
			overdue[pair{label, cause}] += n
		}
	}
	for label, n := range open {
		gauge(out, inStageDesc, float64(n), s.Stage, label)
		for _, cause := range sla.Causes() {
			gauge(out, overdueDesc, float64(overdue[pair{label, cause}]), s.Stage, label, string(cause))
		}
	}
	gauge(out, unknownDesc, float64(s.Unknown), s.Stage)
	age := 0.0
	if !s.Oldest.IsZero() {
		age = max(0, g.now().Sub(s.Oldest).Seconds())
	}
	gauge(out, oldestDesc, age, s.Stage)
}

func (g *gauges) source(out chan<- prometheus.Metric, s *sla.SourceState) {
	if !s.Watermark.IsZero() {
		gauge(out, watermarkAgeDesc, g.now().Sub(s.Watermark.Add(-s.Offset)).Seconds(), s.Name)
	}
	out <- prometheus.MustNewConstMetric(sourceGapsDesc, prometheus.CounterValue, float64(s.GapsTotal), s.Name)
	gauge(out, clockOffsetDesc, s.Offset.Seconds(), s.Name)
}
