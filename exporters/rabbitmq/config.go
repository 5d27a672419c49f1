package rabbitmq

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.yaml.in/yaml/v3"
)

// Config is the section `rabbitmq` of sidecar.yaml. A zero value stands for the default.
type Config struct {
	URL               string        `yaml:"url"`                // amqp:// or amqps://, with user and password
	ManagementURL     string        `yaml:"management_url"`     // optional; without user in it, that of url is used
	VHost             string        `yaml:"vhost"`              // Defaults to that of url.
	WatermarkInterval time.Duration `yaml:"watermark_interval"` // Defaults to 1s.
	Taps              []Tap         `yaml:"taps"`
	Queues            []string      `yaml:"queues"`             // whose depth and consumers are watched
	DeadLetterQueues  []string      `yaml:"dead_letter_queues"` // whose depth is the number of dead letters
}

// Tap says what to see of one exchange.
type Tap struct {
	Exchange     string        `yaml:"exchange"`
	ExchangeType string        `yaml:"exchange_type"` // needed without management_url, which else tells it
	RoutingKeys  []string      `yaml:"routing_keys"`  // either these,
	Mirror       Names         `yaml:"mirror"`        // or the application's queues whose binding keys to use
	MaxLength    int64         `yaml:"max_length"`    // messages; defaults to 100000
	MaxBytes     Bytes         `yaml:"max_bytes"`     // of bodies; defaults to 64MiB
	TTL          time.Duration `yaml:"ttl"`           // of messages, and of the tap without a reader; defaults to 10m
	Overflow     string        `yaml:"overflow"`      // only drop-head, the default
	Map          Mapping       `yaml:"map"`
}

// Names is a list of names; one alone may be written without brackets.
type Names []string

// UnmarshalYAML reads NAME or [NAME, NAME].
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = Names{node.Value}
		return nil
	}
	var list []string
	if err := node.Decode(&list); err != nil {
		return err
	}
	*n = list
	return nil
}

// Bytes is a size, written as a number of bytes or with the unit KiB, MiB or GiB.
type Bytes int64

// UnmarshalYAML reads 65536, 64KiB, 64MiB or 1GiB.
func (b *Bytes) UnmarshalYAML(node *yaml.Node) error {
	text, shift := node.Value, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(number), 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf("line %d: %q is not a size such as 65536, 64KiB or 64MiB", node.Line, node.Value)
	}
	*b = Bytes(n << shift)
	return nil
}

// The bounds of a tap and of the pace of watermarks.
const (
	minInterval  = 100 * time.Millisecond
	maxInterval  = time.Minute
	minTTL       = 10 * time.Second
	maxTTL       = 24 * time.Hour
	maxNameBytes = 255 // of AMQP
)

// safeTypes are the exchanges which give every queue bound to them its own copy, so that one
// more queue takes nothing from the others.
var safeTypes = []string{"topic", "direct", "fanout"}

// Validate returns everything wrong with the section, each with its field path below rabbitmq.
func (c *Config) Validate() []error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if _, err := amqp.ParseURI(c.URL); err != nil { // the error may hold the password
		bad("url", "is not an address such as amqp://user:password@host:5672/vhost")
	}
	if c.ManagementURL != "" && !isHTTP(c.ManagementURL) {
		bad("management_url", "is not an address such as http://host:15672")
	}
	if c.WatermarkInterval != 0 && (c.WatermarkInterval < minInterval || c.WatermarkInterval > maxInterval) {
		bad("watermark_interval", "must lie between %v and %v", minInterval, maxInterval)
	}
	if len(c.Taps) == 0 && len(c.Queues) == 0 && len(c.DeadLetterQueues) == 0 {
		bad("taps", "there is neither a tap nor a queue to watch")
	}
	seen := map[string]bool{}
	for i := range c.Taps {
		t, path := &c.Taps[i], fmt.Sprintf("taps[%d].", i)
		t.validate(c.ManagementURL != "", func(field, format string, args ...any) { bad(path+field, format, args...) })
		if seen[t.Exchange] {
			bad(path+"exchange", "%q has a tap already: list all its keys there", t.Exchange)
		}
		seen[t.Exchange] = true
	}
	validateQueues("queues", c.Queues, bad)
	validateQueues("dead_letter_queues", c.DeadLetterQueues, bad)
	return errs
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func validateQueues(field string, names []string, bad func(field, format string, args ...any)) {
	for i, name := range names {
		path := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case name == "" || len(name) > maxNameBytes:
			bad(path, "must be the name of a queue")
		case slices.Index(names, name) < i:
			bad(path, "%q is listed twice", name)
		}
	}
}

