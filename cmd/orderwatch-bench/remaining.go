package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/forecast/remaining"
)

// remainingTime is the sub-command remaining.
func remainingTime(ctx context.Context, c *console, args []string) int {
	flags := flag.NewFlagSet("remaining", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	log := flags.String("log", "", "XES event log, packed or not")
	asJSON := flags.Bool("json", false, "print one JSON object")
	seed := flags.Uint64("seed", 1, "seed of the training: same seed, same result")
	traces := flags.String("trace-attributes", "",
		"attributes of traces to use, by comma: only those that are known when a case starts, which a log does not say")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	case *log == "" || flags.NArg() > 0:
		c.errorf("usage: orderwatch-bench remaining --log FILE.xes.gz [--json]")
		return exitUsage
	}
	started := time.Now()
	var named []string
	if *traces != "" {
		named = strings.Split(*traces, ",")
	}
	s, err := scoreLog(ctx, *log, named, *seed)
	if err != nil {
		c.errorf("orderwatch-bench remaining: %v", err)
		return exitFailed
	}
	s.Seconds = time.Since(started).Seconds()
	if *asJSON {
		err = json.NewEncoder(c.stdout).Encode(s)
	} else {
		err = s.print(c.stdout)
	}
	if err != nil {
		c.errorf("orderwatch-bench remaining: print: %v", err)
		return exitFailed
	}
	return exitDone
}

func scoreLog(ctx context.Context, log string, traceAttributes []string, seed uint64) (remainingReport, error) {
	cases, rejected, err := readLog(log, traceAttributes)
	if err != nil {
		return remainingReport{}, err
	}
	s, err := evaluate(ctx, cases, remaining.Options{Seed: seed})
	s.Log, s.RejectedEvents = log, rejected
	return s, err
}

func (s remainingReport) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d cases, of which %d are scored by %d prefixes\n", s.Log, s.Cases, s.TestCases, s.Prefixes)
	fmt.Fprintf(&b, "mean absolute error %.2f days (mean by prefix length: %.2f; on validation: %.2f)\n",
		s.MAE, s.MeanBaseline, s.ValidationMAE)
	fmt.Fprintf(&b, "trained in %.1f s, all in %.1f s: %d trees (%s)\n",
		s.TrainSeconds, s.Seconds, s.Trees, strings.Join(s.Settings, ", "))
	if s.RejectedEvents > 0 {
		fmt.Fprintf(&b, "%d events could not be read\n", s.RejectedEvents)
	}
	fmt.Fprintf(&b, "probability that a promise breaks: of what was given p, so much broke (calibration error %.3f)\n",
		s.CalibrationError)
	for _, r := range s.Reliability {
		fmt.Fprintf(&b, "  %.1f to %.1f  mean %.3f  broke %.3f  of %d\n", r.From, r.To, r.Mean, r.Broke, r.Forecasts)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
