package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/order"
)

func TestServerProblems(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string // line and beginning of each problem
	}{
		"an empty file takes every default": {"", nil},
		"a whole file": {`
environment: dev
flow: flow.yaml
store: {driver: postgres, dsn: postgres://localhost/orderwatch}
collector: {grpc: "127.0.0.1:1", http: "", hole_after: 1h}
web: {listen: "[::1]:80"}
log: {level: debug, format: json}
`, nil},
		"an unknown field is named with its line": {"environment: dev\nstorage: 1\n", []string{`2: unknown field "storage"`}},
		"everything wrong is listed at once": {`
environment: staging
store:
  driver: mysql
collector:
  grpc: 0.0.0.0:4317
  http: nowhere
  hole_after: 0s
web:
  listen: ""
log: {level: loud}
`, []string{"2: environment:", "4: store.driver:", "6: collector.grpc:", "7: collector.http:", "8: collector.hole_after:", "10: web.listen:", "11: log.level:"}},
		"a value of another type":      {"store: {driver: [a]}\n", []string{"1: cannot unmarshal"}},
		"what is no YAML says where":   {"environment: dev\n  store: x\n", []string{"2: mapping values"}},
		"no way in is refused":         {"collector: {grpc: \"\", http: \"\"}\n", []string{"1: collector.grpc: neither"}},
		"off loopback, said expressly": {"web: {listen: \"0.0.0.0:80\", allow_insecure: true}\n", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseServer("dir/orderwatch.yaml", []byte(test.text))
			var got order.Problems
			if err != nil && !errors.As(err, &got) {
				t.Fatalf("not a list of problems: %v", err)
			}
			ok := slices.EqualFunc(got, test.want, func(p order.Problem, want string) bool {
				return strings.HasPrefix(p.String(), "dir/orderwatch.yaml:"+want)
			})
			if !ok {
				t.Errorf("got:\n%v\nwant:\n%s", err, strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestPathsAreTakenFromTheConfigFile(t *testing.T) {
	s, err := ParseServer("/etc/orderwatch/orderwatch.yaml", []byte("flow: flows/a.yaml\nstore: {path: /var/lib/o.db}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Flow != "/etc/orderwatch/flows/a.yaml" || s.Store.Path != "/var/lib/o.db" {
		t.Errorf("flow %q, store %q", s.Flow, s.Store.Path)
	}
}

func FuzzParseServer(f *testing.F) {
	f.Add("environment: dev\nstore: {driver: sqlite}\n")
	f.Add("collector: [1]\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := ParseServer("x.yaml", []byte(text))
		var problems order.Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Errorf("not a list of problems: %v", err)
		}
	})
}

func TestSidecarProblems(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing is given": {"log: {level: loud}\n", []string{"1: source:", "1: service:", "1: spool.dir:", "1: postgres: neither", "1: log.level:"}},
		"two systems in one": {"source: a\nservice: b\nspool: {dir: d}\npostgres: {}\nrabbitmq: {}\n",
			[]string{"5: rabbitmq: a sidecar watches one system"}},
		"a section's own fields": {"source: a\nservice: b\nspool: {dir: d}\nrabbitmq:\n  url: nowhere\n  colour: red\n",
			[]string{"5: rabbitmq.url:", `6: unknown field "colour"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSidecar("sidecar.yaml", []byte(test.text))
			if err == nil {
				t.Fatal("no problem found")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), "sidecar.yaml:"+want) {
					t.Errorf("lacks %q:\n%v", want, err)
				}
			}
		})
	}
}
