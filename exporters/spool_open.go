package exporters

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// epochFile remembers the epoch, so that a lost or damaged stream gets a greater one.
type epochFile struct {
	Version int   `json:"version"`
	Epoch   int64 `json:"epoch"`
}

// opened says what openSpool found, for the log.
type opened struct {
	newEpoch bool
	damage   string // why the epoch before ended, "" where it did not
	from     int64  // time of the last event before the damage, Unix nanoseconds
	cut      int64  // bytes of a torn tail
}

// openSpool takes the directory, reads what is there and cuts a torn tail. Where more is wrong
// than that, numbers could be given twice: the stream then begins a new epoch, whole frames of
// the old one are still sent, and a gap says so.
func openSpool(o spoolOptions) (*spool, opened, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, opened{}, fmt.Errorf("open spool: %w", err)
	}
	lock, err := lockDir(o.dir)
	if err != nil {
		return nil, opened{}, fmt.Errorf("open spool: %w", err)
	}
	s := &spool{
		spoolOptions: o, lock: lock, changed: make(chan struct{}),
		segmentBytes: max(64<<10, min(8<<20, o.maxBytes/8)),
	}
	found, err := s.load()
	if err != nil {
		return nil, opened{}, errors.Join(fmt.Errorf("open spool: %w", err), lock.Close())
	}
	return s, found, nil
}

func (s *spool) load() (opened, error) {
	var saved epochFile
	if err := readJSON(filepath.Join(s.dir, "epoch.json"), &saved); err != nil {
		return opened{}, err
	}
	if err := readJSON(filepath.Join(s.dir, "cursor.json"), &s.acked); err != nil {
		return opened{}, err
	}
	sent := s.acked
	found, tail, err := s.loadSegments()
	if err != nil {
		return opened{}, err
	}
	s.metrics.spoolBytes.Set(float64(s.bytes))
	if found.damage == "" {
		found.damage = missing(tail, saved, sent)
	}
	if tail.first != 0 && found.damage == "" {
		s.tail = tail
		return found, nil
	}
	return found, s.beginEpoch(max(s.now().UnixMilli(), saved.Epoch+1, tail.epoch+1, sent.Epoch+1), &found)
}

func (s *spool) beginEpoch(epoch int64, found *opened) error {
	found.newEpoch = true
	s.tail = frame{epoch: epoch, first: 1}
	if err := replaceJSON(filepath.Join(s.dir, "epoch.json"), epochFile{1, epoch}, true); err != nil {
		return err
	}
	if found.damage == "" {
		return nil
	}
	return s.AppendGap(found.from, max(found.from, s.now().UnixNano()), "spool damaged: "+found.damage)
}

// missing says what should be there and is not, "" where nothing is.
func missing(tail frame, saved epochFile, at cursor) string {
	sent := at.Seq > 0 && (tail.first == 0 || at.Epoch > tail.epoch || at.Epoch == tail.epoch && at.Seq > tail.last())
	switch {
	case sent:
		return fmt.Sprintf("events up to %d were sent and are gone", at.Seq)
	case tail.first != 0 && saved.Epoch > tail.epoch:
		return "an epoch has no events"
	}
	return ""
}

// loadSegments scans every segment, cuts what is not a whole frame, and sets the cursor to a
// place that exists. Damage counts only in the last epoch: that of earlier ones was dealt with.
func (s *spool) loadSegments() (found opened, tail frame, err error) {
	ids, err := listSegments(s.dir)
	if err != nil {
		return found, tail, err
	}
	s.nextID = s.acked.Segment + 1
	cursorFits := false
	var damagedEpoch int64
	for i, id := range ids {
		g, err := scanSegment(segmentPath(s.dir, id), id, tail)
		if err != nil {
			return found, tail, err
		}
		if g.tail.first != 0 {
			tail = g.tail
		}
		if damage := g.damage(i == len(ids)-1); damage != "" {
			damagedEpoch = tail.epoch
			if found.damage == "" {
				found.damage, found.from = damage, max(s.lastSeen, g.to)
			}
		}
		if err := s.cut(&g); err != nil {
			return found, tail, err
		}
		found.cut += g.cut
		if seq, ok := g.ends[s.acked.Offset]; ok && id == s.acked.Segment {
			cursorFits = s.acked.Offset == 0 || seq == s.acked.Seq
		}
		segment := g.segment
		s.segments = append(s.segments, &segment)
		s.bytes += g.size
		s.nextID = max(s.nextID, id+1)
		s.lastSeen = max(s.lastSeen, g.to)
	}
	if tail.epoch > damagedEpoch {
		found.damage = ""
	}
	if found.damage == "" {
		found.from = s.lastSeen
	}
	if !cursorFits {
		s.resetCursor()
	}
	return found, tail, nil
}

func (g *scan) damage(last bool) string {
	switch {
	case g.damaged, g.cut > 0 && !last:
		return fmt.Sprintf("segment %d does not read", g.id)
	case g.broken:
		return fmt.Sprintf("frames are missing before or in segment %d", g.id)
	}
	return ""
}

func (s *spool) cut(g *scan) error {
	if g.cut == 0 {
		return nil
	}
	if err := os.Truncate(g.path, g.size); err != nil {
		return fmt.Errorf("cut segment: %w", err)
	}
	return nil
}

// resetCursor starts sending at the oldest segment not wholly acknowledged.
func (s *spool) resetCursor() {
	for _, g := range s.segments {
		if g.id >= s.acked.Segment {
			s.acked = cursor{Segment: g.id}
			return
		}
	}
	s.acked = cursor{}
	if n := len(s.segments); n > 0 {
		s.acked.Segment = s.segments[n-1].id
	}
}
