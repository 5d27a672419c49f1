package exporters_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
)

// countingSource appends `total` status events, one an Append, from wherever its position is.
type countingSource struct {
	total uint64
	fail  map[uint64]bool // return an error before this one, once
	gate  chan struct{}   // wait for it before the last one
}

func (c *countingSource) Run(ctx context.Context, out exporters.Stream) error {
	next := uint64(1)
	if p := out.Position(); p != nil {
		next = binary.BigEndian.Uint64(p) + 1
	}
	for ; next <= c.total; next++ {
		if c.fail[next] {
			delete(c.fail, next)
			return errors.New("connection lost")
		}
		if c.gate != nil && next == c.total {
			<-c.gate
		}
		event := order.Event{Kind: order.KindStatus, Time: time.Unix(int64(next), 0).UTC(), System: "mes", Status: "SUBMITTED",
			Keys: []order.Key{{Name: "mes", Value: fmt.Sprint(next)}}}
		mark := order.Event{Kind: order.KindWatermark, Time: time.Unix(int64(next), 0).UTC()}
		if err := out.Append(ctx, []order.Event{event, mark}, binary.BigEndian.AppendUint64(nil, next)); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func config(t *testing.T, endpoint string) exporters.Config {
	c := exporters.DefaultConfig()
	c.Source, c.Service = "mes-db", "mes"
	c.Collector.Endpoint, c.Collector.Insecure = endpoint, true
	c.Spool.Dir = t.TempDir()
	return c
}

func options(c exporters.Config, s exporters.Source) exporters.Options {
	return exporters.Options{Config: c, Source: s, RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond, Timeout: 5 * time.Second}
}

func statuses(n int) func([]order.Event) bool {
	return func(events []order.Event) bool { return len(events) >= 2*n }
}

func TestEverythingArrivesInOrderOverRestartsAndRefusals(t *testing.T) {
	receiver := exportertest.Start(t)
	c := config(t, receiver.Endpoint())
	receiver.SetAnswer(flaky())
	stop := exportertest.StartRunner(t, options(c, &countingSource{total: 40, fail: map[uint64]bool{7: true, 8: true}}))
	receiver.Wait(t, "40 events", statuses(40))
	receiver.Kill()
	stop()
	receiver.Restart(t)
	exportertest.StartRunner(t, options(c, &countingSource{total: 60}))
	events := receiver.Wait(t, "60 events", statuses(60))
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
	for i, e := range events {
		if want := fmt.Sprint(i/2 + 1); e.Kind == order.KindStatus && e.Keys[0].Value != want {
			t.Fatalf("event %d is of order %s, want %s", i, e.Keys[0].Value, want)
		}
		if e.Kind == order.KindWatermark && e.Watermark.Through != e.Seq-1 {
			t.Fatalf("watermark %d goes through %d", e.Seq, e.Watermark.Through)
		}
		if e.Service != "mes" || e.Environment != "prod" || e.Source != "mes-db" || e.Observed.IsZero() {
			t.Fatalf("event lacks its origin: %+v", e)
		}
	}
}

// flaky refuses every other request in one of the ways that ask for a repeat.
func flaky() exportertest.Answer {
	delayed, err := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)})
	if err != nil {
		panic(err)
	}
	answers := []error{status.Error(codes.Unavailable, "store down"), nil, delayed.Err(), nil, status.Error(codes.Unauthenticated, "who?"), nil}
	n := 0
	return func(context.Context, []order.Event) (plogotlp.ExportResponse, error) {
		n++
		return plogotlp.NewExportResponse(), answers[n%len(answers)]
	}
}

func TestOneRefusedEventCostsOnlyItselfAndIsSaid(t *testing.T) {
	receiver := exportertest.Start(t)
	receiver.SetAnswer(func(_ context.Context, events []order.Event) (plogotlp.ExportResponse, error) {
		for _, e := range events {
			if len(e.Keys) > 0 && e.Keys[0].Value == "13" {
				return plogotlp.NewExportResponse(), status.Error(codes.InvalidArgument, "unlucky")
			}
		}
		return plogotlp.NewExportResponse(), nil
	})
	exportertest.StartRunner(t, options(config(t, receiver.Endpoint()), &countingSource{total: 20}))
	var gap order.Event
	receiver.Wait(t, "the gap and the rest", func(events []order.Event) bool {
		for _, e := range events {
			if e.Kind == order.KindGap {
				gap = e
			}
		}
		return len(events) == 40 && gap.Kind == order.KindGap
	})
	if !gap.Gap.From.Equal(time.Unix(13, 0)) || !strings.Contains(gap.Gap.Reason, "unlucky") || gap.Gap.Repaired {
		t.Errorf("gap is %+v", gap.Gap)
	}
}

func TestPartialSuccessIsNotRepeated(t *testing.T) {
	receiver := exportertest.Start(t)
	receiver.SetAnswer(func(context.Context, []order.Event) (plogotlp.ExportResponse, error) {
		r := plogotlp.NewExportResponse()
		r.PartialSuccess().SetRejectedLogRecords(1)
		r.PartialSuccess().SetErrorMessage("no key")
		return r, nil
	})
	registry := prometheus.NewRegistry()
	gate := make(chan struct{})
	o := options(config(t, receiver.Endpoint()), &countingSource{total: 10, gate: gate})
	o.Registerer = registry
	stop := exportertest.StartRunner(t, o)
	receiver.Wait(t, "9 events", statuses(9))
	close(gate) // requests go one after the other: when the last arrives, the others were answered
	receiver.Wait(t, "10 events", statuses(10))
	stop()
	if err := exportertest.Check(receiver.Arrivals()); err != nil || len(receiver.Events()) != 20 {
		t.Errorf("%d events: %v", len(receiver.Events()), err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			values[f.GetName()] += m.GetCounter().GetValue()
		}
	}
	if values["orderwatch_exporter_rejected_total"] == 0 || values["orderwatch_exporter_events_total"] != 20 {
		t.Errorf("metrics are %v", values)
	}
}

func TestHTTPProtobufWithGzip(t *testing.T) {
	receiver := exportertest.Start(t)
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		if n == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		exportertest.ServeHTTP(receiver, w, r)
	}))
	defer server.Close()
	c := config(t, server.URL)
	c.Collector.Protocol, c.Collector.Compression = exporters.HTTP, exporters.Gzip
	exportertest.StartRunner(t, options(c, &countingSource{total: 10}))
	receiver.Wait(t, "10 events", statuses(10))
	if err := exportertest.Check(receiver.Arrivals()); err != nil {
		t.Error(err)
	}
}

func TestASecondSidecarOnTheSameSpoolIsRefused(t *testing.T) {
	receiver := exportertest.Start(t)
	c := config(t, receiver.Endpoint())
	exportertest.StartRunner(t, options(c, &countingSource{total: 1}))
	receiver.Wait(t, "an event", statuses(1))
	second, err := exporters.New(options(c, &countingSource{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "in use by another sidecar") {
		t.Errorf("second run: %v", err)
	}
}

func TestTheListenerAnswersOnLoopback(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := options(config(t, exportertest.Start(t).Endpoint()), &countingSource{total: 1})
	o.Registerer, o.Gatherer, o.Config.Listen = registry, registry, ":0"
	r, err := exporters.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for path, want := range map[string]string{"/metrics": "orderwatch_exporter_spool_bytes", "/healthz": "ok"} {
		answer, err := http.Get("http://" + r.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !strings.Contains(string(body), want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
}
