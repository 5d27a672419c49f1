package collector

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/order"
)

const otherSource = "other" // of events whose source the flow does not name: senders choose names, labels are bounded

type metrics struct {
	sources    map[string]bool
	events     *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	commit     prometheus.Histogram
	refused    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, flow *order.Flow) (*metrics, error) {
	m := &metrics{
		sources: map[string]bool{},
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_events_total",
			Help: "Events received, by what became of them: accepted, duplicate, deferred, or the reason of the rejection.",
		}, []string{"source", "result"}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderwatch_duplicate_events_total",
			Help: "Events received again and recognised.",
		}, []string{"source"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "orderwatch_commit_duration_seconds",
			Help:    "Time to make one batch of events durable.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orderwatch_requests_refused_total",
			Help: "Requests answered with \"unavailable\": overload, or the store is down.",
		}),
	}
	for _, c := range []prometheus.Collector{m.events, m.duplicates, m.commit, m.refused} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register collector metrics: %w", err)
		}
	}
	for _, s := range flow.Sources {
		m.sources[s.Name] = true
		m.seed(s.Name)
	}
	m.seed(otherSource)
	return m, nil
}

// seed makes the counters of a source exist before the first event.
func (m *metrics) seed(source string) {
	m.events.WithLabelValues(source, "accepted")
	m.events.WithLabelValues(source, "duplicate")
	m.duplicates.WithLabelValues(source)
}

func (m *metrics) count(source string, o *Outcome) {
	if !m.sources[source] {
		source = otherSource
	}
	m.events.WithLabelValues(source, o.label()).Inc()
	if o.Result == Duplicate {
		m.duplicates.WithLabelValues(source).Inc()
	}
}
