// Package telemetry owns how our own processes speak about themselves: the log's form and the
// registry of metrics. Loggers and registries are safe for concurrent use.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// LogConfig is the `log` section of a config file.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; defaults to info
	Format string `yaml:"format"` // text or json; defaults to text
}

// Validate returns every problem, each with its field path.
func (c *LogConfig) Validate() []error {
	var problems []error
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); c.Level != "" && err != nil {
		problems = append(problems, fmt.Errorf("level: %q is none of debug, info, warn, error", c.Level))
	}
	if c.Format != "" && c.Format != "text" && c.Format != "json" {
		problems = append(problems, fmt.Errorf("format: %q is neither text nor json", c.Format))
	}
	return problems
}

// Logger returns a logger that writes to w. The config is valid.
func (c *LogConfig) Logger(w io.Writer) *slog.Logger {
	var level slog.Level // info where none is given
	if c.Level != "" {
		_ = level.UnmarshalText([]byte(strings.ToUpper(c.Level))) // validated
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// NewRegistry returns a registry that has the metrics of the Go runtime and of the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
