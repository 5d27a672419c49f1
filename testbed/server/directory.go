package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	ownerFile     = "owner"     // "pid start-time" of the process that answers for the directory
	processesFile = "processes" // the same of each process started in it, a line each
	cacheFolder   = "cache"
)

// DefaultFolder returns the folder that throwaway servers live in: os.TempDir()/orderwatch-<uid>.
func DefaultFolder() string {
	return filepath.Join(os.TempDir(), "orderwatch-"+strconv.Itoa(os.Getuid()))
}

// newDirectory sweeps the folder and makes a server's directory in it that this process owns.
func newDirectory(folder, name string) (string, error) {
	unlock, err := lockFolder(folder)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := sweep(folder); err != nil {
		return "", fmt.Errorf("sweep %s: %w", folder, err)
	}
	dir, err := os.MkdirTemp(folder, name+"-")
	if err != nil {
		return "", fmt.Errorf("make server directory: %w", err)
	}
	// Servers that run as another user must be able to pass through.
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", fmt.Errorf("make server directory: %w", err)
	}
	return dir, recordProcess(filepath.Join(dir, ownerFile), os.Getpid())
}

// lockFolder makes the folder where needed and takes its lock. Under the lock no directory is
// without its owner's name.
func lockFolder(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o711); err != nil {
		return nil, fmt.Errorf("make folder of servers: %w", err)
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return nil, fmt.Errorf("check folder of servers: %w", err)
	}
	// The folder lies in a place where everyone may write.
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Getuid() {
		return nil, fmt.Errorf("check folder of servers: %s is not a directory of ours", folder)
	}
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock folder of servers: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock folder of servers: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil // closing releases the lock
}

// Sweep kills what dead owners left running under the folder and removes their directories. Each
// start of a server does the same first.
func Sweep(folder string) error {
	unlock, err := lockFolder(folder)
	if err != nil {
		return err
	}
	defer unlock()
	return sweep(folder)
}

func sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		dir := filepath.Join(folder, entry.Name())
		if !entry.IsDir() || entry.Name() == cacheFolder || len(running(filepath.Join(dir, ownerFile))) > 0 {
			continue
		}
		for _, pid := range running(filepath.Join(dir, processesFile)) {
			killTree(pid)
		}
		errs = append(errs, awaitEnd(filepath.Join(dir, processesFile)), removeAll(dir))
	}
	return errors.Join(errs...)
}

// running returns the pids recorded in the file whose process still runs. A missing file, or a
// pid that meanwhile belongs to another process, counts as not running.
func running(file string) []int {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var pids []int
	for line := range strings.Lines(string(text)) {
		number, started, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(number); err == nil && started != "" && startTime(pid) == started {
			pids = append(pids, pid)
		}
	}
	return pids
}

func recordProcess(path string, pid int) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("record process: %w", err)
	}
	_, err = fmt.Fprintf(file, "%d %s\n", pid, startTime(pid))
	return errors.Join(err, file.Close())
}

func awaitEnd(file string) error {
	deadline := time.Now().Add(10 * time.Second)
	for len(running(file)) > 0 {
		if time.Now().After(deadline) {
			return fmt.Errorf("kill leftover of %s: processes %v still run", filepath.Dir(file), running(file))
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// killTree kills a process, its group and its descendants, and waits for the descendants' end. It stops the process first, so that it
// starts no child in between.
func killTree(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	children := descendants(pid)
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	// A restart must not meet the old children: PostgreSQL would refuse the shared memory they hold.
	deadline := time.Now().Add(stopPatience)
	for _, child := range children {
		for startTime(child) != "" && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	}
}

// removeAll tries again for a while: a dying process may still create a file.
func removeAll(dir string) error {
	var err error
	for range 50 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("remove server directory: %w", err)
}
