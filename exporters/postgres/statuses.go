package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// statuses remembers the last status of rows, in bounded memory, exactly as of the stream's
// resume point. What is not remembered counts as changed.
//
// It is a log of blocks, one written before each Append that changes it, and the resume point
// says how many blocks belong to it. So a crash between the two leaves a block too many, which is
// cut. Nothing is synced: where a crash of the machine took a block that the (synced) resume point
// counts, the memory is given up and begins empty.
type statuses struct {
	dir   string
	limit int

	recent, older map[rowKey]mark // two generations bound the memory: older is forgotten as a whole
	changed       []byte          // entries of the next block

	generation uint64 // of the log file
	blocks     uint64
	size       int64
	file       *os.File
	superseded string // file of the generation before, until the new one is in a resume point
}

const (
	entrySize     = 16 + 8
	blockHeader   = 8
	compactAbove  = 1 << 20
	maxBlockBytes = 64 << 20
)

var statusTable = crc32.MakeTable(crc32.Castagnoli)

// openStatuses loads what belongs to the resume point; generation 0 has nothing. It reports
// whether what should have been there was lost.
func openStatuses(dir string, limit int, generation, blocks uint64) (*statuses, bool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("open statuses: %w", err)
	}
	s := &statuses{dir: dir, limit: limit, recent: map[rowKey]mark{}, generation: generation}
	lost := false
	if generation > 0 {
		ok, err := s.load(blocks)
		if err != nil {
			return nil, false, fmt.Errorf("open statuses: %w", err)
		}
		lost = !ok
	}
	if generation == 0 || lost {
		s.recent, s.older = map[rowKey]mark{}, nil
		if err := s.begin(); err != nil {
			return nil, false, fmt.Errorf("open statuses: %w", err)
		}
	}
	return s, lost, s.removeOthers()
}

func (s *statuses) path(generation uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("statuses.%d", generation))
}

// load reports false where the file does not hold that many whole blocks.
func (s *statuses) load(blocks uint64) (bool, error) {
	data, err := os.ReadFile(s.path(s.generation))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	rest := data
	for range blocks {
		body, n, ok := parseBlock(rest)
		if !ok {
			return false, nil
		}
		for ; len(body) > 0; body = body[entrySize:] {
			s.put(rowKey(body[:16]), mark(binary.LittleEndian.Uint64(body[16:])))
		}
		rest = rest[n:]
	}
	s.blocks, s.size = blocks, int64(len(data)-len(rest))
	s.file, err = os.OpenFile(s.path(s.generation), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	return true, s.file.Truncate(s.size)
}

// parseBlock returns the entries of the block at the start of buf and its length.
func parseBlock(buf []byte) (body []byte, size int, ok bool) {
	if len(buf) < blockHeader {
		return nil, 0, false
	}
	n := binary.LittleEndian.Uint32(buf)
	if n > maxBlockBytes || n%entrySize != 0 || uint64(len(buf)) < blockHeader+uint64(n) {
		return nil, 0, false
	}
	body = buf[blockHeader : blockHeader+n]
	return body, blockHeader + int(n), crc32.Checksum(body, statusTable) == binary.LittleEndian.Uint32(buf[4:])
}

// begin starts the next generation with all that is remembered as its first block.
func (s *statuses) begin() error {
	before := s.file
	s.generation++
	f, err := os.OpenFile(s.path(s.generation), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if before != nil {
		s.superseded = before.Name()
		before.Close()
	}
	s.file, s.blocks, s.size, s.changed = f, 0, 0, nil
	for _, m := range []map[rowKey]mark{s.older, s.recent} {
		for key, status := range m {
			s.note(key, status)
		}
	}
	return s.writeBlock()
}

func (s *statuses) removeOthers() error {
	paths, err := filepath.Glob(filepath.Join(s.dir, "statuses.*"))
	if err != nil {
		return err
	}
	for _, p := range paths {
		if p != s.path(s.generation) {
			os.Remove(p) // one that stays is removed next time
		}
	}
	return nil
}

// get returns the last status of a row and whether it is known.
func (s *statuses) get(key rowKey) (mark, bool) {
	if m, ok := s.recent[key]; ok {
		return m, m != 0
	}
	m := s.older[key]
	return m, m != 0
}

// set remembers a row's status; 0 forgets it.
func (s *statuses) set(key rowKey, status mark) {
	s.put(key, status)
	s.note(key, status)
}

func (s *statuses) put(key rowKey, status mark) {
	if len(s.recent) >= s.limit/2 {
		s.older, s.recent = s.recent, make(map[rowKey]mark, s.limit/2)
	}
	s.recent[key] = status
}

func (s *statuses) note(key rowKey, status mark) {
	s.changed = append(s.changed, key[:]...)
	s.changed = binary.LittleEndian.AppendUint64(s.changed, uint64(status))
}

// write puts what changed into the log, ahead of the Append it belongs to.
func (s *statuses) write() error {
	if len(s.changed) == 0 {
		return nil
	}
	if err := s.writeBlock(); err != nil {
		return fmt.Errorf("write statuses: %w", err)
	}
	whole := int64(len(s.recent)+len(s.older)) * entrySize
	if s.size > compactAbove+2*whole && s.superseded == "" {
		if err := s.begin(); err != nil {
			return fmt.Errorf("compact statuses: %w", err)
		}
	}
	return nil
}

func (s *statuses) writeBlock() error {
	buf := make([]byte, blockHeader, blockHeader+len(s.changed))
	binary.LittleEndian.PutUint32(buf, uint32(len(s.changed)))
	binary.LittleEndian.PutUint32(buf[4:], crc32.Checksum(s.changed, statusTable))
	buf = append(buf, s.changed...)
	if _, err := s.file.WriteAt(buf, s.size); err != nil {
		return err
	}
	s.size += int64(len(buf))
	s.blocks++
	s.changed = s.changed[:0]
	return nil
}

// appended says that the resume point which counts the blocks so far is durable.
func (s *statuses) appended() {
	if s.superseded != "" {
		os.Remove(s.superseded)
		s.superseded = ""
	}
}

func (s *statuses) close() error { return s.file.Close() }
