package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/testbed"
	"github.com/alexandrite/orderwatch/testbed/server"
)

// compress lets a working day pass in four seconds, while clocks, servers and processes stay real.
const compress = 20_000

// stack is everything at once: the company on real servers, a sidecar for each database and for
// the broker, and orderwatch, each a process of its own.
type stack struct {
	t       *testing.T
	company *testbed.Company
	serve   *server.Command
	shop    *server.Command
	mes     *server.Command
	broker  *server.Command
	otlp    string
}

func startStack(t *testing.T, company testbed.Options) *stack {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	company.Command = []string{self, commandWord, "testbed"}
	company.Compress = compress
	s := &stack{t: t}
	if s.company, err = testbed.Start(t.Context(), company); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the company's log:\n%s", s.company.Log())
		}
		s.stop("company", s.company.Stop)
	})
	port, err := server.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s.otlp = fmt.Sprintf("127.0.0.1:%d", port)
	s.serve = s.start("serve", "/readyz", s.serveConfig(), "serve")
	s.shop = s.start("shop-db sidecar", "/healthz", s.sidecarConfig("sidecar-shop-db.yaml", s.company.WatchShopDSN()), "export", "postgres")
	s.mes = s.start("mes-db sidecar", "/healthz", s.sidecarConfig("sidecar-mes-db.yaml", s.company.WatchMESDSN()), "export", "postgres")
	s.broker = s.start("broker sidecar", "/healthz", s.sidecarConfig("sidecar-rabbitmq.yaml", s.company.RabbitURL()), "export", "rabbitmq")
	return s
}

// start starts a command of ours with its config file, and shows its log if the test fails.
func (s *stack) start(name, ready string, files map[string]string, args ...string) *server.Command {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	argv := append(append([]string{self, commandWord}, args...), "-c", "{dir}/config.yaml")
	c, err := server.StartCommand(s.t.Context(), server.CommandOptions{Name: strings.ReplaceAll(name, " ", "-"), Argv: argv, Files: files, Ready: ready})
	if err != nil {
		s.t.Fatalf("start %s: %v", name, err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("the %s's log:\n%s", name, tail(c.Log(), 4000))
		}
		s.stop(name, c.Stop)
	})
	return c
}

// serveConfig is an orderwatch.yaml for the compressed flow of the example.
func (s *stack) serveConfig() map[string]string {
	s.t.Helper()
	flow, err := testbed.CompressFlow(examples.Flow(), compress)
	if err != nil {
		s.t.Fatal(err)
	}
	config := fmt.Sprintf("environment: prod\nflow: flow.yaml\nstore: {path: orderwatch.db}\ncollector: {grpc: %q, http: \"\"}\nweb: {listen: \"{listen}\"}\n", s.otlp)
	return map[string]string{"config.yaml": config, "flow.yaml": string(flow)}
}

// sidecarConfig is an example's sidecar.yaml with the addresses of this company.
func (s *stack) sidecarConfig(name, address string) map[string]string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/alexandrite", name))
	if err != nil {
		s.t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		s.t.Fatal(err)
	}
	set := func(value any, section, field string) {
		fields, ok := doc[section].(map[string]any)
		if !ok {
			s.t.Fatalf("%s has no section %q", name, section)
		}
		fields[field] = value
	}
	doc["listen"] = "{listen}"
	set(s.otlp, "collector", "endpoint")
	set("spool", "spool", "dir")
	if _, ok := doc["postgres"]; ok {
		set(address, "postgres", "dsn")
	} else {
		set(address, "rabbitmq", "url")
		set(s.company.ManagementURL(), "rabbitmq", "management_url")
	}
	out, err := yaml.Marshal(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]string{"config.yaml": string(out)}
}

func (s *stack) stop(name string, stop func() error) {
	if err := stop(); err != nil {
		s.t.Errorf("stop %s: %v", name, err)
	}
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

// visit is what the API says of an order's stay in a stage.
type visit struct {
	Stage    string    `json:"stage"`
	Entered  time.Time `json:"entered"`
	Deadline time.Time `json:"deadline"`
	Verdict  string    `json:"verdict"`
	Cause    string    `json:"cause"`
	StuckAt  time.Time `json:"stuck_at"`
}

type orderView struct {
	Keys   map[string]string `json:"keys"`
	State  string            `json:"state"`
	Visits []visit           `json:"visits"`
	Audit  []struct {
		Kind  string `json:"kind"`
		Stage string `json:"stage"`
	} `json:"audit"`
}

// last returns the order's last visit of a stage.
func (o *orderView) last(stage string) visit {
	var found visit
	for _, v := range o.Visits {
		if v.Stage == stage {
			found = v
		}
	}
	return found
}

// order asks the API for an order by the name of its model file; false where it is not known.
func (s *stack) order(file string) (orderView, bool) {
	s.t.Helper()
	var o orderView
	return o, s.get("/api/v1/orders/"+url.PathEscape("file:"+file), &o)
}

func (s *stack) get(path string, into any) bool {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.serve.URL()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Logf("GET %s: %v", path, err)
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return false
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		s.t.Errorf("GET %s: %v", path, err)
	}
	return err == nil
}

// eventually asks until the answer is yes, and fails after the patience.
func (s *stack) eventually(patience time.Duration, what string, ask func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("not within %s: %s", patience, what)
		case <-every.C:
		}
	}
}
