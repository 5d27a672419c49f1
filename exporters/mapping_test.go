package exporters

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestStatusesRenameDropAndPass(t *testing.T) {
	s := Statuses{"NEW": "SUBMITTED", "DRAFT": ""}
	for raw, want := range map[string]string{"NEW": "SUBMITTED", "DRAFT": "", "SHIPPED": "SHIPPED", "": ""} {
		if got, ok := s.Name(raw); got != want || ok != (want != "") {
			t.Errorf("%q became %q, %v", raw, got, ok)
		}
	}
}

func TestCutKeepsCharactersWhole(t *testing.T) {
	for n := MaxValue - 3; n <= MaxValue; n++ {
		if got := Cut(strings.Repeat("x", n) + "жжж"); len(got) > MaxValue || !utf8.ValidString(got) {
			t.Errorf("after %d bytes: %d bytes, valid %v", n, len(got), utf8.ValidString(got))
		}
	}
}

func TestBackoffDoublesToItsMaximumAndBeginsAgain(t *testing.T) {
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second}
	for i, ceiling := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		ceiling *= time.Millisecond
		if d := b.Next(); d < ceiling/2 || d > ceiling {
			t.Errorf("wait %d is %v, want %v to %v", i, d, ceiling/2, ceiling)
		}
	}
	for range 100 {
		b.Next()
	}
	b.Reset()
	if d := b.Next(); d > b.Min {
		t.Errorf("wait after a reset is %v", d)
	}
}

func TestConfigProblemsAreAllSaid(t *testing.T) {
	c := Config{Environment: "test", Listen: "9464", Collector: CollectorConfig{Endpoint: "http://x:4318", Protocol: HTTP}, Spool: SpoolConfig{WhenFull: "x"}}
	var all strings.Builder
	for _, err := range c.Validate() {
		all.WriteString(err.Error() + "\n")
	}
	for _, want := range []string{"source:", "service:", "environment:", "collector.endpoint:", "collector.compression:",
		"spool.dir:", "spool.max_bytes:", "spool.when_full:", "listen:"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %q in\n%s", want, all.String())
		}
	}
}
