package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"

	"github.com/alexandrite/orderwatch/app"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// replayHistory judges history from files as if it had been watched, and reports.
func replayHistory(ctx context.Context, c *console, args []string) int {
	f := c.flags("replay", "FILE…")
	flowPath := f.String("flow", "", "the flow `file`")
	mappingPath := f.String("mapping", "", "the mapping `file`: which column says what (XES logs do without)")
	untilText := f.String("until", "", "freeze the world at this `time`: RFC 3339, or as in the files (default: the last event)")
	asJSON := f.Bool("json", false, "print one JSON object")
	files, code, ok := operands(f, args)
	if !ok {
		return code
	}
	if *flowPath == "" || len(files) == 0 {
		c.errorf("orderwatch replay: --flow, --mapping (but for XES) and at least one file are needed")
		f.Usage()
		return exitUsage
	}
	flow, mapping, err := loadReplay(*flowPath, *mappingPath)
	if err != nil {
		c.errorf("%v", err)
		return exitUsage
	}
	until, err := readUntil(mapping, *untilText)
	if err != nil {
		c.errorf("orderwatch replay: %v", err)
		return exitUsage
	}
	relaxCollector()
	show, done := c.progress()
	report, err := replay.Run(ctx, replay.Options{Flow: flow, Mapping: mapping, Files: files, Until: until, Progress: show})
	done()
	if err != nil {
		c.errorf("orderwatch replay: %v", err)
		return exitFailed
	}
	write := report.WriteText
	if *asJSON {
		write = report.WriteJSON
		err = report.Rejected.WriteText(c.stderr)
	}
	if err = errors.Join(err, write(c.stdout)); err != nil {
		c.errorf("orderwatch replay: print report: %v", err)
		return exitFailed
	}
	if err := report.Rejected.Err(); err != nil {
		c.errorf("orderwatch replay: %v", err)
		return exitFailed
	}
	return exitDone
}

// relaxCollector lets the heap grow further between collections: what a replay holds lives to its end, so that
// collecting often only costs time. GOGC, where it is set, stands.
func relaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

func loadReplay(flowPath, mappingPath string) (*order.Flow, *replay.Mapping, error) {
	flow, err := app.LoadFlow(flowPath)
	if err != nil {
		return nil, nil, err
	}
	mapping, err := loadMapping(mappingPath, flow)
	return flow, mapping, err
}

// loadMapping reads a mapping file; without one, XES logs have a standard.
func loadMapping(path string, flow *order.Flow) (*replay.Mapping, error) {
	if path == "" {
		return replay.StandardMapping(flow)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return replay.ParseMapping(path, data)
}
