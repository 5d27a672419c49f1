package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
)

// errUsage marks an error of usage; its message has been printed.
var errUsage = errors.New("wrong usage")

// finish is the exit code of a measurement that ended with err.
func (c *console) finish(name string, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.Is(err, errUsage):
		return exitUsage
	}
	c.errorf("orderwatch-bench %s: %v", name, err)
	return exitFailed
}

// parse reads a measurement's flags; what is wrong with them has been printed when it returns an error.
func (c *console) parse(f *flag.FlagSet, args []string) error {
	f.SetOutput(c.stderr)
	switch err := f.Parse(args); {
	case err == nil:
		return nil
	case errors.Is(err, flag.ErrHelp):
		return err
	default:
		return errUsage
	}
}

func (c *console) usage(text string) error {
	c.errorf("usage: %s", text)
	return errUsage
}

func (c *console) json(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (c *console) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stdout, format, args...)
}
