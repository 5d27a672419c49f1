package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/order"
)

const (
	requests    = 200 // for each source, so that all keep about the same pace
	connections = 2   // for each source: its records overtake each other
)

// crashSender is a correct OTLP client: what is not acknowledged it sends again, unchanged.
type crashSender struct {
	address      string
	acknowledged atomic.Int64 // records
	retries      atomic.Int64
}

// send returns once every record is acknowledged.
func (s *crashSender) send(ctx context.Context, sources map[string][]order.Event) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, events := range sources {
		queue := make(chan plogotlp.ExportRequest)
		g.Go(func() error {
			defer close(queue)
			for records := range slices.Chunk(events, 1+len(events)/requests) {
				select {
				case queue <- request(records):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		for range connections {
			g.Go(func() error { return s.connection(ctx, queue) })
		}
	}
	return g.Wait()
}

func (s *crashSender) connection(ctx context.Context, queue <-chan plogotlp.ExportRequest) error {
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second,
			Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}}))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := plogotlp.NewGRPCClient(conn)
	for r := range queue {
		if err := s.deliver(ctx, client, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *crashSender) deliver(ctx context.Context, client plogotlp.GRPCClient, r plogotlp.ExportRequest) error {
	wait := exporters.Backoff{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		response, err := client.Export(attempt, r)
		cancel()
		if err == nil {
			if n := response.PartialSuccess().RejectedLogRecords(); n > 0 {
				return fmt.Errorf("%d records rejected: %s", n, response.PartialSuccess().ErrorMessage())
			}
			s.acknowledged.Add(int64(r.Logs().LogRecordCount()))
			return nil
		}
		s.retries.Add(1)
		if wait.Wait(ctx) != nil {
			return fmt.Errorf("never acknowledged: %w", err)
		}
	}
}

// request encodes events of one source as docs/events.md describes them.
func request(events []order.Event) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr(order.AttrServiceName, events[0].Service)
	resource.Resource().Attributes().PutStr(order.AttrEnvironment, events[0].Environment)
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for i := range events {
		encode(&events[i], records.AppendEmpty())
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

func encode(e *order.Event, r plog.LogRecord) {
	r.SetEventName(e.Kind.EventName())
	r.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
	r.SetObservedTimestamp(pcommon.NewTimestampFromTime(e.Observed))
	a := r.Attributes()
	a.PutStr(order.AttrSource, e.Source)
	if e.Seq > 0 {
		a.PutInt(order.AttrEpoch, e.Epoch)
		a.PutInt(order.AttrSeq, int64(e.Seq))
	} else {
		a.PutStr(order.AttrEventID, e.ID)
	}
	if e.Kind == order.KindWatermark {
		a.PutInt(order.AttrThrough, int64(e.Watermark.Through))
		a.PutInt(order.AttrClockOffset, int64(e.Watermark.ClockOffset))
		return
	}
	a.PutStr(order.AttrSystem, e.System)
	a.PutStr(order.AttrStatus, e.Status)
	for _, k := range e.Keys {
		a.PutStr(order.PrefixKey+k.Name, k.Value)
	}
	for _, x := range e.Attrs {
		a.PutStr(order.PrefixAttr+x.Name, x.Value)
	}
}
