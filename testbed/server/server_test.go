package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
)

const helperVariable = "ORDERWATCH_SERVER_TEST_HELPER"

// TestMain lets the test binary also be the helper process that starts servers and is killed.
func TestMain(m *testing.M) {
	if folder := os.Getenv(helperVariable); folder != "" {
		os.Exit(helper(folder))
	}
	goleak.VerifyTestMain(m)
}

// helper starts a PostgreSQL, says its pid and directory, and waits for its end.
func helper(folder string) int {
	p, err := StartPostgres(context.Background(), PostgresOptions{Folder: folder})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(p.PID(), p.Dir())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func stopAtEnd(t *testing.T, stop func() error) {
	t.Helper()
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never came true: %s", what)
		}
	}
}

func exec1(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var text string
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return text
}

func TestPostgresKeepsCommittedRowsThroughAKillAndARestart(t *testing.T) {
	p, err := StartPostgres(t.Context(), PostgresOptions{Settings: map[string]string{"max_connections": "17"}})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, p.Stop)
	dsn, err := p.CreateDatabase(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]string{"SHOW wal_level": "logical", "SHOW max_connections": "17"} {
		if got := exec1(t, dsn, sql); got != want {
			t.Errorf("%s: got %s, want %s", sql, got, want)
		}
	}
	exec1(t, dsn, "CREATE TABLE orders (id bigint PRIMARY KEY)")
	exec1(t, dsn, "INSERT INTO orders VALUES (1), (2)")
	// A backend that is busy when the server dies must not outlive it.
	busy, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	slept := make(chan error, 1)
	go func() { _, err := busy.Exec(context.Background(), "SELECT pg_sleep(600)"); slept <- err }()
	eventually(t, "the backend sleeps", func() bool {
		return exec1(t, dsn, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
	})
	for _, kill := range []bool{true, false} {
		before := p.PID()
		if kill {
			p.Kill()
			if _, err := pgx.Connect(t.Context(), dsn); err == nil {
				t.Fatal("a killed server takes connections")
			}
			if err := <-slept; err == nil {
				t.Error("the backend finished its query although the server was killed")
			}
		}
		if err := p.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.PID() == before {
			t.Errorf("same pid %d after a restart", before)
		}
		if got := exec1(t, dsn, "SELECT count(*)::text FROM orders"); got != "2" {
			t.Errorf("after a restart (killed: %v): %s rows, want 2", kill, got)
		}
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.Dir()); !os.IsNotExist(err) {
		t.Errorf("directory after stop: %v", err)
	}
	if err := p.Restart(t.Context()); err == nil {
		t.Error("a stopped server restarted")
	}
}

func TestRabbitMQKeepsDurableQueuesThroughAKillAndARestart(t *testing.T) {
	r, err := StartRabbitMQ(t.Context(), RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, r.Stop)
	onChannel := func(do func(*amqp.Channel) error) {
		t.Helper()
		conn, err := amqp.Dial(r.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if err := do(ch); err != nil {
			t.Fatal(err)
		}
	}
	onChannel(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare("crm.prices", true, false, false, false, nil)
		return err
	})
	r.Kill()
	if _, err := amqp.Dial(r.URL()); err == nil {
		t.Fatal("a killed broker takes connections")
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	onChannel(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive("crm.prices", true, false, false, false, nil)
		return err
	})
	err = getOK(t.Context(), r.ManagementURL()+"/api/overview", func(req *http.Request) { req.SetBasicAuth("guest", "guest") })
	if err != nil {
		t.Error(err)
	}
}

func TestPrometheusFiresAnAlertAtAlertmanager(t *testing.T) {
	a, err := StartAlertmanager(t.Context(), AlertmanagerOptions{Config: "route: {receiver: none}\nreceivers: [{name: none}]\n"})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, a.Stop)
	p, err := StartPrometheus(t.Context(), PrometheusOptions{
		Config: fmt.Sprintf("global: {evaluation_interval: 1s}\nrule_files: [rules/*.yml]\nalerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n",
			strings.TrimPrefix(a.URL(), "http://")),
		Files: map[string]string{"rules/test.yml": "groups: [{name: g, rules: [{alert: Always, expr: vector(1)}]}]\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, p.Stop)
	eventually(t, "the alert is at Alertmanager", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/api/v2/alerts", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return strings.Contains(string(body), "Always")
	})
	http.DefaultClient.CloseIdleConnections()
}

// startHelper starts a process that starts a PostgreSQL, and returns it with the server's pid and directory.
func startHelper(t *testing.T, folder string) (*exec.Cmd, int, string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0])
	cmd.Env = append(os.Environ(), helperVariable+"="+folder)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	number, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("helper said %q", line)
	}
	return cmd, pid, dir
}

