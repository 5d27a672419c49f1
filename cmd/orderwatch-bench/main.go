// Command orderwatch-bench makes the measurements that people quote, one sub-command each. Every one
// prints a table, or with --json one object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks an error of usage; its message has been printed.
var errUsage = errors.New("wrong usage")

// command is one measurement.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, c *console, args []string) error
}

// console is where a command speaks.
type console struct{ stdout, stderr io.Writer }

func commands() []command {
	return []command{
		{"forecast", "--series FILE --horizon 18 --period 12 [--json]: accuracy and coverage on published series", forecastSeries},
		{"queue", "--table FILE [--json]: waiting against exact values", queueTable},
		{"remaining", "--log FILE.xes.gz [--json]: train on a log's older cases, score the time left on its newest", remainingTime},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &console{os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, c *console, args []string) int {
	for _, cmd := range commands() {
		if len(args) == 0 || cmd.name != args[0] {
			continue
		}
		switch err := cmd.run(ctx, c, args[1:]); {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return exitDone
		case errors.Is(err, errUsage):
			return exitUsage
		default:
			_, _ = fmt.Fprintf(c.stderr, "orderwatch-bench %s: %v\n", cmd.name, err)
			return exitFailed
		}
	}
	out, code := c.stderr, exitUsage
	if len(args) == 1 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		out, code = c.stdout, exitDone
	} else if len(args) > 0 {
		_, _ = fmt.Fprintf(c.stderr, "orderwatch-bench: there is no measurement %q\n", args[0])
	}
	_, _ = fmt.Fprintln(out, "usage: orderwatch-bench MEASUREMENT …")
	for _, cmd := range commands() {
		_, _ = fmt.Fprintf(out, "  %-10s %s\n", cmd.name, cmd.summary)
	}
	return code
}

// parse reads a command's flags; what is wrong with them has been printed when it returns an error.
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

func (c *console) usage(format string, args ...any) error {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
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
