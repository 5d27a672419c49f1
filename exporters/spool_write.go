package exporters

import (
	"errors"
	"fmt"
	"os"
)

// write makes the frame durable at the end of the stream, or leaves the stream as it was.
func (s *spool) write(f *frame) error {
	if s.closed {
		return errSpoolClosed
	}
	current, err := s.writable()
	if err != nil {
		return err
	}
	buf := f.append(make([]byte, 0, f.size()))
	s.unclean = true
	if _, err := s.file.WriteAt(buf, current.size); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync segment: %w", err)
	}
	s.unclean = false
	current.note(f, len(buf))
	s.bytes += int64(len(buf))
	s.tail = frame{epoch: f.epoch, first: f.first, count: f.count, position: append([]byte(nil), f.position...)}
	s.lastSeen = max(s.lastSeen, f.to)
	s.removeAcked()
	s.metrics.spoolBytes.Set(float64(s.bytes))
	s.signal()
	return nil
}

// writable returns the segment to append to with its file open and cut to whole frames.
func (s *spool) writable() (*segment, error) {
	if n := len(s.segments); n > 0 {
		current := s.segments[n-1]
		if current.size == 0 || current.size < s.segmentBytes && current.epoch == s.tail.epoch {
			return current, s.openCurrent(current)
		}
	}
	next := &segment{id: s.nextID, path: segmentPath(s.dir, s.nextID)}
	f, err := os.OpenFile(next.path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return nil, errors.Join(fmt.Errorf("create segment: %w", err), f.Close())
	}
	if s.file != nil {
		s.file.Close() // synced at its last write
	}
	s.file, s.unclean = f, false
	s.nextID++
	s.segments = append(s.segments, next)
	return next, nil
}

func (s *spool) openCurrent(current *segment) error {
	if s.file == nil {
		f, err := os.OpenFile(current.path, os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("open segment: %w", err)
		}
		s.file, s.unclean = f, true
	}
	if !s.unclean {
		return nil
	}
	if err := s.file.Truncate(current.size); err != nil {
		return fmt.Errorf("cut segment: %w", err)
	}
	s.unclean = false
	return nil
}

// removeAcked deletes the segments whose every frame was acknowledged. The one being written
// stays, for its last frame holds the position and the sequence.
func (s *spool) removeAcked() {
	for len(s.segments) > 1 && s.segments[len(s.segments)-1].size > 0 {
		old := s.segments[0]
		done := old.id < s.acked.Segment || old.id == s.acked.Segment && s.acked.Offset >= old.size
		if !done {
			return
		}
		s.removeOldest()
	}
}
