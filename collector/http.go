package collector

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

var errTooLarge = errors.New("request too large")

func newHTTP(o Options, in *intake) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/logs", &httpService{intake: in, maxBody: int64(o.MaxBody)})
	s := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	if o.TLS != nil {
		s.TLSConfig = o.TLS.Clone()
		s.TLSConfig.NextProtos = []string{"http/1.1"}
	}
	return s
}

type httpService struct {
	intake  *intake
	maxBody int64
}

// ServeHTTP implements http.Handler for OTLP/HTTP.
func (h *httpService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != typeProto && kind != typeJSON {
		http.Error(w, "content type must be "+typeProto+" or "+typeJSON, http.StatusUnsupportedMediaType)
		return
	}
	if !h.intake.enter() {
		fail(w, kind, http.StatusServiceUnavailable, unavailable("too many requests at once"))
		return
	}
	defer h.intake.leave()
	req, err := h.read(w, r, kind)
	switch {
	case errors.Is(err, errTooLarge):
		fail(w, kind, http.StatusRequestEntityTooLarge, status.New(codes.ResourceExhausted, err.Error()))
		return
	case err != nil:
		fail(w, kind, http.StatusBadRequest, status.New(codes.InvalidArgument, strings.ToValidUTF8(err.Error(), "?")))
		return
	}
	resp, err := h.intake.export(r.Context(), req)
	if err != nil {
		fail(w, kind, http.StatusServiceUnavailable, unavailable(ErrUnavailable.Error()))
		return
	}
	body, err := encodeAnswer(kind, resp)
	if err != nil {
		fail(w, kind, http.StatusInternalServerError, status.New(codes.Internal, "answer cannot be written"))
		return
	}
	reply(w, kind, http.StatusOK, body)
}

// encodeAnswer leaves the partial success out of a full one, as OTLP asks.
func encodeAnswer(kind string, resp plogotlp.ExportResponse) ([]byte, error) {
	partial := resp.PartialSuccess().RejectedLogRecords() > 0
	switch {
	case kind == typeJSON && partial:
		return resp.MarshalJSON()
	case kind == typeJSON:
		return []byte("{}"), nil
	case partial:
		return resp.MarshalProto()
	}
	return nil, nil
}

func (h *httpService) read(w http.ResponseWriter, r *http.Request, kind string) (plogotlp.ExportRequest, error) {
	req := plogotlp.NewExportRequest()
	body, err := h.body(w, r)
	if err != nil {
		return req, err
	}
	if kind == typeJSON {
		if err := jsonDepth(body); err != nil {
			return req, err
		}
		return req, req.UnmarshalJSON(body)
	}
	if err := protoDepth(body); err != nil {
		return req, err
	}
	return req, req.UnmarshalProto(body)
}

// body reads the request, unpacked, up to the bound.
func (h *httpService) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var from io.Reader = http.MaxBytesReader(w, r.Body, h.maxBody)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		defer unpacked.Close()
		from = unpacked
	default:
		return nil, fmt.Errorf("content encoding %q is not known, send gzip or none", encoding)
	}
	body, err := io.ReadAll(io.LimitReader(from, h.maxBody+1))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || int64(len(body)) > h.maxBody {
		return nil, fmt.Errorf("%w: at most %d bytes", errTooLarge, h.maxBody)
	}
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return body, nil
}

// fail answers as OTLP asks: a google.rpc.Status in the encoding of the request.
func fail(w http.ResponseWriter, kind string, code int, s *status.Status) {
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	marshal := proto.Marshal
	if kind == typeJSON {
		marshal = protojson.Marshal
	}
	body, err := marshal(s.Proto())
	if err != nil {
		http.Error(w, s.Message(), code)
		return
	}
	reply(w, kind, code, body)
}

func reply(w http.ResponseWriter, kind string, code int, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(body) // a sender that is gone sends again
}
