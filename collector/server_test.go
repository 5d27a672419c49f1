package collector

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/alexandrite/orderwatch/order"
)

// service is a server on loopback with a committer behind it.
type service struct {
	*harness
	grpc   plogotlp.GRPCClient
	target string // of gRPC
	url    string // of HTTP
	http   *http.Client
	end    func() error
}

func serve(t *testing.T, m *memory, change func(*Options)) *service {
	t.Helper()
	s := &service{harness: start(t, m, nil), http: &http.Client{Transport: &http.Transport{}}}
	o := Options{Committer: s.Committer, GRPC: listen(t), HTTP: listen(t)}
	s.url = "http://" + o.HTTP.Addr().String() + "/v1/logs"
	conn, err := grpc.NewClient(o.GRPC.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	s.grpc, s.target = plogotlp.NewGRPCClient(conn), o.GRPC.Addr().String()
	if change != nil {
		change(&o)
	}
	server, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	s.end = sync.OnceValue(func() error { cancel(); return <-ran })
	t.Cleanup(func() {
		_ = conn.Close()
		s.http.CloseIdleConnections()
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// send sends a request by one of the protocols and returns the partial success.
func (s *service) send(t *testing.T, how string, req plogotlp.ExportRequest) plogotlp.ExportPartialSuccess {
	t.Helper()
	if how, ok := strings.CutPrefix(how, "grpc"); ok {
		var options []grpc.CallOption
		if how == " gzip" {
			options = append(options, grpc.UseCompressor("gzip"))
		}
		resp, err := s.grpc.Export(t.Context(), req, options...)
		if err != nil {
			t.Fatal(err)
		}
		return resp.PartialSuccess()
	}
	kind, body := typeProto, must(req.MarshalProto())(t)
	if strings.HasPrefix(how, "json") {
		kind, body = typeJSON, must(req.MarshalJSON())(t)
	}
	code, answer := s.post(t, kind, body, strings.HasSuffix(how, "gzip"))
	resp := plogotlp.NewExportResponse()
	unmarshal := resp.UnmarshalProto
	if kind == typeJSON {
		unmarshal = resp.UnmarshalJSON
	}
	if err := unmarshal(answer); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s %v", code, answer, err)
	}
	return resp.PartialSuccess()
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *service) post(t *testing.T, kind string, body []byte, pack bool) (int, []byte) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, nil))(t)
	req.Header.Set("Content-Type", kind)
	if pack {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(body)
		_ = z.Close()
		body = packed.Bytes()
		req.Header.Set("Content-Encoding", "gzip")
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	resp := must(s.http.Do(req))(t)
	defer resp.Body.Close()
	answer := must(io.ReadAll(resp.Body))(t)
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "1" {
		t.Errorf("retry after %q", resp.Header.Get("Retry-After"))
	}
	return resp.StatusCode, answer
}

// encode encodes events as a sender does.
func encode(events ...order.Event) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	for i := range events {
		e := &events[i]
		rl := logs.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(order.AttrServiceName, e.Service)
		rl.Resource().Attributes().PutStr(order.AttrEnvironment, e.Environment)
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(e.Kind.EventName())
		lr.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(e.Observed))
		a := lr.Attributes()
		a.PutStr(order.AttrSource, e.Source)
		a.PutInt(order.AttrEpoch, e.Epoch)
		a.PutInt(order.AttrSeq, int64(e.Seq))
		a.PutStr(order.AttrSystem, e.System)
		a.PutStr(order.AttrStatus, e.Status)
		for _, k := range e.Keys {
			a.PutStr(order.PrefixKey+k.Name, k.Value)
		}
		if e.Kind == order.KindWatermark {
			a.PutInt(order.AttrThrough, int64(e.Watermark.Through))
		}
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

func TestEveryProtocolKeepsTheGoodAndNamesTheBad(t *testing.T) {
	for _, how := range []string{"grpc", "grpc gzip", "proto", "proto gzip", "json", "json gzip"} {
		t.Run(how, func(t *testing.T) {
			s := serve(t, newMemory(), nil)
			huge := statusEvent(4, "4")
			huge.Keys[0].Value = strings.Repeat("x", order.MaxEventBytes)
			req := encode(statusEvent(1, "1"), statusEvent(2, "2"), statusEvent(3, "3"), huge, statusEvent(5, "5"), watermark(6, 5))
			req.Logs().ResourceLogs().At(1).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr(order.PrefixKey+"shop", "\xc3\x28")
			req.Logs().ResourceLogs().At(2).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutInt(order.AttrStatus, 7)
			p := s.send(t, how, req)
			if p.RejectedLogRecords() != 3 && !strings.HasPrefix(how, "json") {
				t.Errorf("rejected %d: %s", p.RejectedLogRecords(), p.ErrorMessage())
			}
			for _, want := range []string{"record 2:", "bad attribute", order.AttrStatus, "record 3:", "too large"} {
				if !strings.Contains(p.ErrorMessage(), want) {
					t.Errorf("no %q in %q", want, p.ErrorMessage())
				}
			}
			if !strings.HasPrefix(how, "json") && !strings.Contains(p.ErrorMessage(), "bad encoding") {
				t.Errorf("broken encoding is not named: %q", p.ErrorMessage())
			}
			if src := s.journal.source("mes-db"); src.Watermark.IsZero() {
				t.Errorf("rejected records hold the watermark back: %+v", src)
			}
			again := s.send(t, how, encode(statusEvent(1, "1"), statusEvent(5, "5")))
			if again.RejectedLogRecords() != 0 || again.ErrorMessage() != "" || s.journal.source("mes-db").Duplicates != 2 {
				t.Errorf("duplicates: %q, counted %d", again.ErrorMessage(), s.journal.source("mes-db").Duplicates)
			}
		})
	}
}

func TestAStoreThatIsDownAsksToComeAgain(t *testing.T) {
	m := newMemory()
	s := serve(t, m, nil)
	s.send(t, "grpc", encode(statusEvent(2, "1")))
	m.mu.Lock()
	m.down = true
	m.mu.Unlock()
	_, err := s.grpc.Export(t.Context(), encode(statusEvent(1, "1")))
	checkRetry(t, err)
	if code, body := s.post(t, typeJSON, must(encode(statusEvent(1, "1")).MarshalJSON())(t), false); code != http.StatusServiceUnavailable || !bytes.Contains(body, []byte("RetryInfo")) {
		t.Errorf("%d %s", code, body)
	}
	m.mu.Lock()
	m.down = false
	m.mu.Unlock()
	if p := s.send(t, "proto", encode(statusEvent(1, "1"))); p.RejectedLogRecords() != 0 || len(m.stored()) != 2 {
		t.Errorf("after it is back: %q, %d stored", p.ErrorMessage(), len(m.stored()))
	}
}

func checkRetry(t *testing.T, err error) {
	t.Helper()
	st := status.Convert(err)
	if st.Code() != codes.Unavailable || strings.Contains(st.Message(), errDown.Error()) {
		t.Fatalf("got %v", err)
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok && info.RetryDelay.AsDuration() > 0 {
			return
		}
	}
	t.Fatalf("no retry info in %v", st.Details())
}

func TestTooManyRequestsAreToldToComeAgain(t *testing.T) {
	m := newMemory()
	m.block, m.begun = make(chan struct{}), make(chan struct{}, 1)
	s := serve(t, m, func(o *Options) { o.MaxInFlight = 1 })
	first := make(chan error, 1)
	go func() {
		_, err := s.grpc.Export(context.Background(), encode(statusEvent(1, "1")))
		first <- err
	}()
	<-m.begun
	if code, _ := s.post(t, typeProto, nil, false); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", code)
	}
	close(m.block)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestAStopLetsTheRequestAtHandEnd(t *testing.T) {
	m := newMemory()
	m.block, m.begun = make(chan struct{}), make(chan struct{}, 1)
	s := serve(t, m, nil)
	answered := make(chan error, 1)
	go func() {
		_, err := s.grpc.Export(context.Background(), encode(statusEvent(1, "1")))
		answered <- err
	}()
	<-m.begun
	ended := make(chan error, 1)
	go func() { ended <- s.end() }()
	close(m.block)
	if err := <-answered; err != nil {
		t.Errorf("request: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if len(m.stored()) != 1 {
		t.Errorf("%d stored", len(m.stored()))
	}
}

func TestBadRequestsOverHTTP(t *testing.T) {
	s := serve(t, newMemory(), func(o *Options) { o.MaxBody = 1 << 20 })
	nested := []byte(`{"resourceLogs":` + strings.Repeat("[", 500_000))
	for name, c := range map[string]struct {
		kind string
		body []byte
		pack bool
		want int
	}{
		"an unknown content type":            {"text/plain", nil, false, http.StatusUnsupportedMediaType},
		"no protobuf":                        {typeProto, []byte("\xff\xff\xff"), false, http.StatusBadRequest},
		"no json":                            {typeJSON, []byte("{"), false, http.StatusBadRequest},
		"more than the bound":                {typeJSON, bytes.Repeat([]byte(" "), 1<<20+1), false, http.StatusRequestEntityTooLarge},
		"more than the bound once unpacked":  {typeJSON, bytes.Repeat([]byte(" "), 8<<20), true, http.StatusRequestEntityTooLarge},
		"json that nests without end":        {typeJSON, nested, false, http.StatusBadRequest},
		"protobuf that nests without end":    {typeProto, nestedProto(40_000), false, http.StatusBadRequest},
		"nothing at all is an empty request": {typeProto, nil, false, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if code, body := s.post(t, c.kind, c.body, c.pack); code != c.want {
				t.Errorf("answered %d %.100s, want %d", code, body, c.want)
			}
		})
	}
	for name, path := range map[string]string{"another path": "/v1/traces", "the root": "/"} {
		resp := must(s.http.Post(strings.Replace(s.url, "/v1/logs", path, 1), typeJSON, nil))(t)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: answered %d", name, resp.StatusCode)
		}
	}
	get := must(s.http.Get(s.url))(t)
	_ = get.Body.Close()
	if get.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: answered %d", get.StatusCode)
	}
}

