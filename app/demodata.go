package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/alexandrite/orderwatch/store/sqlite"
	"github.com/alexandrite/orderwatch/testbed/simulation"
)

const (
	demoSeed   = 1
	demoMonths = 12 // of the past

	// While the past is made a person waits: the heap may grow more than usual, up to a bound.
	historyGC     = 400
	historyMemory = 320 << 20
)

// demoState is what a demo must remember to be the same company when it is started again.
type demoState struct {
	Simulation int                 `json:"simulation"` // simulation.Revision
	Flow       string              `json:"flow"`       // hash
	Seed       uint64              `json:"seed"`
	Start      time.Time           `json:"start"`
	Live       []simulation.Period `json:"live"` // the last without end while the demo runs
}

var errOtherDemo = errors.New("it was made by another version of orderwatch: remove it, or give another --data")

// prepare makes the company's past, or finds it.
func (d *demo) prepare(ctx context.Context) error {
	began := time.Now()
	live := began.UTC().Truncate(demoTick)
	state, err := d.load()
	known := err == nil
	switch {
	case errors.Is(err, fs.ErrNotExist):
		state = d.newState(live)
	case err != nil:
		return fmt.Errorf("read demo %s: %w", d.o.Data, err)
	default:
		if err := d.endLive(ctx, state); err != nil {
			return fmt.Errorf("read demo %s: %w", d.o.Data, err)
		}
	}
	if n := len(state.Live); n > 0 && !live.After(state.Live[n-1].To) {
		live = state.Live[n-1].To.Truncate(demoTick).Add(demoTick) // started again within the second
	}
	state.Live = append(state.Live, simulation.Period{From: live})
	d.company, err = simulation.New(simulation.Options{Seed: state.Seed, Start: state.Start, Flow: d.flow, Live: state.Live})
	if err != nil {
		return err
	}
	if err := d.save(state); err != nil {
		return fmt.Errorf("keep demo %s: %w", d.o.Data, err)
	}
	if known {
		d.say("orderwatch demo: going on with the company in %s", d.o.Data)
		d.skip(d.sent)
		return nil
	}
	d.say("orderwatch demo: a simulated company. Replaying its last %d months …", d.months)
	defer debug.SetGCPercent(debug.SetGCPercent(historyGC))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(historyMemory))
	h := &history{company: d.company, flow: d.flow, path: d.path, log: d.o.Logger}
	if err := h.write(ctx, state.Start, live); err != nil {
		return fmt.Errorf("replay history: %w", err)
	}
	d.sent = live
	d.say("%d events of %d orders in %.1f s; %d orders are late now.", h.events, h.orders, time.Since(began).Seconds(), h.late)
	return nil
}

func (d *demo) newState(now time.Time) *demoState {
	y, m, day := now.In(d.flow.Timezone).Date()
	start := time.Date(y, m-time.Month(d.months), day, 0, 0, 0, 0, d.flow.Timezone).UTC()
	return &demoState{Simulation: simulation.Revision, Flow: d.flow.Hash, Seed: demoSeed, Start: start}
}

// skip goes on to that instant without sending anything: the journal has it.
func (d *demo) skip(until time.Time) {
	for at := d.company.Start; at.Before(until); {
		if at = at.AddDate(0, 1, 0); at.After(until) {
			at = until
		}
		d.company.Next(at)
	}
}

func (d *demo) stateFile() string { return filepath.Join(d.o.Data, "demo.json") }

// load reads what is remembered. It reports fs.ErrNotExist where there is no complete history.
func (d *demo) load() (*demoState, error) {
	if _, err := os.Stat(d.path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(d.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is a database and no demo.json: it is no demo's folder")
	}
	if err != nil {
		return nil, err
	}
	var s demoState
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("demo.json: %w", err)
	}
	if s.Simulation != simulation.Revision || s.Flow != d.flow.Hash || len(s.Live) == 0 {
		return nil, errOtherDemo
	}
	return &s, nil
}

// endLive finds in the journal when the demo was last live: through its last watermarks.
func (d *demo) endLive(ctx context.Context, s *demoState) (err error) {
	st, err := sqlite.Open(ctx, sqlite.Options{Path: d.path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	sources, err := st.Sources(ctx)
	if err != nil {
		return err
	}
	for i := range sources {
		if i == 0 || sources[i].Watermark.Before(d.sent) {
			d.sent = sources[i].Watermark
		}
	}
	last := &s.Live[len(s.Live)-1]
	last.To = last.From
	if !d.sent.Before(last.From) {
		last.To = d.sent.Add(1) // the instant of the watermarks was live
	}
	return nil
}

// save writes the state so that it is there whole or not at all.
func (d *demo) save(s *demoState) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := d.stateFile() + ".new"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, d.stateFile())
}
