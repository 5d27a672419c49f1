package exporters

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// maxAnswer bounds what is read of an HTTP answer.
const maxAnswer = 64 << 10

type httpTransport struct {
	config CollectorConfig
	url    string
	client *http.Client
}

func newHTTPTransport(c CollectorConfig) (*httpTransport, error) {
	config, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	url := strings.TrimRight(c.Endpoint, "/")
	if !strings.HasSuffix(url, "/v1/logs") {
		url += "/v1/logs"
	}
	base := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &httpTransport{config: c, url: url, client: &http.Client{Transport: base, CheckRedirect: noRedirect}}, nil
}

func (t *httpTransport) close() error {
	t.client.CloseIdleConnections()
	return nil
}

func (t *httpTransport) export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	response := plogotlp.NewExportResponse()
	call, err := t.request(ctx, request)
	if err != nil {
		return response, err
	}
	answer, err := t.client.Do(call)
	if err != nil {
		return response, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode/100 != 2 {
		return response, httpRefusal(answer, time.Now())
	}
	if err != nil {
		return response, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > 0 {
		// An answer that does not decode is still a success: the status says so.
		_ = response.UnmarshalProto(body)
	}
	return response, nil
}

func (t *httpTransport) request(ctx context.Context, request plogotlp.ExportRequest) (*http.Request, error) {
	body, err := request.MarshalProto()
	if err != nil {
		return nil, &refusal{err: fmt.Errorf("encode request: %w", err), bad: true}
	}
	token, err := bearer(t.config)
	if err != nil {
		return nil, &refusal{err: err, setup: true}
	}
	zip := t.config.Compression == Gzip
	if zip {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		_, _ = w.Write(body) // to memory: cannot fail
		_ = w.Close()
		body = buf.Bytes()
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return nil, &refusal{err: err, setup: true}
	}
	call.Header.Set("Content-Type", "application/x-protobuf")
	call.Header.Set("User-Agent", "orderwatch-sidecar")
	if zip {
		call.Header.Set("Content-Encoding", "gzip")
	}
	if token != "" {
		call.Header.Set("Authorization", token)
	}
	return call, nil
}

// httpRefusal is grpcRefusal's sibling: 400, 413 and 422 are about the records, the other 3xx and
// 4xx about the set-up, and the rest passes.
func httpRefusal(answer *http.Response, now time.Time) *refusal {
	code := answer.StatusCode
	r := &refusal{err: fmt.Errorf("collector answered %s", answer.Status)}
	switch {
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		r.bad = true
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		r.after = retryAfter(answer.Header.Get("Retry-After"), now)
	default:
		r.setup = true
	}
	return r
}

func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
