package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// Options say what to replay.
type Options struct {
	Flow     *order.Flow
	Mapping  *Mapping
	Files    []string       // read in this order; packed with gzip or plain
	Until    time.Time      // the world is frozen after the events of this instant; the last accepted event's where zero
	Progress func(Progress) // called from Run's goroutine at most every few thousand events; may be nil

	against *order.Flow // Backtest's other flow
}

// Phase is a part of a replay.
type Phase string

// The phases of a replay, in their order.
const (
	PhaseRead  Phase = "read"
	PhaseJudge Phase = "judge"
)

// Progress says how far a replay is.
type Progress struct {
	Phase  Phase
	File   string // PhaseRead
	Events int    // done in this phase
	Total  int    // PhaseJudge: events to do
}

// checkEvery is the number of events between looks at the context, and between reports of progress.
const checkEvery = 1 << 13

// Run reads the files, replays them and reports. What cannot be read in a file is part of the report;
// an error is a file that cannot be opened, or lacks columns, a mapping that does not fit the flow,
// or the context's end.
func Run(ctx context.Context, o Options) (*Report, error) {
	if len(o.Files) == 0 {
		return nil, errors.New("replay: no files given")
	}
	if err := o.Mapping.check(o.Flow); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	h, err := o.history(ctx)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return o.judge(ctx, h)
}

// history reads the files.
func (o *Options) history(ctx context.Context) (*history, error) {
	h := newHistory(o.Mapping.System)
	for _, file := range o.Files {
		if err := o.read(ctx, h, file); err != nil {
			return nil, err
		}
	}
	h.settle()
	return h, nil
}

func (o *Options) read(ctx context.Context, h *history, file string) (err error) {
	src, err := openSource(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	reader, err := newReader(file, src, o.Mapping, o.dues())
	if err != nil {
		return err
	}
	return h.read(file, reader, func(events int) error {
		if events%checkEvery != 0 {
			return nil
		}
		o.progress(Progress{Phase: PhaseRead, File: file, Events: events})
		return ctx.Err()
	})
}

func (o *Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// dues lists the attributes that hold promised instants.
func (o *Options) dues() []string {
	var names []string
	for _, flow := range []*order.Flow{o.Flow, o.against} {
		for i := 0; flow != nil && i < len(flow.Promises); i++ {
			if due := flow.Promises[i].Due; due != "" {
				names = append(names, due)
			}
		}
	}
	return names
}
