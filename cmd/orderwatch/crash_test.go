package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/testbed/server"
)

// TestNothingAcknowledgedIsLostOrSaidTwice kills serve again and again while events stream in and
// deadlines pass, and holds what is left to what was sent and to a run without a crash.
func TestNothingAcknowledgedIsLostOrSaidTwice(t *testing.T) {
	events := 100_000 / raceSlowness
	t.Run("on SQLite", func(t *testing.T) {
		s := newStream(1, events, time.Now())
		got := play(t, s, sqliteStore, 5)
		got.holdToStream(t, s)
		want := play(t, s, sqliteStore, 0)
		want.holdToStream(t, s)
		got.equal(t, want)
	})
	t.Run("on PostgreSQL, as on SQLite", func(t *testing.T) {
		s := newStream(2, events/5, time.Now())
		got := play(t, s, postgresStore(t), 5)
		got.holdToStream(t, s)
		want := play(t, s, sqliteStore, 0)
		want.holdToStream(t, s)
		got.equal(t, want)
	})
}

// crashStore says where serve keeps what it knows, and where that is read afterwards.
type crashStore struct {
	config string
	driver string
	dsn    func(dir string) string
}

var sqliteStore = crashStore{config: "{path: orderwatch.db}", driver: "sqlite",
	dsn: func(dir string) string { return "file:" + filepath.Join(dir, "orderwatch.db") + "?mode=ro" }}

func postgresStore(t *testing.T) crashStore {
	t.Helper()
	dsn, _ := startDatabase(t)
	return crashStore{config: fmt.Sprintf("{driver: postgres, dsn: %q}", dsn), driver: "pgx", dsn: func(string) string { return dsn }}
}

