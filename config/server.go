package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/telemetry"
)

// Server is orderwatch.yaml: one instance for one environment and one flow.
type Server struct {
	Environment string              `yaml:"environment"` // dev, release or prod
	Flow        string              `yaml:"flow"`        // path of the flow file, from this file's folder; empty: the built-in example
	Store       Store               `yaml:"store"`
	Collector   Collector           `yaml:"collector"`
	Web         Web                 `yaml:"web"`
	Log         telemetry.LogConfig `yaml:"log"`
}

// Store says where the journal and the read model are kept.
type Store struct {
	Driver string `yaml:"driver"` // sqlite or postgres
	Path   string `yaml:"path"`   // sqlite: the file, from this file's folder
	DSN    string `yaml:"dsn"`    // postgres
}

// Collector says where events are received. An empty address closes that way in.
type Collector struct {
	GRPC          string `yaml:"grpc"`
	HTTP          string `yaml:"http"`
	AllowInsecure bool   `yaml:"allow_insecure"` // an address off loopback without TLS

	// HoleAfter is how long a missing record is waited for. Then it counts as lost: the source proves
	// again, but nothing about the time of the loss, for which verdicts stay unknown.
	HoleAfter time.Duration `yaml:"hole_after"`
}

const minHoleAfter = time.Second

// Web says where pages, API and metrics are served.
type Web struct {
	Listen        string `yaml:"listen"`
	AllowInsecure bool   `yaml:"allow_insecure"` // an address off loopback without access control
}

// The drivers of a Store.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

func defaultServer() Server {
	return Server{
		Environment: "prod",
		Store:       Store{Driver: SQLite, Path: "orderwatch.db"},
		Collector:   Collector{GRPC: "127.0.0.1:4317", HTTP: "127.0.0.1:4318", HoleAfter: 15 * time.Minute},
		Web:         Web{Listen: "127.0.0.1:8080"},
	}
}

// LoadServer reads orderwatch.yaml. Its error is order.Problems, or that the file cannot be read.
func LoadServer(path string) (*Server, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return ParseServer(path, data)
}

// ParseServer is LoadServer for text at hand; relative paths are taken from the folder of path.
func ParseServer(path string, data []byte) (*Server, error) {
	s := defaultServer()
	if err := decode(path, data, &s, s.validate); err != nil {
		return nil, err
	}
	s.Flow, s.Store.Path = from(path, s.Flow), from(path, s.Store.Path)
	return &s, nil
}

// from takes a relative path from the folder of the file that names it.
func from(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

func (s *Server) validate() []error {
	var problems []error
	if !slices.Contains([]string{"dev", "release", "prod"}, s.Environment) {
		problems = append(problems, fmt.Errorf("environment: %q is none of dev, release, prod", s.Environment))
	}
	problems = append(problems, under("store", s.Store.validate())...)
	problems = append(problems, under("collector", s.Collector.validate())...)
	problems = append(problems, under("web", s.Web.validate())...)
	return append(problems, under("log", s.Log.Validate())...)
}

func (s *Store) validate() []error {
	switch {
	case s.Driver == SQLite && s.Path == "":
		return []error{errors.New("path: is required for sqlite")}
	case s.Driver == Postgres && s.DSN == "":
		return []error{errors.New("dsn: is required for postgres")}
	case s.Driver != SQLite && s.Driver != Postgres:
		return []error{fmt.Errorf("driver: %q is neither sqlite nor postgres", s.Driver)}
	}
	return nil
}

func (c *Collector) validate() []error {
	problems := slices.Concat(address("grpc", c.GRPC, c.AllowInsecure), address("http", c.HTTP, c.AllowInsecure))
	if c.GRPC == "" && c.HTTP == "" {
		problems = append(problems, errors.New("grpc: neither grpc nor http is given: nothing could be received"))
	}
	if c.HoleAfter < minHoleAfter {
		problems = append(problems, fmt.Errorf("hole_after: %v is too short, at least %v", c.HoleAfter, minHoleAfter))
	}
	return problems
}

func (w *Web) validate() []error {
	if w.Listen == "" {
		return []error{errors.New("listen: is required")}
	}
	return address("listen", w.Listen, w.AllowInsecure)
}

// address checks host:port. Off loopback nothing protects it, so that has to be said.
func address(field, value string, allowed bool) []error {
	if value == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(value)
	if err != nil {
		return []error{fmt.Errorf("%s: %q is not host:port", field, value)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !allowed {
		return []error{fmt.Errorf("%s: %q can be reached from other machines without credentials: use a loopback address, or say allow_insecure: true", field, value)}
	}
	return nil
}
