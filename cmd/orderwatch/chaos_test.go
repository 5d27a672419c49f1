package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/testbed/server"
)

const (
	chaosWithin  = 2 * time.Second  // of every stage
	chaosRound   = 30 * time.Second // of faults; ORDERWATCH_CHAOS_ROUNDS says how many, 0: as long without any
	chaosWriters = 32
	chaosFlow    = `version: 1
flow: chaos
timezone: UTC
keys: [order]
sources: [{name: db, reports: [app/*]}]
stages:
  - {name: first, kind: compute, enter: [app/A], leave: [app/B], within: 2s}
  - {name: second, kind: human, enter: [app/B], leave: [app/C], within: 2s}
  - {name: third, kind: compute, enter: [app/C], leave: [app/D], within: 2s}
finish: [app/D]
`
	chaosServe = `environment: prod
flow: flow.yaml
store: {path: orderwatch.db}
collector: {grpc: %q, http: "", hole_after: %s}
web: {listen: "{listen}"}
`
	chaosSidecar = `source: db
service: app
environment: prod
collector: {endpoint: %q, protocol: grpc, insecure: true}
spool: {dir: spool}
listen: "{listen}"
postgres:
  dsn: %q
  slot: orderwatch
  publication: orderwatch
  watermark_interval: 100ms
  tables: [{table: public.orders, system: app, status: status, keys: {order: id}}]
`
	chaosPeer = `receivers: {otlp: {protocols: {grpc: {endpoint: "{listen}"}}}}
extensions: {file_storage: {directory: "{dir}/queue", create_directory: true, fsync: true}}
exporters:
  otlp_grpc:
    endpoint: %q
    tls: {insecure: true}
    sending_queue: {enabled: true, num_consumers: 10, queue_size: 100000%s}
    retry_on_failure: {enabled: true, initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    logs: {receivers: [otlp], exporters: [otlp_grpc]}
`
)

// chaosStage is the stage that each status enters.
var chaosStage = map[string]string{"A": "first", "B": "second", "C": "third"}

// TestProofOfAbsenceSurvivesChaos kills and pauses everything at random while orders leave their
// stages close to their deadlines, and holds each verdict to the clock of the database's commits.
func TestProofOfAbsenceSurvivesChaos(t *testing.T) {
	ways := map[string]chaosWay{
		"a sidecar sends directly":                             {holeAfter: "15m"},
		"a stock collector with a queue on disk is in between": {peer: true, queue: ", storage: file_storage", holeAfter: "15m"},
		// What a killed collector had acknowledged and only in memory is gone for good. Then the source
		// is blind for the time of the loss, and only then.
		"a stock collector with a queue in memory is in between": {peer: true, holeAfter: "8s", lossy: true},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			way.run(t)
		})
	}
}

// chaosWay is how records come from the sidecar to us.
type chaosWay struct {
	peer      bool
	queue     string // settings of the stock collector's queue
	holeAfter string
	lossy     bool
}

func (way chaosWay) run(t *testing.T) {
	seed := chaosNumber(t, "ORDERWATCH_CHAOS_SEED", rand.Uint64())
	rounds := chaosNumber(t, "ORDERWATCH_CHAOS_ROUNDS", 1)
	t.Logf("seed %d", seed)
	s, db, victims := way.start(t)
	if rounds == 0 {
		victims, rounds = nil, 1
	}
	finishWriters := startWriters(db.DSN("postgres"), chaosWriters, seed)
	t.Cleanup(finishWriters)
	finishFaults := startFaults(t, victims, seed)
	t.Cleanup(finishFaults)
	pause(t.Context().Done(), time.Duration(rounds)*chaosRound)
	finishFaults()
	finishWriters()
	s.check(readTruth(t, db.DSN("postgres")), way.lossy)
}

