package testbed

import (
	"math"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
)

func TestCompressFlow(t *testing.T) {
	for name, test := range map[string]struct {
		in, want string
		factor   float64
	}{
		"open time is divided":                        {"within: 1h30m\n", "within: 54s\n", 100},
		"days are elapsed time":                       {"within: 21d\n", "within: 19s\n", 100_000},
		"a working day is 24 hours":                   {"within: 10wd\n", "within: 864s\n", 1000},
		"seconds are rounded up":                      {"within: 301s\n", "within: 4s\n", 100},
		"no deadline is below two seconds":            {"within: 5m\n", "within: 2s\n", 100_000},
		"the grouping's close_after is divided":       {"incidents: {close_after: 30m}\n", "incidents: {close_after: 18s}\n", 100},
		"calendars are always open":                   {"calendar: office\n", "calendar: always\n", 2},
		"the calendars themselves stay":               {"calendars: {office: {hours: {mon-fri: [\"09:00-18:00\"]}}}\n", "calendars: {office: {hours: {mon-fri: [\"09:00-18:00\"]}}}\n", 2},
		"overrides and comments are reached and kept": {"stages:\n  - name: calculation # slow\n    overrides: [{when: {channel: b2b}, within: 20m}]\n", "stages:\n  - name: calculation # slow\n    overrides: [{when: {channel: b2b}, within: 120s}]\n", 10},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := CompressFlow([]byte(test.in), test.factor)
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		in     string
		factor float64
	}{
		"no duration":                   {"within: soon\n", 10},
		"no number of days":             {"within: xd\n", 10},
		"no YAML":                       {"a: [\n", 10},
		"a factor below 1":              {"within: 1d\n", 0.5},
		"a factor that is not a number": {"within: 1d\n", math.NaN()},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			if got, err := CompressFlow([]byte(test.in), test.factor); err == nil {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTheDefaultFlowStaysAFlowAndTheCompanyKnowsEveryStatusOfIt(t *testing.T) {
	text, err := CompressFlow(examples.Flow(), fast)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := order.ParseFlow("compressed.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	known := append([]string{"crm/CANCELLED"}, shopWay...)
	statuses := slices.Concat(flow.Finish, flow.Cancel)
	for _, stage := range flow.Stages {
		if stage.Within.Amount > time.Minute {
			t.Errorf("stage %s: within %s", stage.Name, stage.Within)
		}
		statuses = slices.Concat(statuses, stage.Enter, stage.Leave)
	}
	for _, status := range statuses {
		if !slices.Contains(known, status.String()) {
			t.Errorf("no application sets %s", status)
		}
	}
}

func FuzzCompressFlow(f *testing.F) {
	f.Add("stages: [{name: a, within: 1wd, calendar: office}]\n")
	f.Add("within: 99999999999999999999d\n")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := CompressFlow([]byte(text), 1000)
		if err != nil {
			return
		}
		var into yaml.Node
		if err := yaml.Unmarshal(out, &into); err != nil {
			t.Errorf("%q became %q: %v", text, out, err)
		}
	})
}
