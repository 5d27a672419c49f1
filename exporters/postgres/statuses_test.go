package postgres

import (
	"encoding/binary"
	"os"
	"testing"
)

func rowNumber(i int) (key rowKey) {
	binary.BigEndian.PutUint64(key[:], uint64(i))
	return key
}

func mustOpenStatuses(t *testing.T, dir string, limit int, generation, blocks uint64) (*statuses, bool) {
	t.Helper()
	s, lost, err := openStatuses(dir, limit, generation, blocks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s, lost
}

func mustWrite(t *testing.T, s *statuses) {
	t.Helper()
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
}

func TestStatusesAreAsOfTheResumePoint(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpenStatuses(t, dir, 1000, 0, 0)
	s.set(rowNumber(1), 10)
	mustWrite(t, s)
	generation, blocks := s.generation, s.blocks
	s.set(rowNumber(1), 11) // written, but the Append that counts it never happened
	s.set(rowNumber(2), 20)
	mustWrite(t, s)
	s, lost := mustOpenStatuses(t, dir, 1000, generation, blocks)
	if m, known := s.get(rowNumber(1)); lost || !known || m != 10 {
		t.Errorf("row 1 is %d, known %v, lost %v", m, known, lost)
	}
	if _, known := s.get(rowNumber(2)); known {
		t.Error("row 2 is known")
	}
	s.set(rowNumber(1), 0)
	if _, known := s.get(rowNumber(1)); known {
		t.Error("row 1 was not forgotten")
	}
}

func TestStatusesThatLackABlockAreGivenUp(t *testing.T) {
	cases := map[string]func(path string){
		"shorter": func(path string) { os.Truncate(path, 20) },
		"gone":    func(path string) { os.Remove(path) },
		"damaged": func(path string) {
			data, _ := os.ReadFile(path)
			data[len(data)-1]++
			os.WriteFile(path, data, 0o600)
		},
	}
	for name, damage := range cases {
		dir := t.TempDir()
		s, _ := mustOpenStatuses(t, dir, 1000, 0, 0)
		s.set(rowNumber(1), 10)
		mustWrite(t, s)
		damage(s.path(s.generation))
		s, lost := mustOpenStatuses(t, dir, 1000, s.generation, s.blocks)
		if _, known := s.get(rowNumber(1)); !lost || known {
			t.Errorf("%s: lost %v, known %v", name, lost, known)
		}
	}
}

func TestStatusesStayBoundedInMemoryAndOnDisk(t *testing.T) {
	const limit = 2000
	dir := t.TempDir()
	s, _ := mustOpenStatuses(t, dir, limit, 0, 0)
	for i := range 200_000 {
		s.set(rowNumber(i%5000), mark(i+2))
		if i%100 == 99 {
			mustWrite(t, s)
			s.appended()
		}
	}
	if n := len(s.recent) + len(s.older); n > limit {
		t.Errorf("%d rows are remembered", n)
	}
	if s.generation < 2 || s.size > 2*compactAbove {
		t.Errorf("generation %d, %d bytes", s.generation, s.size)
	}
	again, lost := mustOpenStatuses(t, dir, limit, s.generation, s.blocks)
	for i := range 5000 {
		got, known := again.get(rowNumber(i))
		want, ok := s.get(rowNumber(i))
		if lost || known != ok || got != want {
			t.Fatalf("row %d is %d after a restart, was %d (lost %v)", i, got, want, lost)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
}