func startDatabase(t *testing.T) (dsn string, pg *server.Postgres) {
	t.Helper()
	pg, err := server.StartPostgres(t.Context(), server.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	if dsn, err = pg.CreateDatabase(t.Context(), "orderwatch"); err != nil {
		t.Fatal(err)
	}
	return dsn, pg
}

// instance is a serve with the flow of this test.
type instance struct {
	t      *testing.T
	serve  *server.Command
	sender *crashSender
	random *rand.Rand
}

// startInstance returns once serve answers 200 there.
func startInstance(t *testing.T, ready, storeConfig string) *instance {
	t.Helper()
	s := &stack{t: t}
	port, err := server.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	otlp := fmt.Sprintf("127.0.0.1:%d", port)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	c := s.start("serve", ready, map[string]string{
		"config.yaml": fmt.Sprintf("flow: flow.yaml\nstore: %s\ncollector: {grpc: %q, http: \"\"}\nweb: {listen: \"{listen}\"}\n", storeConfig, otlp),
		"flow.yaml":   crashFlow,
	}, "serve")
	return &instance{t: t, serve: c, sender: &crashSender{address: otlp}, random: rand.New(rand.NewPCG(3, 0))}
}

// play sends a stream, kills serve so many times at random points of it and once while it only
// waits, ends it in order and returns what is kept.
func play(t *testing.T, s *stream, at crashStore, kills int) *kept {
	t.Helper()
	in := startInstance(t, "/readyz", at.config)
	began := time.Now()
	perPart := []int{kills - kills/3, kills / 3}
	for part, sources := range s.parts {
		in.stream(sources, perPart[part])
		if part == 0 {
			took := time.Since(began)
			t.Logf("%d records acknowledged in %.1f s, %.0f/s, with %d requests sent again", count(sources), took.Seconds(),
				float64(count(sources))/took.Seconds(), in.sender.retries.Load())
			if kills > 0 {
				in.crash()
			}
		}
		in.settle(s.open[part])
	}
	if kills > 0 && in.sender.retries.Load() == 0 {
		t.Error("no request met a crash")
	}
	cpu := in.metrics()["process_cpu_seconds_total"][""]
	t.Logf("%d events settled in %.1f s; since its last start serve used %.1f s of CPU", s.events, time.Since(began).Seconds(), cpu)
	in.awaitTotals(s.totals)
	awaitApplied(t, at.driver, at.dsn(in.serve.Dir()), int64(s.events))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := in.serve.Terminate(ctx); err != nil {
		t.Errorf("serve was told to stop and ended with %v", err)
	}
	return readKept(t, at.driver, at.dsn(in.serve.Dir()))
}

func count(sources map[string][]order.Event) int {
	n := 0
	for _, events := range sources {
		n += len(events)
	}
	return n
}

// stream sends what the sources have and kills serve meanwhile.
func (in *instance) stream(sources map[string][]order.Event, kills int) {
	in.t.Helper()
	before, n := in.sender.acknowledged.Load(), count(sources)
	points := make([]int64, kills)
	for i := range points {
		points[i] = before + int64(n/20+in.random.IntN(n*9/10))
	}
	slices.Sort(points)
	ctx, cancel := context.WithTimeout(in.t.Context(), 2*time.Minute)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return in.sender.send(ctx, sources) })
	g.Go(func() error {
		for _, point := range points {
			if err := in.reach(ctx, point); err != nil {
				return err
			}
			if err := in.restart(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		in.t.Fatal(err)
	}
}

// reach returns a moment after so many records are acknowledged: somewhere in the next commits.
func (in *instance) reach(ctx context.Context, acknowledged int64) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for extra := in.random.IntN(30); extra > 0; {
		select {
		case <-tick.C:
			if in.sender.acknowledged.Load() >= acknowledged {
				extra--
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (in *instance) crash() {
	in.t.Helper()
	if err := in.restart(in.t.Context()); err != nil {
		in.t.Fatal(err)
	}
}

func (in *instance) restart(ctx context.Context) error {
	in.serve.Kill()
	began := time.Now()
	if err := in.serve.Restart(ctx); err != nil {
		return err
	}
	in.t.Logf("killed after %d records; ready %s after the start: %s", in.sender.acknowledged.Load(), time.Since(began).Round(time.Millisecond),
		last(regexp.MustCompile(`engine restored.*`).FindAllString(in.serve.Log(), -1)))
	return nil
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// settle waits until the gauges say what has to come of the stream.
func (in *instance) settle(want map[string]stageCount) {
	in.t.Helper()
	got := map[string]stageCount{}
	s := &stack{t: in.t}
	defer func() {
		if in.t.Failed() {
			in.t.Logf("the gauges say %v, want %v", got, want)
		}
	}()
	s.eventually(time.Minute, "the gauges agree with what was sent", func() bool {
		got = in.gauges()
		return maps.Equal(got, want)
	})
}

// awaitTotals waits until the API counts orders so.
func (in *instance) awaitTotals(want map[string]int) {
	in.t.Helper()
	var answer struct{ Orders map[string]int }
	s := &stack{t: in.t, serve: in.serve}
	s.eventually(time.Minute, fmt.Sprintf("the API's totals are %v", want), func() bool {
		return s.get("/api/v1/flow", &answer) && maps.Equal(answer.Orders, want)
	})
}

// gauges reads the stages that hold orders.
func (in *instance) gauges() map[string]stageCount {
	all := in.metrics()
	stages := map[string]stageCount{}
	for stage, open := range all["orderwatch_orders_in_stage"] {
		c := stageCount{int(open), int(all["orderwatch_orders_overdue"][stage]), int(all["orderwatch_orders_unknown"][stage])}
		if c != (stageCount{}) {
			stages[stage] = c
		}
	}
	return stages
}

var sample = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? (\S+)$`)
var stageLabel = regexp.MustCompile(`\bstage="([^"]*)"`)

// metrics returns each metric's values, added up by stage.
func (in *instance) metrics() map[string]map[string]float64 {
	in.t.Helper()
	sums := map[string]map[string]float64{}
	req, err := http.NewRequestWithContext(in.t.Context(), http.MethodGet, in.serve.URL()+"/metrics", nil)
	if err != nil {
		in.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		in.t.Logf("read metrics: %v", err)
		return sums
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		in.t.Logf("read metrics: %v", err)
	}
	for _, m := range sample.FindAllStringSubmatch(string(body), -1) {
		stage := ""
		if l := stageLabel.FindStringSubmatch(m[2]); l != nil {
			stage = l[1]
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		if sums[m[1]] == nil {
			sums[m[1]] = map[string]float64{}
		}
		sums[m[1]][stage] += value
	}
	return sums
}
