package collector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// Addresses at which senders expect an OTLP receiver on the same machine.
const (
	DefaultGRPC = "127.0.0.1:4317"
	DefaultHTTP = "127.0.0.1:4318"
)

// retryAfter is what a sender is told to wait where we cannot take its events now.
const retryAfter = time.Second

// Options says how a Server listens. Committer and at least one listener are required.
type Options struct {
	Committer *Committer   // run by whoever made it, for longer than the server
	GRPC      net.Listener // the server closes it
	HTTP      net.Listener // the server closes it
	TLS       *tls.Config
	// AllowInsecure permits addresses other than loopback without TLS.
	AllowInsecure bool

	Logger      *slog.Logger  // Defaults to slog.DiscardHandler
	MaxBody     int           // bytes of one request, unpacked. Defaults to 16 MiB
	MaxInFlight int           // requests at once; more are told to come again. Defaults to 64
	Drain       time.Duration // time that requests get to end at a stop. Defaults to 10 seconds
}

func (o *Options) setDefaults() error {
	if o.Committer == nil {
		return errors.New("no committer")
	}
	if o.GRPC == nil && o.HTTP == nil {
		return errors.New("no listener")
	}
	for _, l := range []net.Listener{o.GRPC, o.HTTP} {
		if l != nil && o.TLS == nil && !o.AllowInsecure && !loopback(l.Addr()) {
			return fmt.Errorf("%s can be reached from other machines and has no TLS", l.Addr())
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 16 << 20
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 64
	}
	if o.Drain == 0 {
		o.Drain = 10 * time.Second
	}
	return nil
}

// loopback reports whether only this machine reaches an address.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// Server receives OTLP logs. Run it once.
type Server struct {
	o      Options
	intake *intake
	grpc   *grpc.Server
	http   *http.Server
}

// New returns a server that Run makes serve. It takes no listener over where it returns an error.
func New(o Options) (*Server, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("new collector: %w", err)
	}
	in := &intake{committer: o.Committer, slots: make(chan struct{}, o.MaxInFlight)}
	s := &Server{o: o, intake: in}
	if o.GRPC != nil {
		s.grpc = newGRPC(o, in)
	}
	if o.HTTP != nil {
		s.http = newHTTP(o, in)
	}
	return s, nil
}

// Run serves until ctx ends, then lets the requests at hand end.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if s.grpc != nil {
		g.Go(func() error { return wrap("serve otlp over grpc", s.grpc.Serve(s.o.GRPC), grpc.ErrServerStopped) })
		g.Go(func() error { <-ctx.Done(); s.stopGRPC(); return nil })
	}
	if s.http != nil {
		l := s.o.HTTP
		if s.o.TLS != nil {
			l = tls.NewListener(l, s.http.TLSConfig)
		}
		g.Go(func() error { return wrap("serve otlp over http", s.http.Serve(l), http.ErrServerClosed) })
		g.Go(func() error { <-ctx.Done(); return s.stopHTTP() })
	}
	return g.Wait()
}

func wrap(operation string, err, expected error) error {
	if err == nil || errors.Is(err, expected) {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func (s *Server) stopGRPC() {
	timer := time.AfterFunc(s.o.Drain, s.grpc.Stop)
	defer timer.Stop()
	s.grpc.GracefulStop()
}

func (s *Server) stopHTTP() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.Drain)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.o.Logger.Warn("requests cut off at the stop", "error", err)
		return wrap("close http server", s.http.Close(), nil)
	}
	return nil
}
