package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	startPatience = time.Minute // for a start that sets none of its own, where the caller's context sets no earlier end
	stopPatience  = 10 * time.Second
	logFile       = "log"
)

// Process is one server process with its own throwaway directory. Every server of this package
// embeds one. Its methods are safe for concurrent use.
type Process struct {
	name     string
	patience time.Duration // of a start; 0: startPatience
	spec     childSpec
	graceful syscall.Signal // ends the server in order, before a restart
	final    syscall.Signal // ends it for good; its data are thrown away
	ready    func(context.Context) error

	mu      sync.Mutex // serialises starts and ends; guards stopped
	stopped bool
	state   sync.Mutex // guards current
	current *child
}

// start launches the process and waits until it is ready. The caller holds mu, or is the only
// one who knows the Process.
func (p *Process) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.patience, startPatience))
	defer cancel()
	c, err := startChild(p.spec)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.state.Lock()
	p.current = c
	p.state.Unlock()
	if err := c.await(ctx, p.ready); err != nil {
		c.kill()
		return fmt.Errorf("start %s: %w\n%s", p.name, err, p.Log())
	}
	return nil
}

// startOrRemove is the first start: nothing stays behind where it fails.
func (p *Process) startOrRemove(ctx context.Context) error {
	if err := p.start(ctx); err != nil {
		return errors.Join(err, removeAll(p.spec.dir))
	}
	return nil
}

func (p *Process) process() *child {
	p.state.Lock()
	defer p.state.Unlock()
	return p.current
}

// PID returns the operating system's number of the server's main process, also of one that ended.
func (p *Process) PID() int { return p.process().pid }

// Dir returns the server's directory, which Stop removes.
func (p *Process) Dir() string { return p.spec.dir }

// Done returns a channel that is closed when the process that runs now has ended.
func (p *Process) Done() <-chan struct{} { return p.process().done }

// Log returns the last 64 KiB the server wrote to its outputs since its first start.
func (p *Process) Log() string {
	text, err := os.ReadFile(filepath.Join(p.spec.dir, p.spec.log))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-64<<10):])
}

// Kill ends the server as a crash would, with SIGKILL to it and all its children, and waits for
// the end. Data and port stay for Restart.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.process().kill()
}

// Pause stops the server and all its children where they are, with SIGSTOP, as a machine that
// hangs would: connections stay open and nobody answers. Kill, Restart and Stop also work on a
// paused server.
func (p *Process) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.process().signalTree(syscall.SIGSTOP)
}

// Resume lets a paused server go on.
func (p *Process) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.process().signalTree(syscall.SIGCONT)
}

// Restart ends the server in order where it still runs and starts it again on the same port with
// the same data. It returns when the server is ready, or with an error after a minute, or when
// ctx ends earlier.
func (p *Process) Restart(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return fmt.Errorf("restart %s: it was stopped for good", p.name)
	}
	p.process().terminate(p.graceful, stopPatience)
	return p.start(ctx)
}

// Stop ends the server for good and removes its directory. A second call does nothing.
func (p *Process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil
	}
	p.stopped = true
	p.process().terminate(p.final, stopPatience)
	return removeAll(p.spec.dir)
}

// Terminate asks the server to end, as a service manager does, and waits until it has, or kills it
// when ctx ends. It returns how the process ended: nil for exit code 0.
func (p *Process) Terminate(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.process()
	if !c.exited() {
		_ = syscall.Kill(c.pid, p.graceful)
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		c.kill()
		return ctx.Err()
	}
	return c.err
}
