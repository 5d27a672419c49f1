package exporters

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
)

// Config is the part of sidecar.yaml every kind of sidecar shares.
type Config struct {
	Source      string          `yaml:"source"`      // name of the stream, as in the flow's sources
	Service     string          `yaml:"service"`     // the watched system, resource service.name
	Environment string          `yaml:"environment"` // dev, release or prod
	Collector   CollectorConfig `yaml:"collector"`
	Spool       SpoolConfig     `yaml:"spool"`
	Listen      string          `yaml:"listen"` // of /metrics and /healthz; empty: none
}

// CollectorConfig says where events are sent.
type CollectorConfig struct {
	Endpoint    string `yaml:"endpoint"`    // host:port for grpc, a URL for http
	Protocol    string `yaml:"protocol"`    // grpc or http (protobuf)
	Insecure    bool   `yaml:"insecure"`    // no TLS
	CAFile      string `yaml:"ca_file"`     // PEM; empty: the system's
	TokenFile   string `yaml:"token_file"`  // holds the ingest token; read again for every batch
	Compression string `yaml:"compression"` // none or gzip
}

// SpoolConfig bounds what waits on disk.
type SpoolConfig struct {
	Dir      string `yaml:"dir"`
	MaxBytes int64  `yaml:"max_bytes"`
	WhenFull string `yaml:"when_full"` // hold or drop_oldest
}

// Values of SpoolConfig.WhenFull, CollectorConfig.Protocol and CollectorConfig.Compression.
const (
	Hold       = "hold"        // the source waits: the watched system keeps what is not read yet
	DropOldest = "drop_oldest" // the oldest events go, a gap says so
	GRPC       = "grpc"
	HTTP       = "http"
	None       = "none"
	Gzip       = "gzip"
)

// DefaultConfig returns what applies where sidecar.yaml says nothing.
func DefaultConfig() Config {
	return Config{
		Environment: "prod",
		Collector:   CollectorConfig{Endpoint: "127.0.0.1:4317", Protocol: GRPC, Compression: None},
		Spool:       SpoolConfig{MaxBytes: 256 << 20, WhenFull: Hold},
	}
}

const minSpoolBytes = 1 << 20

// Validate returns every problem, each with its field path.
func (c *Config) Validate() []error {
	var out []error
	bad := func(field, format string, args ...any) {
		out = append(out, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.Source == "" {
		bad("source", "is required")
	}
	if c.Service == "" {
		bad("service", "is required")
	}
	oneOf(bad, "environment", c.Environment, "dev", "release", "prod")
	c.Collector.validate(bad)
	if c.Spool.Dir == "" {
		bad("spool.dir", "is required")
	}
	if c.Spool.MaxBytes < minSpoolBytes {
		bad("spool.max_bytes", "%d is too small, at least %d", c.Spool.MaxBytes, minSpoolBytes)
	}
	oneOf(bad, "spool.when_full", c.Spool.WhenFull, Hold, DropOldest)
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			bad("listen", "%q is not host:port", c.Listen)
		}
	}
	return out
}

func (c *CollectorConfig) validate(bad func(string, string, ...any)) {
	oneOf(bad, "collector.protocol", c.Protocol, GRPC, HTTP)
	oneOf(bad, "collector.compression", c.Compression, None, Gzip)
	if c.Insecure && c.CAFile != "" {
		bad("collector.ca_file", "has no effect with insecure")
	}
	switch c.Protocol {
	case GRPC:
		if _, _, err := net.SplitHostPort(c.Endpoint); err != nil {
			bad("collector.endpoint", "%q is not host:port", c.Endpoint)
		}
	case HTTP:
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("collector.endpoint", "%q is not an http or https URL", c.Endpoint)
		} else if u.Scheme == "http" && !c.Insecure {
			bad("collector.endpoint", "%q sends in the clear: use https or say insecure: true", c.Endpoint)
		}
	}
}

func oneOf(bad func(string, string, ...any), field, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	bad(field, "%q is none of %q", value, allowed)
}

// StateDir returns the directory in which a source may keep what belongs to its position.
func (c *Config) StateDir() string { return filepath.Join(c.Spool.Dir, "source") }
