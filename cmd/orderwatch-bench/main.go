// Command orderwatch-bench takes the measurements that people quote, one sub-command each. This package
// owns flags, protocols and output; what is measured is done elsewhere.
package main

import (
	"context"
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

// command is one measurement: it returns an exit code and has said on stderr why.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, c *console, args []string) int
}

// console is where a command speaks.
type console struct{ stdout, stderr io.Writer }

func commands() []command {
	return []command{
		{"forecast", "--series FILE --horizon 18 --period 12: accuracy and coverage on published series", forecastSeries},
		{"queue", "--table FILE: waiting against exact values", queueTable},
		{"remaining", "--log FILE.xes.gz: train on a log's older cases, score the time left on its newest", remainingTime},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &console{os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, c *console, args []string) int {
	if len(args) > 0 {
		for _, cmd := range commands() {
			if cmd.name == args[0] {
				return cmd.run(ctx, c, args[1:])
			}
		}
	}
	out, code := c.stderr, exitUsage
	if len(args) == 1 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		out, code = c.stdout, exitDone
	} else if len(args) > 0 {
		c.errorf("orderwatch-bench: there is no measurement %q", args[0])
	}
	_, _ = fmt.Fprintln(out, "usage: orderwatch-bench MEASUREMENT …")
	for _, cmd := range commands() {
		_, _ = fmt.Fprintf(out, "  %-10s %s\n", cmd.name, cmd.summary)
	}
	_, _ = fmt.Fprintln(out, "orderwatch-bench MEASUREMENT --help lists its flags.")
	return code
}

func (c *console) errorf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
}
