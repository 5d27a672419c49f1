package rabbitmq

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	messages   *prometheus.CounterVec
	tapReady   *prometheus.GaugeVec
	reconnects prometheus.Counter
	depth      *prometheus.GaugeVec
	unacked    *prometheus.GaugeVec
	consumers  *prometheus.GaugeVec
	dead       *prometheus.GaugeVec
}

func newMetrics(taps []Tap) *metrics {
	gauge := func(name, help, label string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{label})
	}
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_exporter_tap_messages_total",
			Help: "Messages of tapped exchanges, by what became of them.",
		}, []string{"exchange", "result"}),
		tapReady: gauge("orderwatch_exporter_tap_ready", "Messages that stand in our own tap queue.", "exchange"),
		reconnects: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orderwatch_exporter_reconnects_total", Help: "Sessions with the broker that ended and were begun anew.",
		}),
		depth:     gauge("orderwatch_queue_depth", "Messages in an application's queue: ready, and unacknowledged where the management API is configured.", "queue"),
		unacked:   gauge("orderwatch_queue_unacked", "Messages delivered to consumers and not acknowledged. Needs the management API.", "queue"),
		consumers: gauge("orderwatch_queue_consumers", "Consumers of an application's queue.", "queue"),
		dead:      gauge("orderwatch_dead_letters", "Messages in a dead-letter queue.", "queue"),
	}
	for _, t := range taps {
		for _, result := range []string{resultEvent, resultDuplicate, resultNoKey, resultNotJSON, resultTooLarge, resultDropped} {
			m.messages.WithLabelValues(t.Exchange, result)
		}
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.messages, m.tapReady, m.reconnects, m.depth, m.unacked, m.consumers, m.dead} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
