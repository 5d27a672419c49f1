package exporters

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// segment is one append-only file of frames and what the spool needs to know of it without
// reading it again.
type segment struct {
	id       uint64
	path     string
	size     int64 // bytes of whole frames
	epoch    int64
	first    uint64 // sequence of the first event, 0 while empty
	last     uint64
	from, to int64 // of the events in it, Unix nanoseconds
	events   uint64
}

func segmentPath(dir string, id uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016d.seg", id))
}

// note accounts for a frame that was written at the segment's end.
func (s *segment) note(f *frame, size int) {
	s.size += int64(size)
	s.epoch = f.epoch
	if f.count == 0 {
		return
	}
	if s.events == 0 {
		s.first, s.from, s.to = f.first, f.from, f.to
	}
	s.from, s.to = min(s.from, f.from), max(s.to, f.to)
	s.last = f.last()
	s.events += uint64(f.count)
}

// scan is what reading one segment file found.
type scan struct {
	segment
	tail    frame // the last whole frame; first is 0 where there is none
	damaged bool  // more than a torn tail is wrong
	broken  bool  // the numbers are not contiguous inside the file
	cut     int64 // bytes after the last whole frame
	ends    map[int64]uint64
}

// scanSegment reads a segment up to the first frame that is not whole. previous is the last frame
// of the segment before, whose numbers this one must continue.
func scanSegment(path string, id uint64, previous frame) (scan, error) {
	buf, err := os.ReadFile(path)
	if err != nil {
		return scan{}, fmt.Errorf("read segment: %w", err)
	}
	out := scan{segment: segment{id: id, path: path}, ends: map[int64]uint64{0: 0}}
	rest := buf
	for len(rest) > 0 {
		f, n, err := parseFrame(rest)
		if err != nil {
			out.cut = int64(len(rest))
			out.damaged = holdsFrame(rest[1:])
			break
		}
		if previous.first != 0 && f.epoch == previous.epoch && f.first != previous.last()+1 {
			out.broken = true
		}
		out.note(&f, n)
		out.ends[out.size] = f.last()
		previous, out.tail = f, f
		rest = rest[n:]
	}
	return out, nil
}

// holdsFrame reports whether a whole frame starts anywhere in buf.
func holdsFrame(buf []byte) bool {
	for {
		i := bytes.Index(buf, []byte(frameMagic))
		if i < 0 {
			return false
		}
		if _, _, err := parseFrame(buf[i:]); err == nil {
			return true
		}
		buf = buf[i+1:]
	}
}

// listSegments returns the ids of the segment files in dir, oldest first.
func listSegments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	var ids []uint64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".seg")
		if !ok {
			continue
		}
		if id, err := strconv.ParseUint(name, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
