package exporters

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// cursor is a place between two frames: everything before it is done with.
type cursor struct {
	Segment uint64 `json:"segment"`
	Offset  int64  `json:"offset"`
	Epoch   int64  `json:"epoch"`
	Seq     uint64 `json:"seq"`
}

// next returns the frame at or after the cursor and the cursor behind it. It waits for one.
func (s *spool) next(ctx context.Context, at cursor) (frame, cursor, error) {
	for {
		f, after, wait, err := s.tryNext(at)
		if err != nil || wait == nil {
			return f, after, err
		}
		select {
		case <-ctx.Done():
			return frame{}, at, ctx.Err()
		case <-wait:
		}
	}
}

// tryNext returns a channel to wait for where no frame is there yet.
func (s *spool) tryNext(at cursor) (frame, cursor, <-chan struct{}, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return frame{}, at, nil, errSpoolClosed
		}
		segment, offset, ok := s.locate(at)
		wait := s.changed
		s.mu.Unlock()
		if !ok {
			return frame{}, at, wait, nil
		}
		f, n, err := readFrame(segment.path, offset, segment.size)
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped in between
		}
		if err != nil {
			return frame{}, at, nil, fmt.Errorf("read spool: segment %d at %d: %w", segment.id, offset, err)
		}
		return f, cursor{segment.id, offset + int64(n), f.epoch, f.last()}, nil, nil
	}
}

// locate returns a copy of the segment that holds the first frame at or after the cursor.
func (s *spool) locate(at cursor) (segment, int64, bool) {
	for _, g := range s.segments {
		offset := int64(0)
		if g.id < at.Segment {
			continue
		}
		if g.id == at.Segment {
			offset = at.Offset
		}
		if offset < g.size {
			return *g, offset, true
		}
	}
	return segment{}, 0, false
}

func readFrame(path string, offset, end int64) (frame, int, error) {
	file, err := os.Open(path)
	if err != nil {
		return frame{}, 0, err
	}
	defer file.Close()
	var head [frameHeader]byte
	if _, err := file.ReadAt(head[:], offset); err != nil {
		return frame{}, 0, err
	}
	size := frameHeader + int64(uint32(head[4])|uint32(head[5])<<8|uint32(head[6])<<16|uint32(head[7])<<24)
	if offset+size > end {
		return frame{}, 0, errBadFrame
	}
	buf := make([]byte, size)
	if _, err := file.ReadAt(buf, offset); err != nil {
		return frame{}, 0, err
	}
	return parseFrame(buf)
}

// start returns where sending goes on.
func (s *spool) start() cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// ack remembers that everything before the cursor was acknowledged and deletes what is finished.
// The file is replaced, not synced: an older cursor only sends again what the receiver knows.
func (s *spool) ack(at cursor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = at
	s.removeAcked()
	s.signal()
	if err := replaceJSON(filepath.Join(s.dir, "cursor.json"), at, false); err != nil {
		return fmt.Errorf("save cursor: %w", err)
	}
	return nil
}

// lag returns how long ago the oldest event that is not acknowledged was seen, 0 where there is none.
func (s *spool) lag(now time.Time) time.Duration {
	f, _, wait, err := s.tryNext(s.start())
	if err != nil || wait != nil || f.count == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(0, f.observed)))
}
