package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/testbed/server"
)

// fault breaks something and mends it before it returns.
type fault struct {
	name string
	do   func(ctx context.Context, random *rand.Rand) error
}

// startFaults lets each of the victims suffer one of its faults now and then, all at the same time,
// until it is told to finish. It returns when everything works again.
func startFaults(t *testing.T, victims [][]fault, seed uint64) (finish func()) {
	t.Helper()
	stop := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	for i, faults := range victims {
		random := rand.New(rand.NewPCG(seed, 1000+uint64(i)))
		all.Go(func() {
			for pause(stop, between(random, 500*time.Millisecond, 6*time.Second)) {
				f := faults[random.IntN(len(faults))]
				if err := f.do(context.Background(), random); err != nil {
					t.Errorf("%s: %v", f.name, err)
					return
				}
				mu.Lock()
				counts[f.name]++
				mu.Unlock()
			}
		})
	}
	return sync.OnceFunc(func() {
		close(stop)
		all.Wait()
		var said []string
		for name, n := range counts {
			said = append(said, fmt.Sprintf("%s %d", name, n))
		}
		slices.Sort(said)
		t.Logf("faults: %s", strings.Join(said, ", "))
	})
}

// processFaults are what can happen to a process: it is killed and comes back, or it hangs.
func processFaults(name string, p *server.Process) []fault {
	return []fault{
		{name + " killed", func(ctx context.Context, random *rand.Rand) error {
			p.Kill()
			pause(ctx.Done(), between(random, 0, 1500*time.Millisecond))
			return p.Restart(ctx)
		}},
		{name + " paused", func(ctx context.Context, random *rand.Rand) error {
			p.Pause()
			pause(ctx.Done(), between(random, 200*time.Millisecond, 4*time.Second))
			p.Resume()
			return nil
		}},
	}
}

// databaseFaults are what can happen to PostgreSQL beside that.
func databaseFaults(db *server.Postgres) [][]fault {
	restarted := fault{"database restarted", func(ctx context.Context, _ *rand.Rand) error { return db.Restart(ctx) }}
	cut := fault{"walsender cut", func(context.Context, *rand.Rand) error {
		onBackends(db, `SELECT pid FROM pg_replication_slots s JOIN pg_stat_activity ON pid = s.active_pid WHERE pg_terminate_backend(pid)`)
		return nil
	}}
	frozen := fault{"writer's backend paused", func(ctx context.Context, random *rand.Rand) error {
		pids := onBackends(db, `SELECT pid FROM pg_stat_activity WHERE application_name = 'writer' ORDER BY random() LIMIT 3`)
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGSTOP) // it may be gone already
		}
		pause(ctx.Done(), between(random, 200*time.Millisecond, 2*time.Second))
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		return nil
	}}
	return [][]fault{append(processFaults("database", db.Process), restarted), {cut}, {frozen}}
}

// onBackends returns the pids that a query answers, none where the database is away.
func onBackends(db *server.Postgres, query string) []int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.DSN("postgres"))
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil
	}
	pids, _ := pgx.CollectRows(rows, pgx.RowTo[int])
	return pids
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// pause waits and reports false where it was told to stop.
func pause(stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-timer.C:
		return true
	}
}
