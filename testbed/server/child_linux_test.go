package server

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// onDyingThread runs do on an OS thread that ends right after, and returns the thread's id. The
// process's first thread never ends; where the scheduler hands out that one, it reports false.
func onDyingThread(do func()) (tid int, ok bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if tid = syscall.Gettid(); tid == os.Getpid() {
			runtime.UnlockOSThread()
			return
		}
		ok = true
		do() // never unlocked: the thread ends with the goroutine
	}()
	<-done
	return tid, ok
}

func TestAServerOutlivesTheThreadThatAskedForIt(t *testing.T) {
	var command *Command
	var err error
	start := func() {
		command, err = StartCommand(t.Context(), CommandOptions{Name: "sleeper", Argv: []string{"sleep", "600"}})
	}
	tid, ok := onDyingThread(start)
	for !ok {
		tid, ok = onDyingThread(start)
	}
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, command.Stop)
	eventually(t, "the thread has ended", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid))
		return os.IsNotExist(err)
	})
	// A signal sent at the thread's end has reached the sleeper before one sent now has.
	if err := syscall.Kill(command.PID(), syscall.SIGCONT); err != nil || startTime(command.PID()) == "" {
		t.Errorf("the server ended with the thread (%v)", err)
	}
}
