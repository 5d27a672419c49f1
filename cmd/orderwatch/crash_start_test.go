package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServeEndsInOrderInTheMiddleOfAStream asks serve to stop while requests are under way.
func TestServeEndsInOrderInTheMiddleOfAStream(t *testing.T) {
	s := newStream(4, 10_000/raceSlowness, time.Now())
	in := startInstance(t, "/readyz", sqliteStore.config)
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		sent := make(chan error, 1)
		go func() { sent <- in.sender.send(ctx, s.parts[0]) }()
		if err := in.reach(ctx, in.sender.acknowledged.Load()+1); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := in.serve.Terminate(ctx); err != nil {
			t.Errorf("serve was told to stop and ended with %v", err)
		}
		t.Logf("serve ended %s after it was told to", time.Since(began).Round(time.Millisecond))
		cancel()
		<-sent
		if err := in.serve.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for part := range s.parts {
		if err := in.sender.send(t.Context(), s.parts[part]); err != nil {
			t.Fatal(err)
		}
		in.settle(s.open[part])
	}
	if log := in.serve.Log(); strings.Contains(log, "level=ERROR") {
		t.Error("an ordered end is told as an error")
	}
}

// TestASecondInstanceOnAFileIsRefused holds one file open by two.
func TestASecondInstanceOnAFileIsRefused(t *testing.T) {
	first := startInstance(t, "/readyz", sqliteStore.config)
	c := &strings.Builder{}
	dir := first.serve.Dir()
	code := run(t.Context(), &console{c, c}, []string{"serve", "-c", writeConfig(t, "store: {path: "+dir+"/orderwatch.db}")})
	if code != exitFailed || !strings.Contains(c.String(), "orderwatch.db: store: another instance holds the writer's lock") {
		t.Errorf("exit code %d, and it said %s", code, c)
	}
	if !answers(t, first.serve.URL()+"/readyz", http.StatusOK) {
		t.Error("the first instance suffered")
	}
}

// TestADatabaseThatIsAwayAtTheStartIsWaitedFor starts serve before its database.
func TestADatabaseThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	dsn, pg := startDatabase(t)
	pg.Kill()
	in := startInstance(t, "/healthz", "{driver: postgres, dsn: \""+dsn+"\"}")
	s := &stack{t: t}
	const said = "store cannot be reached, trying until it can"
	s.eventually(20*time.Second, "serve says what it waits for", func() bool { return strings.Contains(in.serve.Log(), said) })
	for _, path := range []string{"/readyz", "/metrics", "/api/v1/orders", "/"} {
		if !answers(t, in.serve.URL()+path, http.StatusServiceUnavailable) {
			t.Errorf("%s is answered without a store", path)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := in.serve.Terminate(ctx); err != nil {
		t.Errorf("serve was told to stop while it waited and ended with %v", err)
	}

	restarted := make(chan error, 1)
	go func() { restarted <- in.serve.Restart(t.Context()) }()
	s.eventually(20*time.Second, "the second start waits too", func() bool { return strings.Count(in.serve.Log(), said) == 2 })
	if err := pg.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	s.eventually(20*time.Second, "serve works", func() bool { return answers(t, in.serve.URL()+"/readyz", http.StatusOK) })
	if n := strings.Count(in.serve.Log(), said); n != 2 {
		t.Errorf("two starts said %d times that they wait", n)
	}
	stream := newStream(5, 200, time.Now())
	if err := in.sender.send(t.Context(), stream.parts[0]); err != nil {
		t.Fatal(err)
	}
}

// TestASecondInstanceOnAServerStandsBy lets one instance take over from another.
func TestASecondInstanceOnAServerStandsBy(t *testing.T) {
	dsn, _ := startDatabase(t)
	config := "{driver: postgres, dsn: \"" + dsn + "\"}"
	first := startInstance(t, "/readyz", config)
	second := startInstance(t, "/healthz", config)
	s := &stack{t: t}
	s.eventually(20*time.Second, "the second says that it stands by", func() bool {
		return strings.Contains(second.serve.Log(), "another instance writes to the store, standing by until it ends")
	})
	first.serve.Kill()
	s.eventually(20*time.Second, "the second takes over", func() bool { return answers(t, second.serve.URL()+"/readyz", http.StatusOK) })
}

func answers(t *testing.T, url string, status int) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == status
}

// writeConfig writes an orderwatch.yaml on free ports.
func writeConfig(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orderwatch.yaml")
	text := "collector: {grpc: \"127.0.0.1:0\", http: \"\"}\nweb: {listen: \"127.0.0.1:0\"}\n" + lines + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
