package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/app"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// backtest replays history through two flow files and compares the incidents they would have opened.
func backtest(ctx context.Context, c *console, args []string) int {
	f := c.flags("backtest", "FILE…")
	flowPath := f.String("flow", "", "the flow `file`")
	againstPath := f.String("against", "", "the flow `file` to compare with")
	mappingPath := f.String("mapping", "", "the mapping `file`: which column says what (XES logs do without)")
	untilText := f.String("until", "", "freeze the world at this `time`: RFC 3339, or as in the files (default: the last event)")
	asJSON := f.Bool("json", false, "print one JSON object")
	files, code, ok := operands(f, args)
	if !ok {
		return code
	}
	if *flowPath == "" || *againstPath == "" || len(files) == 0 {
		c.errorf("orderwatch backtest: --flow, --against and at least one file are needed")
		f.Usage()
		return exitUsage
	}
	o, err := loadBacktest(*flowPath, *againstPath, *mappingPath, *untilText)
	if err != nil {
		c.errorf("orderwatch backtest: %v", err)
		return exitUsage
	}
	show, done := c.progress()
	o.Files, o.Progress = files, show
	relaxCollector()
	b, err := replay.RunBacktest(ctx, *o)
	done()
	if err != nil {
		c.errorf("orderwatch %v", err)
		return exitFailed
	}
	write := b.WriteText
	if *asJSON {
		write = b.WriteJSON
		err = b.Rejected.WriteText(c.stderr)
	}
	if err = errors.Join(err, write(c.stdout), b.Rejected.Err()); err != nil {
		c.errorf("orderwatch backtest: %v", err)
		return exitFailed
	}
	return exitDone
}

func loadBacktest(flowPath, againstPath, mappingPath, until string) (*replay.BacktestOptions, error) {
	flow, err := app.LoadFlow(flowPath)
	var against *order.Flow
	if err == nil {
		against, err = app.LoadFlow(againstPath)
	}
	var mapping *replay.Mapping
	if err == nil {
		mapping, err = loadMapping(mappingPath, flow)
	}
	if err != nil {
		return nil, err
	}
	at, err := readUntil(mapping, until)
	return &replay.BacktestOptions{Flow: flow, Against: against, Mapping: mapping, Until: at}, err
}

// readUntil reads the time of a freeze, zero where none is given.
func readUntil(m *replay.Mapping, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, ok := m.ParseTime(text); ok {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("--until: %q is no time: use RFC 3339, or write it as the files do", text)
}