func TestBadRequestsOverGRPC(t *testing.T) {
	s := serve(t, newMemory(), nil)
	big := statusEvent(1, strings.Repeat("x", 17<<20))
	if _, err := s.grpc.Export(t.Context(), encode(big)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("too large: %v", err)
	}
	if _, err := s.grpc.Export(t.Context(), encode(big), grpc.UseCompressor("gzip")); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("too large once unpacked: %v", err)
	}
	deep := encode(statusEvent(1, "1"))
	v := deep.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	for range 100 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	if _, err := s.grpc.Export(t.Context(), deep); err == nil || !strings.Contains(err.Error(), errTooDeep.Error()) {
		t.Errorf("nested: %v", err)
	}
}

func TestNewRefusesToListenOpenly(t *testing.T) {
	c := start(t, newMemory(), nil).Committer
	open := must(net.Listen("tcp", "0.0.0.0:0"))(t)
	defer open.Close()
	for name, test := range map[string]struct {
		o    Options
		want string
	}{
		"without TLS":          {Options{Committer: c, HTTP: open}, "has no TLS"},
		"with TLS":             {Options{Committer: c, HTTP: open, TLS: &tls.Config{}}, ""},
		"where it is allowed":  {Options{Committer: c, GRPC: open, AllowInsecure: true}, ""},
		"without a listener":   {Options{Committer: c}, "no listener"},
		"without a committer":  {Options{HTTP: open}, "no committer"},
		"on loopback, allowed": {Options{Committer: c, HTTP: listen(t)}, ""},
	} {
		_, err := New(test.o)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	m := newMemory()
	s := serve(t, m, func(o *Options) { o.MaxInFlight = 256 })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for seq := uint64(1); seq <= 20; seq++ {
				e := statusEvent(seq, fmt.Sprint(seq))
				e.Source = fmt.Sprint("source-", i)
				s.send(t, []string{"grpc", "proto", "json", "grpc gzip"}[i%4], encode(e))
			}
		})
	}
	wg.Wait()
	if n := len(m.stored()); n != 160 {
		t.Errorf("%d stored", n)
	}
}

