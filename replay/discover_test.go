package replay_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// About one visit in twenty is late of the deadlines that were learned from the same log.
func TestADraftedFlowFitsItsLog(t *testing.T) {
	for _, name := range []string{"Production_simod.xes.gz", "Helpdesk_Italian.xes.gz"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(data, "logs", name)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("the log is not here: %v", err)
			}
			m := replay.StandardXES("log")
			text, _, err := replay.Discover(t.Context(), replay.DiscoverOptions{Name: name, Mapping: m, Files: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			flow, err := order.ParseFlow("draft", text)
			if err != nil || len(flow.Warnings) > 0 {
				t.Fatalf("%v, %v\n%s", err, flow.Warnings, text)
			}
			r, err := replay.Run(t.Context(), replay.Options{Flow: flow, Mapping: m, Files: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for _, s := range r.Stages {
				t.Logf("%s: %d visits, %d late, %d skipped, %d open", s.Name, s.Visits, s.Late, s.Skipped, s.Open+s.Stuck)
				if s.Visits < 200 {
					continue
				}
				checked++
				if share := float64(s.Late) / float64(s.Visits); share < 0.02 || share > 0.08 {
					t.Errorf("%s: %.1f %% of %d visits are late", s.Name, 100*share, s.Visits)
				}
			}
			if checked < 3 {
				t.Errorf("%d stages with 200 visits, want more", checked)
			}
			if t.Failed() {
				t.Logf("%s", text)
			}
		})
	}
}
