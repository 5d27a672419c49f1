package exporters

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type grpcTransport struct {
	config  CollectorConfig
	conn    *grpc.ClientConn
	client  plogotlp.GRPCClient
	options []grpc.CallOption
}

func newGRPCTransport(c CollectorConfig) (*grpcTransport, error) {
	creds := insecure.NewCredentials()
	if !c.Insecure {
		config, err := tlsConfig(c)
		if err != nil {
			return nil, err
		}
		creds = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient("passthrough:///"+c.Endpoint,
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent("orderwatch-sidecar"),
		grpc.WithDisableRetry(),
		// The sender has a back-off of its own; this one only must not be slower.
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second,
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("connect to collector: %w", err)
	}
	t := &grpcTransport{config: c, conn: conn, client: plogotlp.NewGRPCClient(conn)}
	if c.Compression == Gzip {
		t.options = append(t.options, grpc.UseCompressor(gzip.Name))
	}
	return t, nil
}

func (t *grpcTransport) close() error { return t.conn.Close() }

func (t *grpcTransport) export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	token, err := bearer(t.config)
	if err != nil {
		return plogotlp.ExportResponse{}, &refusal{err: err, setup: true}
	}
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", token)
	}
	response, err := t.client.Export(ctx, request, t.options...)
	if err != nil {
		return response, grpcRefusal(err)
	}
	return response, nil
}

// grpcRefusal follows the OTLP specification for what may be repeated, with one difference: only
// an answer about the records themselves gives them up. A wrong token or address is waited out.
func grpcRefusal(err error) *refusal {
	s := status.Convert(err)
	r := &refusal{err: err}
	hasDelay := false
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			hasDelay = true
			r.after = info.GetRetryDelay().AsDuration()
		}
	}
	switch s.Code() {
	case codes.InvalidArgument:
		r.bad = true
	case codes.ResourceExhausted:
		r.bad = !hasDelay
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.NotFound, codes.FailedPrecondition:
		r.setup = true
	}
	return r
}
