// Command orderwatch follows orders through the systems that handle them and says which are stuck,
// where and why. This package owns flags, signals and exit codes; the work is done elsewhere.
package main

import (
	"context"
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
	exitUsage  = 2 // wrong usage or a bad config
)

// command is one sub-command: it returns an exit code and has said on stderr why.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, c *console, args []string) int
}

// console is where a command speaks.
type console struct{ stdout, stderr io.Writer }

func commands() []command {
	return []command{
		{"demo", "[--listen ADDR] [--data DIR]: a simulated company to look at, nothing installed", demo},
		{"serve", "-c orderwatch.yaml: receive events, judge orders, serve pages, API and metrics", serve},
		{"export", "postgres|rabbitmq -c sidecar.yaml: watch one system", export},
		{"replay", "--flow F --mapping M FILE…: judge history from CSV, XES, JSONL or OCEL files and report", replayHistory},
		{"flow", "discover FILE…: draft a flow file from a log", flowFile},
		{"backtest", "--flow F --against G FILE…: compare what two flows would have paged", backtest},
		{"check", "FILE…: check any of our files", check},
		{"testbed", "…: the simulated company on real servers, with faults", company},
		{"version", "print the version", version},
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
	out := c.stderr
	code := exitUsage
	if len(args) == 1 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
		out, code = c.stdout, exitDone
	} else if len(args) > 0 {
		c.errorf("orderwatch: there is no command %q", args[0])
	}
	usage(out)
	return code
}

func usage(w io.Writer) {
	_, _ = fmt.Fprintln(w, "usage: orderwatch COMMAND …")
	for _, cmd := range commands() {
		_, _ = fmt.Fprintf(w, "  %-9s %s\n", cmd.name, cmd.summary)
	}
	_, _ = fmt.Fprintln(w, "orderwatch COMMAND --help lists a command's flags.")
}

func (c *console) errorf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
}

// flags returns a command's flag set; operands says what follows the flags.
func (c *console) flags(name, operands string) *flag.FlagSet {
	f := flag.NewFlagSet("orderwatch "+name, flag.ContinueOnError)
	f.SetOutput(c.stderr)
	f.Usage = func() {
		c.errorf("usage: orderwatch %s [flags] %s", name, operands)
		f.PrintDefaults()
	}
	return f
}

// parse reports the exit code of flags that cannot be used, or that only asked for help.
func parse(f *flag.FlagSet, args []string) (code int, ok bool) {
	switch err := f.Parse(args); {
	case err == nil:
		return exitDone, true
	case errors.Is(err, flag.ErrHelp):
		return exitDone, false
	default:
		return exitUsage, false
	}
}
