package rabbitmq

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/exporters"
)

func decode(t *testing.T, text string) (Config, error) {
	t.Helper()
	var section struct {
		RabbitMQ Config `yaml:"rabbitmq"`
	}
	d := yaml.NewDecoder(bytes.NewBufferString(text))
	d.KnownFields(true)
	err := d.Decode(&section)
	return section.RabbitMQ, err
}

const goodConfig = `
rabbitmq:
  url: amqp://u:p@127.0.0.1:5672/
  management_url: http://127.0.0.1:15672
  watermark_interval: 2s
  taps:
    - exchange: mes.events
      mirror: crm.prices
      max_bytes: 16MiB
      ttl: 5m
      map:
        system: mes
        keys: {mes: body.mes_order_id}
        status: {from: body.status}
    - exchange: crm.events
      routing_keys: [order.approved]
      map: {system: crm, keys: {mes: body.mes_order_id}, status: MANUFACTURING_APPROVED}
  queues: [crm.prices]
`

func TestConfigIsReadStrictlyAndFilledIn(t *testing.T) {
	c, err := decode(t, goodConfig)
	if err != nil {
		t.Fatal(err)
	}
	if errs := c.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c = c.withDefaults()
	first, second := c.Taps[0], c.Taps[1]
	if c.WatermarkInterval != 2*time.Second || c.VHost != "/" || first.MaxBytes != 16<<20 || first.TTL != 5*time.Minute ||
		first.Map.Status.From != "body.status" || second.Map.Status.Constant != "MANUFACTURING_APPROVED" ||
		second.MaxLength != 100_000 || second.MaxBytes != 64<<20 || second.TTL != 10*time.Minute {
		t.Errorf("got %+v", c)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"an address of another kind":             {"amqp://u:p@127.0.0.1:5672/", "http://u:secret@h", "url: "},
		"a management address without host":      {"http://127.0.0.1:15672", "http://", "management_url: "},
		"watermarks too often":                   {"watermark_interval: 2s", "watermark_interval: 1ms", "watermark_interval: "},
		"the default exchange":                   {"exchange: mes.events", `exchange: ""`, "taps[0].exchange: the default exchange"},
		"the default exchange by its other name": {"exchange: mes.events", `exchange: amq.default`, "taps[0].exchange: the default exchange"},
		"the broker's own exchanges":             {"exchange: mes.events", "exchange: amq.rabbitmq.trace", "taps[0].exchange: "},
		"two taps of one exchange":               {"exchange: crm.events", "exchange: mes.events", "taps[1].exchange: "},
		"a tap that refuses messages":            {"max_bytes: 16MiB", "overflow: reject-publish", "taps[0].overflow: "},
		"an exchange that shares messages out":   {"mirror: crm.prices", "mirror: crm.prices\n      exchange_type: x-consistent-hash", "taps[0].exchange_type: "},
		"an unknown type without management":     {"  management_url: http://127.0.0.1:15672\n", "", "taps[0].exchange_type: is needed"},
		"mirroring without management":           {"  management_url: http://127.0.0.1:15672\n", "", "taps[0].mirror: needs management_url"},
		"mirror and keys together":               {"mirror: crm.prices", "mirror: crm.prices\n      routing_keys: [a]", "taps[0].mirror: give either"},
		"neither mirror nor keys":                {"      mirror: crm.prices\n", "", "taps[0].routing_keys: "},
		"a ttl that empties the tap":             {"ttl: 5m", "ttl: 1ms", "taps[0].ttl: "},
		"a field that is none":                   {"body.mes_order_id}\n        status", "payload.id}\n        status", "taps[0].map.keys.mes: "},
		"no keys":                                {"keys: {mes: body.mes_order_id}\n", "keys: {}\n", "taps[0].map.keys: "},
		"no system":                              {"system: mes", `system: ""`, "taps[0].map.system: "},
		"a queue twice":                          {"[crm.prices]", "[crm.prices, crm.prices]", "queues[1]: "},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(goodConfig, c.old, c.new, 1)
			if text == goodConfig {
				t.Fatal("nothing was changed")
			}
			config, err := decode(t, text)
			if err != nil {
				t.Fatal(err)
			}
			got := errors.Join(config.Validate()...)
			if got == nil || !strings.Contains(got.Error(), c.want) || strings.Contains(got.Error(), "secret") {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestConfigRefusesWhileReading(t *testing.T) {
	for _, change := range [][2]string{
		{"16MiB", "16 furlongs"}, {"16MiB", "-1"}, {"16MiB", "99999999999GiB"},
		{"{from: body.status}", "{from: body.status, else: X}"}, {"{from: body.status}", "{}"}, {"mirror:", "miror:"},
	} {
		if _, err := decode(t, strings.Replace(goodConfig, change[0], change[1], 1)); err == nil {
			t.Errorf("%s was taken", change[1])
		}
	}
}

// sidecar is what of sidecar.yaml concerns this sidecar.
type sidecar struct {
	exporters.Config `yaml:",inline"`
	RabbitMQ         Config `yaml:"rabbitmq"`
}

func example(t *testing.T) sidecar {
	t.Helper()
	data, err := os.ReadFile("../../examples/alexandrite/sidecar-rabbitmq.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := sidecar{Config: exporters.DefaultConfig()}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExampleIsValid(t *testing.T) {
	c := example(t)
	if errs := append(c.Config.Validate(), c.RabbitMQ.Validate()...); len(errs) > 0 {
		t.Error(errs)
	}
	if got := c.RabbitMQ.Taps[0].Mirror; len(got) != 2 {
		t.Errorf("mirror: got %v", got)
	}
}
