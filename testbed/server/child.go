package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// childSpec says how to start one operating system process.
type childSpec struct {
	dir   string   // the server's directory
	argv  []string // program and arguments
	env   []string
	user  *account       // nil: ours
	death syscall.Signal // sent by the kernel when our process ends
	log   string         // file in dir that gets both outputs, appended
}

// child is one started operating system process.
type child struct {
	pid  int
	done chan struct{} // closed once the process was reaped
	err  error         // how it ended; read after done
}

func startChild(spec childSpec) (*child, error) {
	log, err := os.OpenFile(filepath.Join(spec.dir, spec.log), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", spec.argv[0], err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(spec.argv[0], spec.argv[1:]...) //nolint:noctx // it outlives the context of its start
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = spec.dir, spec.env, log, log
	cmd.SysProcAttr = attributes(spec.user, spec.death)
	c := &child{done: make(chan struct{})}
	started := make(chan error)
	go c.run(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.argv[0], err)
	}
	if err := recordProcess(filepath.Join(spec.dir, processesFile), c.pid); err != nil {
		killTree(c.pid)
		<-c.done
		return nil, err
	}
	return c, nil
}

// run starts the command and waits for its end on one OS thread: the kernel sends the death
// signal when the starting thread ends, not the process, and Go ends and reuses threads freely.
func (c *child) run(cmd *exec.Cmd, started chan<- error) {
	defer close(c.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		c.pid = cmd.Process.Pid
	}
	started <- err
	if err == nil {
		c.err = cmd.Wait()
	}
}

// exited reports whether the process has ended.
func (c *child) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *child) kill() {
	if !c.exited() {
		killTree(c.pid)
		<-c.done
	}
}

// signalTree sends a signal that ends nothing to the process and its descendants, itself first:
// once it is stopped it starts no more.
func (c *child) signalTree(signal syscall.Signal) {
	if c.exited() {
		return
	}
	_ = syscall.Kill(c.pid, signal)
	for _, pid := range descendants(c.pid) {
		_ = syscall.Kill(pid, signal)
	}
}

// terminate asks the process to end and kills it after the patience is over.
func (c *child) terminate(signal syscall.Signal, patience time.Duration) {
	if c.exited() {
		return
	}
	c.signalTree(syscall.SIGCONT) // a paused process would not notice
	_ = syscall.Kill(c.pid, signal)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		c.kill()
	}
}

// await polls until ready succeeds, the process ends or ctx does.
func (c *child) await(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		last := ready(attempt)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("process ended: %w", errors.Join(c.err, last))
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", errors.Join(ctx.Err(), last))
		case <-tick.C:
		}
	}
}