func (t *Tap) validate(managed bool, bad func(field, format string, args ...any)) {
	switch {
	case t.Exchange == "" || t.Exchange == "amq.default":
		bad("exchange", "the default exchange cannot be tapped: no queue can be bound to it; name the exchange the application declares")
	case strings.HasPrefix(t.Exchange, "amq.rabbitmq."):
		bad("exchange", "%q is the broker's own, not an application's", t.Exchange)
	case len(t.Exchange) > 128:
		bad("exchange", "is too long to be part of the tap's name")
	}
	if t.ExchangeType != "" {
		if reason := refuseType(t.ExchangeType); reason != "" {
			bad("exchange_type", "%s", reason)
		}
	} else if !managed {
		bad("exchange_type", "is needed where there is no management_url to ask: %s", strings.Join(safeTypes, ", "))
	}
	t.validateKeys(managed, bad)
	if t.Overflow != "" && t.Overflow != "drop-head" {
		bad("overflow", "%q is refused: a tap must drop its own oldest messages; any other choice makes the broker refuse the application's", t.Overflow)
	}
	if t.MaxLength < 0 || t.MaxLength > 10_000_000 {
		bad("max_length", "must lie between 1 and 10000000")
	}
	if t.TTL != 0 && (t.TTL < minTTL || t.TTL > maxTTL) {
		bad("ttl", "must lie between %v and %v", minTTL, maxTTL)
	}
	t.Map.validate(bad)
}

func (t *Tap) validateKeys(managed bool, bad func(field, format string, args ...any)) {
	switch {
	case len(t.Mirror) > 0 && len(t.RoutingKeys) > 0:
		bad("mirror", "give either mirror or routing_keys")
	case len(t.Mirror) > 0 && !managed:
		bad("mirror", "needs management_url, which tells the bindings of a queue")
	case len(t.Mirror)+len(t.RoutingKeys) == 0:
		bad("routing_keys", "give those the application's queues are bound with, or mirror")
	case len(t.RoutingKeys) > 100:
		bad("routing_keys", "at most 100")
	}
	validateQueues("mirror", t.Mirror, bad)
	for i, key := range t.RoutingKeys {
		if len(key) > maxNameBytes {
			bad(fmt.Sprintf("routing_keys[%d]", i), "is longer than %d bytes", maxNameBytes)
		}
	}
}

// refuseType says why an exchange of that type must not be tapped, "" where it may.
func refuseType(kind string) string {
	switch kind {
	case "x-consistent-hash", "x-modulus-hash", "x-random":
		return fmt.Sprintf("an exchange of type %s shares its messages out among the queues bound to it: a tap would take them from the application", kind)
	case "headers":
		return "an exchange of type headers is bound by arguments, not by keys: what its tap would see cannot be told from the configuration"
	}
	if slices.Contains(safeTypes, kind) {
		return ""
	}
	return fmt.Sprintf("an exchange of type %q is not known to give each queue its own copy; known are %s", kind, strings.Join(safeTypes, ", "))
}

// withDefaults returns the section with every zero value replaced.
func (c Config) withDefaults() Config {
	c.WatermarkInterval = orDefault(c.WatermarkInterval, time.Second)
	c.Taps = slices.Clone(c.Taps)
	for i := range c.Taps {
		t := &c.Taps[i]
		t.MaxLength = orDefault(t.MaxLength, 100_000)
		t.MaxBytes = orDefault(t.MaxBytes, 64<<20)
		t.TTL = orDefault(t.TTL, 10*time.Minute)
	}
	if uri, err := amqp.ParseURI(c.URL); err == nil && c.VHost == "" {
		c.VHost = uri.Vhost
	}
	return c
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
