package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// peerModule is the stock OpenTelemetry Collector, a module of its own.
const peerModule = "../../testbed/peer"

// peerBinary returns the path of the stock collector. It takes minutes to build, so it is kept in the
// user's cache, one for each version of its module and of Go.
var peerBinary = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache: %w", err)
	}
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version())
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		text, err := os.ReadFile(filepath.Join(peerModule, name))
		if err != nil {
			return "", fmt.Errorf("read peer: %w", err)
		}
		hash.Write(text)
	}
	path := filepath.Join(cache, "orderwatch", fmt.Sprintf("peer-%x", hash.Sum(nil)[:8]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	// The rename makes it appear whole or not at all.
	unfinished := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(unfinished)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", unfinished, ".")
	build.Dir = peerModule
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build peer: %w\n%s", err, out)
	}
	return path, os.Rename(unfinished, path)
})

func buildPeer(t *testing.T) string {
	t.Helper()
	path, err := peerBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
