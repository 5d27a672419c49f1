package collector

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers gzip, which senders may use
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func newGRPC(o Options, in *intake) *grpc.Server {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(o.MaxBody),
		grpc.MaxConcurrentStreams(uint32(o.MaxInFlight)),
		grpc.ForceServerCodecV2(guardedCodec{encoding.GetCodecV2("proto")}),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	s := grpc.NewServer(options...)
	plogotlp.RegisterGRPCServer(s, &grpcService{intake: in})
	return s
}

type grpcService struct {
	plogotlp.UnimplementedGRPCServer
	intake *intake
}

// Export implements plogotlp.GRPCServer.
func (g *grpcService) Export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	if !g.intake.enter() {
		return plogotlp.NewExportResponse(), unavailable("too many requests at once").Err()
	}
	defer g.intake.leave()
	resp, err := g.intake.export(ctx, req)
	switch {
	case err == nil:
		return resp, nil
	case errors.Is(err, ErrUnavailable):
		return resp, unavailable(ErrUnavailable.Error()).Err()
	}
	return resp, status.FromContextError(err).Err()
}

// unavailable is a status that tells the sender when to come again. What failed is in our log:
// it may name hosts and is none of the sender's business.
func unavailable(text string) *status.Status {
	s := status.New(codes.Unavailable, text)
	if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}); err == nil {
		return with
	}
	return s
}

// guardedCodec refuses requests that would overflow the decoder's stack.
type guardedCodec struct{ encoding.CodecV2 }

// Unmarshal implements encoding.CodecV2.
func (c guardedCodec) Unmarshal(data mem.BufferSlice, v any) error {
	body := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer body.Free()
	if err := protoDepth(body.ReadOnlyData()); err != nil {
		return err
	}
	return c.CodecV2.Unmarshal(mem.BufferSlice{body}, v)
}
