package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// copyCluster makes data a fresh cluster. initdb takes a second, so its result is kept in the
// folder's cache, one for each version of the server, and copied.
func copyCluster(ctx context.Context, folder, bin string, user *account, data string) error {
	version, err := exec.CommandContext(ctx, bin, "--version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", bin, err)
	}
	template := filepath.Join(folder, cacheFolder, fmt.Sprintf("postgres-%x", sha256.Sum256(append(version, bin...)))[:25])
	if err := ensureTemplate(ctx, folder, template, bin, user); err != nil {
		return err
	}
	// cp keeps owners, modes and holes, and shares blocks where the file system can.
	if out, err := exec.CommandContext(ctx, "cp", "-Rp", template, data).CombinedOutput(); err != nil {
		return fmt.Errorf("copy cached cluster: %w: %s", err, out)
	}
	return nil
}

// ensureTemplate makes the cached cluster where it does not exist yet. The rename at the end makes
// it appear whole or not at all.
func ensureTemplate(ctx context.Context, folder, template, bin string, user *account) (err error) {
	unlock, err := lockFolder(folder)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(template); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(template), 0o711); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	// We hold the lock, so any other work directory is a dead one's.
	leftovers, _ := filepath.Glob(filepath.Join(filepath.Dir(template), "initdb-*"))
	for _, leftover := range leftovers {
		if err := os.RemoveAll(leftover); err != nil {
			return fmt.Errorf("clean cache: %w", err)
		}
	}
	work, err := os.MkdirTemp(filepath.Dir(template), "initdb-")
	if err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := errors.Join(os.Chmod(work, 0o711), user.own(work)); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	if err := initdb(ctx, bin, work, user); err != nil {
		return err
	}
	return os.Rename(filepath.Join(work, "data"), template)
}

func initdb(ctx context.Context, bin, work string, user *account) error {
	c, err := startChild(childSpec{
		dir: work,
		argv: []string{filepath.Join(filepath.Dir(bin), "initdb"), "-D", filepath.Join(work, "data"), "-U", "postgres",
			"-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"},
		env: postgresEnv(work), user: user, death: syscall.SIGKILL, log: logFile,
	})
	if err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		c.kill()
		return fmt.Errorf("initdb: %w", ctx.Err())
	}
	if c.err != nil {
		log, _ := os.ReadFile(filepath.Join(work, logFile))
		return fmt.Errorf("initdb: %w\n%s", c.err, log)
	}
	return nil
}
