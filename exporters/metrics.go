package exporters

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/order"
)

// metrics is the sidecar's own account, labelled with its source.
type metrics struct {
	events     *prometheus.CounterVec
	sent       prometheus.Counter
	rejected   prometheus.Counter
	drops      *prometheus.CounterVec
	retries    prometheus.Counter
	restarts   prometheus.Counter
	spoolBytes prometheus.Gauge
	lag        prometheus.GaugeFunc
	sourceUp   prometheus.Gauge
}

func newMetrics(lag func() float64) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "orderwatch_exporter_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "orderwatch_exporter_" + name, Help: help})
	}
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_exporter_events_total", Help: "Events made durable in the spool, by kind."}, []string{"kind"}),
		sent:     counter("sent_total", "Events the collector acknowledged."),
		rejected: counter("rejected_total", "Events the collector took the batch of but rejected singly."),
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_exporter_dropped_total", Help: "Events given up, each covered by a gap, by reason."}, []string{"reason"}),
		retries:    counter("retries_total", "Sends repeated because the collector did not take them."),
		restarts:   counter("source_restarts_total", "Times the source failed and was started again."),
		spoolBytes: gauge("spool_bytes", "Bytes of the spool on disk."),
		sourceUp:   gauge("source_up", "1 while the source runs, 0 while it waits to be started again."),
		lag: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "orderwatch_exporter_lag_seconds",
			Help: "Seconds since the oldest event not yet acknowledged was seen; 0 when there is none."}, lag),
	}
	for k := order.KindStatus; k <= order.KindGap; k++ {
		m.events.WithLabelValues(k.EventName())
	}
	m.drops.WithLabelValues(dropFull)
	m.drops.WithLabelValues(dropRefused)
	return m
}

// Reasons of dropped events.
const (
	dropFull    = "spool_full"
	dropRefused = "refused"
)

func (m *metrics) register(r prometheus.Registerer, source string) error {
	r = prometheus.WrapRegistererWith(prometheus.Labels{"source": source}, r)
	for _, c := range []prometheus.Collector{m.events, m.sent, m.rejected, m.drops, m.retries, m.restarts, m.spoolBytes, m.lag, m.sourceUp} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) appended(events []order.Event) {
	for i := range events {
		m.events.WithLabelValues(events[i].Kind.EventName()).Inc()
	}
}

func (m *metrics) dropped(reason string, n uint64) {
	m.drops.WithLabelValues(reason).Add(float64(n))
}
