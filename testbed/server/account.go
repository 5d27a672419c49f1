package server

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
)

// account is the user a server runs as where it refuses to run as root.
type account struct{ uid, gid uint32 }

// unprivileged returns the named account when we are root, nil (stay as we are) otherwise.
func unprivileged(name string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("look up user %s: %w", name, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read uid of %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read gid of %s: %w", name, err)
	}
	return &account{uid: uint32(uid), gid: uint32(gid)}, nil
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// find returns the first program that exists: patterns with a slash are globbed, newest first,
// names are looked up in PATH. The error says what to install.
func find(install string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		if filepath.Base(pattern) == pattern {
			if path, err := exec.LookPath(pattern); err == nil {
				return path, nil
			}
			continue
		}
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("find %s: not installed (looked for %v); on Debian or Ubuntu: %s",
		filepath.Base(patterns[0]), patterns, install)
}
