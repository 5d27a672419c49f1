package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
)

func TestRecordEnd(t *testing.T) {
	const segment = 16 << 20
	cases := map[string]struct{ at, want pglogrepl.LSN }{
		"in the middle of a page stays":                  {3*walPage + 128, 3*walPage + 128},
		"behind a page's header is the page's beginning": {3*walPage + pageHeader, 3 * walPage},
		"behind a segment's header is its beginning":     {2*segment + segmentHeader, 2 * segment},
		"40 bytes into another page may end a record":    {3*walPage + segmentHeader, 3*walPage + segmentHeader},
	}
	for name, c := range cases {
		if got := recordEnd(c.at, segment); got != c.want {
			t.Errorf("%s: %v became %v, want %v", name, c.at, got, c.want)
		}
	}
}

func TestOffsetsAreQuantised(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		49 * time.Millisecond: 0, -49 * time.Millisecond: 0, 54 * time.Millisecond: 50 * time.Millisecond, -3006 * time.Millisecond: -3010 * time.Millisecond,
	} {
		if got := quantise(d); got != want {
			t.Errorf("%v became %v, want %v", d, got, want)
		}
	}
}

func TestOnlyADisprovedOffsetChanges(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	took := func(offset, least, most time.Duration) time.Duration {
		p := prover{offset: offset}
		p.add(probe{time: now, position: 1, least: least, most: most})
		mark, _ := p.passed(1)
		return mark.Watermark.ClockOffset
	}
	const ms = time.Millisecond
	cases := map[string]struct{ offset, least, most, want time.Duration }{
		"a database ahead is measured":                         {0, 2999 * ms, 3001 * ms, 3000 * ms},
		"and one behind":                                       {0, -3001 * ms, -2999 * ms, -3000 * ms},
		"a pause after the question proves nothing":            {0, -1 * ms, 4000 * ms, 0},
		"nor does one before the answer":                       {0, -4000 * ms, 1 * ms, 0},
		"and what was measured before stays through it":        {3000 * ms, -1000 * ms, 3001 * ms, 3000 * ms},
		"a clock that was set is followed as far as is proven": {3000 * ms, -1 * ms, 1000 * ms, 1000 * ms},
		"and then wholly":                                      {1000 * ms, -1 * ms, 1 * ms, 0},
	}
	for name, c := range cases {
		if got := took(c.offset, c.least, c.most); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAWatermarkWaitsForItsPosition(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	p := prover{margin: time.Second}
	for i := range 10 * maxProbes {
		p.add(probe{time: start.Add(time.Duration(i) * time.Minute), position: pglogrepl.LSN(100 * (i + 1))})
	}
	if len(p.waits) > maxProbes {
		t.Errorf("%d probes wait", len(p.waits))
	}
	if _, ok := p.passed(99); ok {
		t.Error("proven before any position was passed")
	}
	last := start
	for at := pglogrepl.LSN(0); at < 100*10*maxProbes; at += 50 {
		mark, ok := p.passed(at)
		if !ok {
			continue
		}
		if reached := start.Add(time.Duration(at/100-1) * time.Minute); mark.Time.After(reached.Add(-time.Second)) || !mark.Time.After(last.Add(-time.Minute)) {
			t.Errorf("at %d: proven to %v", at, mark.Time)
		}
		last = mark.Time
	}
	p.add(probe{time: start, position: 1})
	if mark, ok := p.passed(1 << 40); ok && !mark.Time.After(last) {
		t.Error("the watermark went back")
	}
}
