package telemetry

import (
	"bytes"
	"strings"
	"testing"
)

func TestLogConfig(t *testing.T) {
	tests := map[string]struct {
		config   LogConfig
		problems int
		debug    bool
		json     bool
	}{
		"nothing said is info as text":           {LogConfig{}, 0, false, false},
		"debug as json":                          {LogConfig{Level: "debug", Format: "json"}, 0, true, true},
		"an unknown level and format are listed": {LogConfig{Level: "loud", Format: "xml"}, 2, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.config.Validate(); len(got) != test.problems {
				t.Fatalf("problems: %v, want %d", got, test.problems)
			}
			var out bytes.Buffer
			log := test.config.Logger(&out)
			log.Debug("quiet")
			if got := out.Len() > 0; got != test.debug {
				t.Errorf("debug written: %t, want %t", got, test.debug)
			}
			log.Info("said")
			if got := strings.HasPrefix(out.String(), "{"); got != test.json {
				t.Errorf("json: %t, want %t: %s", got, test.json, out.String())
			}
		})
	}
}

func TestRegistryHasTheProcess(t *testing.T) {
	families, err := NewRegistry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "process_cpu_seconds_total" {
			return
		}
	}
	t.Error("process_cpu_seconds_total is missing")
}
