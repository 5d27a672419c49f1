package exportertest

import (
	"context"
	"sync"
	"testing"

	"github.com/alexandrite/orderwatch/exporters"
)

// StartRunner runs a sidecar until the returned function is called or the test ends. A Run that
// fails fails the test.
func StartRunner(t testing.TB, o exporters.Options) (stop func()) {
	t.Helper()
	r, err := exporters.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