// testFolder is a folder of servers that only this test uses and that other users may pass.
func testFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "orderwatch-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The owners are dead by now: this ends what a failed test has left running.
		if err := errors.Join(Sweep(folder), os.RemoveAll(folder)); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func TestAServerEndsWithItsOwnerAndTheNextStartSweepsItsDirectory(t *testing.T) {
	folder := testFolder(t)
	owner, pid, dir := startHelper(t, folder)
	_, _, living := startHelper(t, folder)
	if startTime(pid) == "" {
		t.Fatal("the server does not run")
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	eventually(t, "the server has ended with its owner", func() bool { return startTime(pid) == "" })
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("nobody can have removed the directory yet: %v", err)
	}
	p, err := StartPostgres(t.Context(), PostgresOptions{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, p.Stop)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("directory of the dead owner after the next start: %v", err)
	}
	if _, err := os.Stat(living); err != nil {
		t.Errorf("directory of the living owner: %v", err)
	}
}

func TestSweep(t *testing.T) {
	dead := func(t *testing.T) string { // a pid and start time that no longer run
		cmd := exec.CommandContext(t.Context(), "true")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %s\n", cmd.Process.Pid, "1")
		_ = cmd.Wait()
		return line
	}
	alive := func(*testing.T) string { return fmt.Sprintf("%d %s\n", os.Getpid(), startTime(os.Getpid())) }
	reused := func(*testing.T) string { return fmt.Sprintf("%d %s\n", os.Getpid(), "1") }
	for name, test := range map[string]struct {
		owner      func(*testing.T) string
		otherStart bool // the recorded start time of the leftover is another process's
		swept      bool
		killed     bool
	}{
		"a dead owner's leftover process is killed and its directory removed": {owner: dead, swept: true, killed: true},
		"a directory without an owner is removed":                             {swept: true, killed: true},
		"an owner's pid that now belongs to another process is a dead owner":  {owner: reused, swept: true, killed: true},
		"a process that reuses a leftover's pid is spared":                    {owner: dead, otherStart: true, swept: true},
		"a living owner keeps its process and directory":                      {owner: alive},
	} {
		t.Run(name, func(t *testing.T) {
			folder := testFolder(t)
			dir := filepath.Join(folder, "server-1")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			leftover, err := startChild(childSpec{dir: dir, argv: []string{"sleep", "600"}, log: logFile})
			if err != nil {
				t.Fatal(err)
			}
			defer leftover.kill()
			if test.otherStart {
				write(t, filepath.Join(dir, processesFile), fmt.Sprintf("%d 1\n", leftover.pid))
			}
			if test.owner != nil {
				write(t, filepath.Join(dir, ownerFile), test.owner(t))
			}
			if err := Sweep(folder); err != nil {
				t.Fatal(err)
			}
			if test.killed {
				<-leftover.done
			}
			if leftover.exited() != test.killed {
				t.Errorf("leftover killed: %v, want %v", leftover.exited(), test.killed)
			}
			if _, err := os.Stat(dir); os.IsNotExist(err) != test.swept {
				t.Errorf("directory: %v, want swept %v", err, test.swept)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAPausedPostgresAnswersNobodyUntilItIsResumed(t *testing.T) {
	p, err := StartPostgres(t.Context(), PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, p.Stop)
	p.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := p.ping(ctx); err == nil {
		t.Error("it answered while it was paused")
	}
	p.Resume()
	if err := p.ping(t.Context()); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
	p.Pause()
	if err := p.Restart(t.Context()); err != nil {
		t.Errorf("restart while it was paused: %v", err)
	}
}

func TestAMissingProgramSaysWhatToInstall(t *testing.T) {
	_, err := find("apt-get install postgresql-15", "/nowhere/*/bin/postgres-of-nobody", "postgres-of-nobody")
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql-15") {
		t.Errorf("got %v", err)
	}
}

func TestCommand(t *testing.T) {
	t.Run("gets its files and its own directory", func(t *testing.T) {
		c, err := StartCommand(t.Context(), CommandOptions{
			Name: "reader", Argv: []string{"sh", "-c", "cat etc/conf {dir}/etc/conf; exec sleep 600"},
			Files: map[string]string{"etc/conf": "hello\n"},
		})
		if err != nil {
			t.Fatal(err)
		}
		stopAtEnd(t, c.Stop)
		eventually(t, "the log has both readings", func() bool { return c.Log() == "hello\nhello\n" })
	})
	t.Run("that ends before it is ready is an error with its output", func(t *testing.T) {
		_, err := StartCommand(t.Context(), CommandOptions{
			Name: "broken", Argv: []string{"sh", "-c", "echo no such flag; exit 2"}, Ready: "/readyz",
		})
		if err == nil || !strings.Contains(err.Error(), "no such flag") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses a file outside its directory", func(t *testing.T) {
		_, err := StartCommand(t.Context(), CommandOptions{Name: "x", Argv: []string{"true"}, Files: map[string]string{"../y": ""}})
		if err == nil {
			t.Error("no error")
		}
	})
}
