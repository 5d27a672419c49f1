package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alexandrite/orderwatch/web"
)

// drainWeb is how long requests for pages get to end at a stop.
const drainWeb = 5 * time.Second

// startWeb serves pages, API and metrics. It listens before the state is restored, so that whoever
// asks is told to wait instead of being refused.
func (a *App) startWeb(ctx context.Context, r web.Reader, people web.Identity, l *loop, parts *teardown, fail context.CancelCauseFunc) (net.Addr, error) {
	pages, err := web.New(web.Options{Reader: r, Identity: people, Flow: a.Flow, Environment: a.Config.Environment, Now: a.now, Logger: a.Logger})
	if err != nil {
		return nil, err
	}
	listener, err := listen("pages", a.Config.Web.Listen)
	if err != nil {
		return nil, err
	}
	restored := func() bool { return l.overview.Load() != nil }
	metrics := promhttp.HandlerFor(a.Registry, promhttp.HandlerOpts{ErrorLog: nil})
	mux := http.NewServeMux()
	mux.Handle("/", whenRestored(restored, pages))
	mux.Handle("GET /metrics", whenRestored(restored, metrics))
	mux.Handle("GET /readyz", whenRestored(restored, http.HandlerFunc(ok)))
	mux.HandleFunc("GET /healthz", ok)

	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	parts.background(ctx, "pages", fail, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() {
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWeb)
			defer cancel()
			_ = server.Shutdown(drain) // what has not ended by then is cut off
		})
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return listener.Addr(), nil
}

func ok(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

// whenRestored answers 503 until the engine's state is back: half a state would look like an improvement.
func whenRestored(restored func() bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !restored() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "orderwatch is starting: its state is not restored yet", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}
