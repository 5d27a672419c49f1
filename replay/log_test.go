package replay_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// anyLog is a flow that fits every log: its one stage has statuses that no log has.
const anyLog = `version: 1
flow: any
keys: [case]
sources: [{name: replay, reports: [log/*]}]
stages: [{name: none, kind: human, enter: [log/no such status], leave: [log/nor this one]}]
finish: [log/nor that one]
`

func logOptions(t testing.TB, file, flow string) replay.Options {
	t.Helper()
	path := filepath.Join(data, "logs", file)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the log is not here: %v", err)
	}
	f, err := order.ParseFlow("flow.yaml", []byte(flow))
	if err != nil {
		t.Fatal(err)
	}
	m, err := replay.StandardMapping(f)
	if err != nil {
		t.Fatal(err)
	}
	return replay.Options{Flow: f, Mapping: m, Files: []string{path}}
}

// Cases and events as the logs' publishers count them; median and 95th percentile, in days, of the time from
// a case's first to its last event, made by a script that reads the file by regular expressions. pm4py 2.7.11
// has the same but for the hour of summer time, as it drops the offsets: 71.967 for Production, 198 for fines.
func TestLogsAreReadWhole(t *testing.T) {
	cases := map[string]struct {
		cases, events int
		p50, p95      float64 // 0: not known
	}{
		"Production_simod.xes.gz":              {225, 9906, 13.901, 71.958},
		"Helpdesk_Italian.xes.gz":              {4580, 21348, 39.859, 57.977},
		"BPIC2012.xes.gz":                      {13087, 262200, 0.809, 31.342},
		"BPIC2019_1trace_per_variant.xes.gz":   {11973, 338247, 84.946, 282.049},
		"RoadTrafficFines.xes.gz":              {150370, 561470, 198.042, 968},
		"BPIC2013_closed_problems.xes.gz":      {1487, 6660, 82.022, 659.852},
		"BPIC2020_DomesticDeclarations.xes.gz": {10357, 55628, 7.312, 27.939},
		"pm4py_running-example.xes":            {6, 42, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := replay.Run(t.Context(), logOptions(t, name, anyLog))
			if err != nil {
				t.Fatal(err)
			}
			if r.Orders.Total != c.cases || r.Events.Read != c.events || r.Rejected.Len() != 0 {
				t.Errorf("%d cases, %+v, %d not used; want %d cases, %d events", r.Orders.Total, r.Events, r.Rejected.Len(), c.cases, c.events)
			}
			const day = 86_400
			p50, p95 := r.Durations.P50/day, r.Durations.P95/day
			if c.p50 != 0 && (math.Abs(p50-c.p50) > 0.001 || math.Abs(p95-c.p95) > 0.001) {
				t.Errorf("half within %.3f days, 95 %% within %.3f; want %.3f and %.3f", p50, p95, c.p50, c.p95)
			}
		})
	}
}

// BenchmarkReplayXES replays 262,200 and 561,470 events through the flow drafted from them, unpacking and
// reading included.
func BenchmarkReplayXES(b *testing.B) {
	for _, name := range []string{"BPIC2012.xes.gz", "RoadTrafficFines.xes.gz"} {
		b.Run(name, func(b *testing.B) {
			o := logOptions(b, name, anyLog)
			text, _, err := replay.Discover(b.Context(), replay.DiscoverOptions{Mapping: replay.StandardXES("log"), Files: o.Files})
			if err != nil {
				b.Fatal(err)
			}
			if o.Flow, err = order.ParseFlow("draft", text); err != nil {
				b.Fatal(err)
			}
			events := 0
			for b.Loop() {
				r, err := replay.Run(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				events = r.Events.Accepted
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
