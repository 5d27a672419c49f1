package migration

import (
	"testing"
	"testing/fstest"
)

func TestRead(t *testing.T) {
	file := func() *fstest.MapFile { return &fstest.MapFile{Data: []byte("SELECT 1")} }
	for name, test := range map[string]struct {
		files fstest.MapFS
		ok    bool
	}{
		"steps count from one":      {fstest.MapFS{"0001_a.sql": file(), "0002_b.sql": file(), "notes.txt": file()}, true},
		"a hole is refused":         {fstest.MapFS{"0001_a.sql": file(), "0003_b.sql": file()}, false},
		"a number twice is refused": {fstest.MapFS{"0001_a.sql": file(), "0001_b.sql": file()}, false},
		"a word is refused":         {fstest.MapFS{"first.sql": file()}, false},
	} {
		steps, err := Read(test.files)
		if (err == nil) != test.ok || test.ok && (len(steps) != 2 || steps[1].Name != "0002_b.sql" || steps[1].SQL != "SELECT 1") {
			t.Errorf("%s: %+v, %v", name, steps, err)
		}
	}
}

func TestPending(t *testing.T) {
	steps := []Step{{Version: 1}, {Version: 2}}
	for version, want := range map[int]int{0: 2, 1: 1, 2: 0} {
		if got, err := Pending(steps, version); err != nil || len(got) != want {
			t.Errorf("at version %d: %v, %v, want %d steps", version, got, err, want)
		}
	}
	if _, err := Pending(steps, 3); err == nil {
		t.Error("a newer schema is accepted")
	}
}
