package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store/sqlite"
)

// demoRun is a demo in the background.
type demoRun struct {
	stop  context.CancelFunc
	ended chan error
	pages string
	out   *strings.Builder // read it once ended
}

// startDemo runs a demo with a short past and returns once its pages can be used.
func startDemo(t *testing.T, data string) *demoRun {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &demoRun{stop: stop, ended: make(chan error, 1), out: &strings.Builder{}}
	ready := make(chan string, 1)
	go func() {
		r.ended <- runDemo(ctx, DemoOptions{Listen: "127.0.0.1:0", Data: data, Out: r.out,
			Ready: func(pages net.Addr) { ready <- "http://" + pages.String() }}, 2)
	}()
	t.Cleanup(stop)
	select {
	case r.pages = <-ready:
	case err := <-r.ended:
		t.Fatalf("the demo ended: %v", err)
	}
	return r
}

func (r *demoRun) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
}

func (r *demoRun) get(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.pages+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v", path, res.Status, err)
	}
	return string(body)
}

// until asks for the metrics until they hold a line.
func (r *demoRun) until(t *testing.T, line func(string) bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		for text := range strings.Lines(r.get(t, "/metrics")) {
			if line(text) {
				return
			}
		}
		select {
		case <-tick.C:
		case err := <-r.ended:
			t.Fatalf("the demo ended: %v", err)
		case <-t.Context().Done():
			t.Fatal("it never came")
		}
	}
}

// sourceStates reads what a demo left behind.
func sourceStates(t *testing.T, data string) (journal int64, states []sla.SourceState) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, "orderwatch.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	position, err := st.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if states, err = st.Sources(t.Context()); err != nil {
		t.Fatal(err)
	}
	return position.Journal, states
}

func TestDemoShowsAPastGoesOnLiveAndGoesOnAgain(t *testing.T) {
	data := t.TempDir()
	first := startDemo(t, data)
	if page := first.get(t, "/"); !strings.Contains(page, "approval") {
		t.Error("the first page shows no stage of the flow")
	}
	if list := first.get(t, "/api/v1/orders?verdict=stuck"); !strings.Contains(list, `"cause":"lost_in_handoff"`) {
		t.Errorf("no order of the past is lost: %s", list)
	}
	live := func(text string) bool {
		return strings.HasPrefix(text, "orderwatch_orders_created_total") && !strings.HasSuffix(text, " 0\n")
	}
	first.until(t, live)
	first.end(t)
	journal, before := sourceStates(t, data)
	if out := first.out.String(); !strings.Contains(out, first.pages) || !strings.Contains(out, "every few") {
		t.Errorf("the console says %q", out)
	}

	again := startDemo(t, data)
	again.until(t, live)
	again.end(t)
	grown, after := sourceStates(t, data)
	if grown <= journal {
		t.Errorf("the journal stood at %d and stands at %d", journal, grown)
	}
	for i := range after {
		a, b := &after[i], &before[i]
		if len(a.Epochs) != 1 || a.Epochs[0].Through <= b.Epochs[0].Through || a.Duplicates != 0 || a.Rejected != 0 || a.GapsTotal != 0 {
			t.Errorf("source %s did not go on where it was: %+v, then %+v", a.Name, b, a)
		}
		if len(a.Epochs[0].Ahead) > 0 {
			t.Errorf("source %s left numbers out: %+v", a.Name, a.Epochs[0])
		}
	}
	if out := again.out.String(); !strings.Contains(out, "going on") {
		t.Errorf("the second console says %q", out)
	}
}

// interrupt is a console whose reader stops the demo at its first line.
type interrupt struct{ stop context.CancelFunc }

func (i interrupt) Write(p []byte) (int, error) {
	i.stop()
	return len(p), nil
}

func TestDemoInterruptedInItsPastBeginsAnew(t *testing.T) {
	data := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	if err := runDemo(ctx, DemoOptions{Listen: "127.0.0.1:0", Data: data, Out: interrupt{stop}}, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, "orderwatch.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a database is left: %v", err)
	}
	r := startDemo(t, data)
	r.end(t)
	if out := r.out.String(); !strings.Contains(out, "Replaying") {
		t.Errorf("the console says %q", out)
	}
}

func TestDemoRefusesWhatItCannotUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "orderwatch.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	older := t.TempDir()
	for name, text := range map[string]string{"orderwatch.db": "", "demo.json": `{"simulation": -1}`} {
		if err := os.WriteFile(filepath.Join(older, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		options DemoOptions
		says    string
	}{
		"an address in use":            {DemoOptions{Listen: taken.Addr().String()}, "in use"},
		"a folder of something else":   {DemoOptions{Listen: "127.0.0.1:0", Data: foreign}, "no demo's folder"},
		"a folder of another revision": {DemoOptions{Listen: "127.0.0.1:0", Data: older}, "another version"},
	} {
		err := runDemo(t.Context(), c.options, 2)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
