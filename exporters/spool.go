package exporters

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// maxAppend bounds the events of one Append and so the size of a frame.
const maxAppend = 10_000

var errSpoolClosed = errors.New("spool is closed")

// spoolOptions is what a spool is opened with.
type spoolOptions struct {
	dir      string
	maxBytes int64
	dropOld  bool // drop the oldest segments when full; otherwise Append waits
	source   string
	now      func() time.Time
	metrics  *metrics
}

// spool is the durable queue between a Source and the sender: append-only segment files with a
// cursor of what was acknowledged. It implements Stream. All methods are safe concurrently, but
// Append is meant for one goroutine.
type spool struct {
	spoolOptions
	segmentBytes int64
	lock         *os.File

	mu       sync.Mutex
	closed   bool
	segments []*segment // oldest first; the last one is appended to
	nextID   uint64
	file     *os.File // of the last segment
	unclean  bool     // a write failed: cut the file to the segment's size before the next
	tail     frame    // last durable frame: epoch, numbers, position
	bytes    int64    // of all segments
	acked    cursor
	gaps     []order.Event // for the next frame: facts that were lost in here
	lastSeen int64         // largest Event.Time so far, Unix nanoseconds
	changed  chan struct{} // closed and replaced at every change
}

var _ Stream = (*spool)(nil)

// Position implements Stream.
func (s *spool) Position() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.position
}

// Last implements Stream.
func (s *spool) Last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.last()
}

// Append implements Stream.
func (s *spool) Append(ctx context.Context, events []order.Event, position []byte) error {
	if len(events) > maxAppend {
		return fmt.Errorf("append events: %d at once, at most %d", len(events), maxAppend)
	}
	for {
		wait, err := s.tryAppend(events, position)
		if err != nil {
			return fmt.Errorf("append events: %w", err)
		}
		if wait == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait:
		}
	}
}

// tryAppend returns a channel to wait for where the spool is full and configured to hold back.
func (s *spool) tryAppend(events []order.Event, position []byte) (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.buildFrame(events, position)
	if err != nil {
		return nil, err
	}
	for !s.fits(f) {
		if !s.dropOld {
			return s.changed, nil
		}
		if !s.dropOldest() {
			break // one frame larger than the bound: it goes in alone
		}
		if f, err = s.buildFrame(events, position); err != nil {
			return nil, err
		}
	}
	if err := s.write(f); err != nil {
		return nil, err
	}
	s.gaps = nil
	s.metrics.appended(events)
	return nil, nil
}

// AppendGap says that facts were lost on the way. It does not wait for room: it is small and
// what makes room may wait for it.
func (s *spool) AppendGap(from, to int64, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addGap(from, to, reason)
	f, err := s.buildFrame(nil, s.tail.position)
	if err == nil {
		err = s.write(f)
	}
	if err != nil {
		return fmt.Errorf("append gap: %w", err) // kept for the next frame
	}
	s.gaps = nil
	return nil
}

func (s *spool) addGap(from, to int64, reason string) {
	s.gaps = append(s.gaps, order.Event{
		Kind: order.KindGap, Time: time.Unix(0, to).UTC(),
		Gap: order.Gap{From: time.Unix(0, from).UTC(), To: time.Unix(0, to).UTC(), Reason: reason},
	})
}

// buildFrame numbers the gaps that wait and the events.
func (s *spool) buildFrame(events []order.Event, position []byte) (*frame, error) {
	f := &frame{epoch: s.tail.epoch, first: s.tail.last() + 1, position: position}
	f.count = uint32(len(s.gaps) + len(events))
	s.number(f, s.gaps, f.first)
	s.number(f, events, f.first+uint64(len(s.gaps)))
	all := events
	if len(s.gaps) > 0 {
		all = append(append(make([]order.Event, 0, f.count), s.gaps...), events...)
	}
	var err error
	f.records, err = encodeEvents(all)
	return f, err
}

func (s *spool) number(f *frame, events []order.Event, first uint64) {
	for i := range events {
		e := &events[i]
		e.Position = order.Position{Source: s.source, Epoch: f.epoch, Seq: first + uint64(i)}
		if e.Observed.IsZero() {
			e.Observed = s.now().UTC()
		}
		if e.Kind == order.KindWatermark && (e.Watermark.Through == 0 || e.Watermark.Through >= e.Seq) {
			e.Watermark.Through = e.Seq - 1
		}
		at, observed := unixNano(e.Time), unixNano(e.Observed)
		if f.observed == 0 {
			f.from, f.to, f.observed = at, at, observed
		}
		f.from, f.to, f.observed = min(f.from, at), max(f.to, at), min(f.observed, observed)
	}
}

// fits reports whether the frame may be written now. An empty spool takes any frame.
func (s *spool) fits(f *frame) bool {
	_, _, waiting := s.locate(s.acked)
	return !waiting || s.bytes+int64(f.size()) <= s.maxBytes
}

// dropOldest removes the oldest segment that is not being written and remembers what was lost.
func (s *spool) dropOldest() bool {
	if len(s.segments) < 2 {
		return false
	}
	old := s.segments[0]
	if lost := s.unacked(old); lost > 0 {
		s.metrics.dropped(dropFull, lost)
		s.addGap(old.from, old.to, "spool full: oldest events dropped")
	}
	s.removeOldest()
	s.signal()
	return true
}

// unacked counts the events of a segment that no collector has acknowledged.
func (s *spool) unacked(g *segment) uint64 {
	switch {
	case g.events == 0 || g.id < s.acked.Segment:
		return 0
	case g.id == s.acked.Segment && s.acked.Offset > 0:
		return min(g.events, g.last-min(g.last, s.acked.Seq))
	}
	return g.events
}

func (s *spool) removeOldest() {
	old := s.segments[0]
	s.segments = s.segments[1:]
	s.bytes -= old.size
	s.metrics.spoolBytes.Set(float64(s.bytes))
	os.Remove(old.path) // one that stays is sent again after a restart, which the receiver knows
}

func (s *spool) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close lets go of the directory. What was appended stays.
func (s *spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	return errors.Join(err, s.lock.Close())
}
