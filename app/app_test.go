package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/alexandrite/orderwatch/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startApp runs an App on a store in a folder of its own until the test ends.
func startApp(t *testing.T, dir string) (Addresses, *prometheus.Registry) {
	t.Helper()
	cfg, err := config.ParseServer(filepath.Join(dir, "orderwatch.yaml"),
		[]byte("collector: {grpc: \"127.0.0.1:0\", http: \"127.0.0.1:0\"}\nweb: {listen: \"127.0.0.1:0\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	flow, err := LoadFlow("")
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	ready := make(chan Addresses, 1)
	a, err := New(Options{Config: cfg, Flow: flow, Registry: registry, Logger: slog.New(slog.DiscardHandler), Ready: func(at Addresses) { ready <- at }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case at := <-ready:
		return at, registry
	case err := <-done:
		done <- err
		t.Fatalf("run ended before it was ready: %v", err)
	}
	return Addresses{}, nil
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// sendEvents posts status events in OTLP JSON, a sequence for each.
func sendEvents(t *testing.T, at net.Addr, statuses ...string) {
	t.Helper()
	var records []string
	for i, status := range statuses {
		system, name, _ := strings.Cut(status, "/")
		records = append(records, fmt.Sprintf(`{"eventName":"order.status","timeUnixNano":"%d","attributes":[
			{"key":"order.source","value":{"stringValue":"shop-db"}},{"key":"order.source_epoch","value":{"intValue":"1"}},
			{"key":"order.source_seq","value":{"intValue":"%d"}},{"key":"order.system","value":{"stringValue":"%s"}},
			{"key":"order.status","value":{"stringValue":"%s"}},{"key":"order.key.shop","value":{"stringValue":"1042"}},
			{"key":"order.attr.channel","value":{"stringValue":"b2c"}},{"key":"order.attr.partner","value":{"stringValue":"nobody"}}]}`,
			time.Now().Add(time.Duration(i-len(statuses))*time.Second).UnixNano(), i+1, system, name))
	}
	body := fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},
		{"key":"deployment.environment.name","value":{"stringValue":"prod"}}]},"scopeLogs":[{"logRecords":[%s]}]}]}`, strings.Join(records, ","))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+at.String()+"/v1/logs", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || strings.Contains(string(answer), "rejected") {
		t.Fatalf("%s: %s", resp.Status, answer)
	}
}

// waitFor polls until the metrics contain the text.
func waitFor(t *testing.T, at net.Addr, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		_, body := get(t, "http://"+at.String()+"/metrics")
		if strings.Contains(body, want) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the metrics never said %s:\n%s", want, body)
		case <-every.C:
		}
	}
}

func TestWhatIsSentIsCountedAndSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	t.Run("first run", func(t *testing.T) {
		at, _ := startApp(t, dir)
		sendEvents(t, at.HTTP, "shop/INITIATED", "shop/FILE_UPLOADED", "shop/SUBMITTED", "crm/CLOSED")
		waitFor(t, at.Web, `orderwatch_promises_total{channel="b2c",partner="other",promise="three-weeks",result="kept"} 1`)
	})
	t.Run("second run", func(t *testing.T) {
		at, _ := startApp(t, dir)
		waitFor(t, at.Web, `orderwatch_orders_in_stage{channel="",stage="shop-to-mes"} 0`)
		if status, body := get(t, "http://"+at.Web.String()+"/api/v1/orders/shop:1042"); status != http.StatusOK || !strings.Contains(body, `"finished"`) {
			t.Errorf("after a restart the order is %d %s", status, body)
		}
		if status, _ := get(t, "http://"+at.Web.String()+"/readyz"); status != http.StatusOK {
			t.Errorf("readyz answers %d", status)
		}
	})
}

func TestAPortInUseIsSaidPlainly(t *testing.T) {
	at, _ := startApp(t, t.TempDir())
	cfg, err := config.ParseServer(filepath.Join(t.TempDir(), "orderwatch.yaml"),
		fmt.Appendf(nil, "web: {listen: %q}\n", at.Web.String()))
	if err != nil {
		t.Fatal(err)
	}
	flow, err := LoadFlow("")
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Options{Config: cfg, Flow: flow})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "listen for pages") {
		t.Errorf("got %v", err)
	}
}

// TestEveryMetricIsDocumented holds docs/metrics.md to the registry, in both directions.
func TestEveryMetricIsDocumented(t *testing.T) {
	at, registry := startApp(t, t.TempDir())
	sendEvents(t, at.HTTP, "shop/INITIATED", "shop/SUBMITTED", "crm/CLOSED", "crm/CLOSED")
	waitFor(t, at.Web, "orderwatch_lead_time_seconds_count")
	exported := map[string]bool{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		exported[f.GetName()] = true
	}
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(orderwatch_[a-z_]+)").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = true
	}
	// These appear once there is something to say: an incident, a source's first watermark, a refused request, a retry.
	later := []string{"orderwatch_incident_orders", "orderwatch_source_watermark_age_seconds", "orderwatch_requests_refused_total"}
	for name := range exported {
		if !documented[name] {
			t.Errorf("%s is exported and not documented", name)
		}
	}
	for name := range documented {
		if !exported[name] && !slices.Contains(later, name) {
			t.Errorf("%s is documented and not exported; there are %v", name, slices.Sorted(maps.Keys(exported)))
		}
	}
}

func TestTeardownRunsBackwardsAndTellsEveryFailure(t *testing.T) {
	parts := &teardown{log: slog.New(slog.DiscardHandler)}
	var order []string
	for _, name := range []string{"store", "engine", "pages"} {
		parts.add(name, func() error {
			order = append(order, name)
			return errors.New("jammed")
		})
	}
	err := parts.run()
	if !slices.Equal(order, []string{"pages", "engine", "store"}) {
		t.Errorf("undone in the order %v", order)
	}
	for _, want := range []string{"stop pages: jammed", "stop engine: jammed", "stop store: jammed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestAPartThatStopsByItselfEndsTheWhole(t *testing.T) {
	parts := &teardown{log: slog.New(slog.DiscardHandler)}
	ctx, fail := context.WithCancelCause(t.Context())
	parts.background(ctx, "engine", fail, func(context.Context) error { return errors.New("out of steam") })
	<-ctx.Done()
	if cause := context.Cause(ctx); !strings.Contains(cause.Error(), "engine: out of steam") {
		t.Errorf("the cause is %v", cause)
	}
	if err := parts.run(); err == nil {
		t.Error("the failure is not told again at the stop")
	}
}
