package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alexandrite/orderwatch/replay"
)

// progressEvery is how often a terminal is told how far a replay is.
const progressEvery = 200 * time.Millisecond

// progress returns what shows a replay's progress on stderr, and what wipes it away. Where stderr is no terminal
// both do nothing.
func (c *console) progress() (show func(replay.Progress), done func()) {
	file, ok := c.stderr.(*os.File)
	if ok {
		info, err := file.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !ok {
		return nil, func() {}
	}
	const wipe = "\r\x1b[K"
	var last time.Time
	show = func(p replay.Progress) {
		if time.Since(last) < progressEvery {
			return
		}
		last = time.Now()
		if p.Phase == replay.PhaseRead {
			_, _ = fmt.Fprintf(file, "%sreading %s: %d events", wipe, p.File, p.Events)
		} else {
			_, _ = fmt.Fprintf(file, "%sreplaying: %d of %d events", wipe, p.Events, p.Total)
		}
	}
	return show, func() { _, _ = fmt.Fprint(file, wipe) }
}