func TestRunEndsWhereTheListenerIsClosed(t *testing.T) {
	c := start(t, newMemory(), nil).Committer
	l := listen(t)
	server := must(New(Options{Committer: c, HTTP: l, Drain: time.Second}))(t)
	_ = l.Close()
	if err := server.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "serve otlp over http") {
		t.Errorf("run returned %v", err)
	}
}

func TestBothProtocolsSpeakTLS(t *testing.T) {
	borrowed := httptest.NewTLSServer(nil) // for its certificate
	defer borrowed.Close()
	trust := x509.NewCertPool()
	trust.AddCert(borrowed.Certificate())
	client := &tls.Config{RootCAs: trust}
	s := serve(t, newMemory(), func(o *Options) { o.TLS = &tls.Config{Certificates: borrowed.TLS.Certificates} })
	s.http.Transport.(*http.Transport).TLSClientConfig = client
	if code, _ := s.post(t, typeProto, must(encode(statusEvent(1, "1")).MarshalProto())(t), false); code != http.StatusBadRequest {
		t.Errorf("without TLS: answered %d", code)
	}
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	if p := s.send(t, "proto", encode(statusEvent(1, "1"))); p.RejectedLogRecords() != 0 {
		t.Error(p.ErrorMessage())
	}
	conn := must(grpc.NewClient(s.target, grpc.WithTransportCredentials(credentials.NewTLS(client))))(t)
	defer conn.Close()
	if _, err := plogotlp.NewGRPCClient(conn).Export(t.Context(), encode(statusEvent(2, "1"))); err != nil {
		t.Error(err)
	}
}