// start starts everything, and returns when the source proves, with the faults that each part can suffer.
func (way chaosWay) start(t *testing.T) (*stack, *server.Postgres, [][]fault) {
	t.Helper()
	db := startChaosDatabase(t)
	victims := databaseFaults(db)
	port, err := server.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, otlp: fmt.Sprintf("127.0.0.1:%d", port)}
	s.serve = s.start("serve", "/readyz", map[string]string{"config.yaml": fmt.Sprintf(chaosServe, s.otlp, way.holeAfter), "flow.yaml": chaosFlow}, "serve")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	victims = append(victims, processFaults("serve", s.serve.Process))
	target := s.otlp
	if way.peer {
		peer := s.startPeer(way.queue)
		target = strings.TrimPrefix(peer.URL(), "http://")
		victims = append(victims, processFaults("peer", peer.Process))
	}
	sidecar := s.start("sidecar", "/healthz", map[string]string{"config.yaml": fmt.Sprintf(chaosSidecar, target, db.DSN("postgres"))}, "export", "postgres")
	s.proven(time.Now())
	return s, db, append(victims, processFaults("sidecar", sidecar.Process))
}

// TestAChangeCountsFromItsCommit holds a transaction open past the deadline that its change would meet:
// nobody else can see it, so watermarks go on and the order is stuck, and then late by its commit.
func TestAChangeCountsFromItsCommit(t *testing.T) {
	s, db, _ := chaosWay{holeAfter: "15m"}.start(t)
	dsn := db.DSN("postgres")
	execute(t, dsn, `INSERT INTO orders VALUES ('held', 'A')`)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE orders SET status = 'B'`); err != nil {
		t.Fatal(err)
	}
	s.verdict("held", "stuck")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := s.verdict("held", "late")
	if commit := readTruth(t, dsn)["held"][1].at; !first.Left.Equal(commit) {
		t.Errorf("left at %s, committed at %s", first.Left, commit)
	}
}

// verdict waits until the order's first stay has the verdict, and returns the stay.
func (s *stack) verdict(id, want string) chaosVisit {
	s.t.Helper()
	var o chaosOrder
	s.eventually(30*time.Second, id+" is "+want, func() bool {
		return s.get("/api/v1/orders/order:"+id, &o) && len(o.Visits) > 0 && o.Visits[0].Verdict == want
	})
	return o.Visits[0]
}

func chaosNumber(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

func startChaosDatabase(t *testing.T) *server.Postgres {
	t.Helper()
	db, err := server.StartPostgres(t.Context(), server.PostgresOptions{Settings: map[string]string{"track_commit_timestamp": "on"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	execute(t, db.DSN("postgres"), chaosSchema)
	return db
}

// startPeer starts the stock collector between the sidecar and us.
func (s *stack) startPeer(queue string) *server.Command {
	s.t.Helper()
	c, err := server.StartCommand(s.t.Context(), server.CommandOptions{
		Name: "peer", Argv: []string{buildPeer(s.t), "--config", "{dir}/config.yaml"},
		Files: map[string]string{"config.yaml": fmt.Sprintf(chaosPeer, s.otlp, queue)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("the peer's log:\n%s", tail(c.Log(), 4000))
		}
		s.stop("peer", c.Stop)
	})
	return c
}

// proven waits until the source proves that it has sent everything through that time, and returns
// its gaps.
func (s *stack) proven(through time.Time) []chaosGap {
	s.t.Helper()
	var sources struct {
		Items []struct {
			Watermark time.Time  `json:"watermark"`
			Gaps      []chaosGap `json:"gaps"`
		} `json:"items"`
	}
	s.eventually(2*time.Minute, "the source proves everything", func() bool {
		return s.get("/api/v1/sources", &sources) && len(sources.Items) == 1 && sources.Items[0].Watermark.After(through)
	})
	return sources.Items[0].Gaps
}

// check waits until everything that can be known is known, and compares it with the truth.
func (s *stack) check(truth map[string][]chaosChange, lossy bool) {
	s.t.Helper()
	var last time.Time
	for _, changes := range truth {
		if at := changes[len(changes)-1].at; at.After(last) {
			last = at
		}
	}
	r := &chaosReport{T: s.t, gaps: s.proven(last.Add(2 * chaosWithin))}
	if len(r.gaps) > 0 && !lossy {
		s.t.Errorf("records were lost where nothing may be: %v", r.gaps)
	}
	for id, changes := range truth {
		var o chaosOrder
		s.get("/api/v1/orders/"+url.PathEscape("order:"+id), &o) // one that is not known lacks every change
		r.order(id, changes, &o)
	}
	r.summary()
}
