// Package migration owns the versions of a schema: numbered SQL files, applied once each, in order.
// Its functions are pure and safe for concurrent use.
package migration

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Step is one version of a schema.
type Step struct {
	Version int
	Name    string // the file's
	SQL     string
}

// Read returns the steps of files named 0001_what.sql, which must count from 1 without a hole.
func Read(files fs.FS) ([]Step, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var steps []Step
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("read migrations: %s is not number %d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		steps = append(steps, Step{Version: version, Name: name, SQL: string(text)})
	}
	return steps, nil
}

// Pending returns the steps that a schema of this version lacks, or an error where it is newer than all of them.
func Pending(steps []Step, version int) ([]Step, error) {
	if version > len(steps) {
		return nil, fmt.Errorf("schema has version %d, newer than version %d that this program knows: use a newer orderwatch", version, len(steps))
	}
	return steps[version:], nil
}
