package config

import (
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/postgres"
	"github.com/alexandrite/orderwatch/exporters/rabbitmq"
	"github.com/alexandrite/orderwatch/telemetry"
)

// Sidecar is sidecar.yaml: what every sidecar shares, and the section of the one kind it is.
type Sidecar struct {
	exporters.Config `yaml:",inline"`

	Postgres *postgres.Config    `yaml:"postgres"`
	RabbitMQ *rabbitmq.Config    `yaml:"rabbitmq"`
	Log      telemetry.LogConfig `yaml:"log"`
}

// LoadSidecar reads sidecar.yaml. Its error is order.Problems, or that the file cannot be read.
func LoadSidecar(path string) (*Sidecar, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return ParseSidecar(path, data)
}

// ParseSidecar is LoadSidecar for text at hand; a relative spool directory is taken from the folder of path.
func ParseSidecar(path string, data []byte) (*Sidecar, error) {
	s := Sidecar{Config: exporters.DefaultConfig()}
	if hasField(data, "postgres") {
		section := postgres.DefaultConfig()
		s.Postgres = &section
	}
	if hasField(data, "rabbitmq") {
		s.RabbitMQ = &rabbitmq.Config{}
	}
	if err := decode(path, data, &s, s.validate); err != nil {
		return nil, err
	}
	s.Spool.Dir = from(path, s.Spool.Dir)
	return &s, nil
}

// hasField reports whether a document has a field of that name. What is no document has none.
func hasField(data []byte, name string) bool {
	var fields map[string]yaml.Node
	_ = yaml.Unmarshal(data, &fields) // decode reports it
	_, ok := fields[name]
	return ok
}

// Kind returns the kind of sidecar.
func (s *Sidecar) Kind() string {
	if s.RabbitMQ != nil {
		return "rabbitmq"
	}
	return "postgres"
}

func (s *Sidecar) validate() []error {
	problems := s.Config.Validate()
	switch {
	case s.Postgres != nil && s.RabbitMQ != nil:
		problems = append(problems, errors.New("rabbitmq: a sidecar watches one system: postgres is given too"))
	case s.Postgres != nil:
		problems = append(problems, under("postgres", s.Postgres.Validate())...)
	case s.RabbitMQ != nil:
		problems = append(problems, under("rabbitmq", s.RabbitMQ.Validate())...)
	default:
		problems = append(problems, errors.New("postgres: neither a postgres nor a rabbitmq section is given"))
	}
	return append(problems, under("log", s.Log.Validate())...)
}
