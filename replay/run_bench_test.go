package replay_test

import (
	"testing"

	"github.com/alexandrite/orderwatch/replay"
)

// BenchmarkRun replays 53,625 events of 13,965 orders, reading included.
func BenchmarkRun(b *testing.B) {
	o := options(b, "olist", "orders/olist_orders_2016_2017.csv.gz")
	var events int
	for b.Loop() {
		r, err := replay.Run(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		events = r.Events.Accepted
	}
	b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
}
