package exporters

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/alexandrite/orderwatch/order"
)

var testNow = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func testOptions(dir string) spoolOptions {
	return spoolOptions{dir: dir, maxBytes: 1 << 20, source: "mes-db", now: func() time.Time { return testNow },
		metrics: newMetrics(func() float64 { return 0 })}
}

func mustOpen(t *testing.T, o spoolOptions) (*spool, opened) {
	t.Helper()
	s, found, err := openSpool(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, found
}

func statusEvent(i int) order.Event {
	return order.Event{Kind: order.KindStatus, Time: testNow.Add(time.Duration(i) * time.Second), System: "mes", Status: "SUBMITTED"}
}

func mustAppend(t *testing.T, s *spool, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := s.Append(t.Context(), []order.Event{statusEvent(i)}, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// record is what readAll needs to know of a spooled event.
type record struct {
	epoch, seq int64
	name       string
}

func readAll(t *testing.T, s *spool) (out []record, end cursor) {
	t.Helper()
	end = s.start()
	for {
		f, after, wait, err := s.tryNext(end)
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return out, end
		}
		if err := decodeRecords(f.records, func(r plog.LogRecord) error {
			epoch, _ := r.Attributes().Get(order.AttrEpoch)
			seq, _ := r.Attributes().Get(order.AttrSeq)
			out = append(out, record{epoch.Int(), seq.Int(), r.EventName()})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		end = after
	}
}

func onlySegment(t *testing.T, dir string) string {
	t.Helper()
	ids, err := listSegments(dir)
	if err != nil || len(ids) != 1 {
		t.Fatalf("segments %v, %v", ids, err)
	}
	return segmentPath(dir, ids[0])
}

func TestSpoolGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s, found := mustOpen(t, testOptions(dir))
	if !found.newEpoch || s.Position() != nil || s.Last() != 0 {
		t.Fatalf("new spool: %+v, position %v, last %d", found, s.Position(), s.Last())
	}
	mustAppend(t, s, 1, 3)
	epoch := s.tail.epoch
	s.Close()
	s, found = mustOpen(t, testOptions(dir))
	if found.newEpoch || !bytes.Equal(s.Position(), []byte{3}) || s.Last() != 3 {
		t.Fatalf("reopened: %+v, position %v, last %d", found, s.Position(), s.Last())
	}
	mustAppend(t, s, 4, 4)
	got, _ := readAll(t, s)
	want := []record{{epoch, 1, "order.status"}, {epoch, 2, "order.status"}, {epoch, 3, "order.status"}, {epoch, 4, "order.status"}}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestSpoolCutsATornTailAtEveryByte(t *testing.T) {
	origin := t.TempDir()
	s, _ := mustOpen(t, testOptions(origin))
	mustAppend(t, s, 1, 2)
	whole := s.segments[0].size
	mustAppend(t, s, 3, 3)
	epoch := s.tail.epoch
	s.Close()
	data, err := os.ReadFile(onlySegment(t, origin))
	if err != nil {
		t.Fatal(err)
	}
	for size := whole; size < int64(len(data)); size++ {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), data[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		s, found := mustOpen(t, testOptions(dir))
		if found.damage != "" || found.cut != size-whole || s.Last() != 2 || s.tail.epoch != epoch {
			t.Fatalf("cut at %d: %+v, last %d", size, found, s.Last())
		}
		mustAppend(t, s, 3, 3)
		if got, _ := readAll(t, s); len(got) != 3 || got[2].seq != 3 {
			t.Fatalf("cut at %d: read %v", size, got)
		}
		s.Close()
	}
}

func TestSpoolThatLostWhatItSentBeginsANewEpoch(t *testing.T) {
	cases := map[string]func(t *testing.T, dir string){
		"a frame in the middle is damaged": func(t *testing.T, dir string) {
			path := onlySegment(t, dir)
			data, _ := os.ReadFile(path)
			data[len(data)/2] ^= 0xFF
			os.WriteFile(path, data, 0o600)
		},
		"the segments are gone":            func(t *testing.T, dir string) { os.Remove(onlySegment(t, dir)) },
		"the segment is shorter than sent": func(t *testing.T, dir string) { os.Truncate(onlySegment(t, dir), 10) },
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := mustOpen(t, testOptions(dir))
			mustAppend(t, s, 1, 9)
			epoch := s.tail.epoch
			_, end := readAll(t, s)
			if err := s.ack(end); err != nil {
				t.Fatal(err)
			}
			s.Close()
			damage(t, dir)
			s, found := mustOpen(t, testOptions(dir))
			if found.damage == "" || s.tail.epoch <= epoch || s.Position() != nil {
				t.Fatalf("opened %+v, epoch %d after %d, position %v", found, s.tail.epoch, epoch, s.Position())
			}
			got, _ := readAll(t, s)
			if last := got[len(got)-1]; last != (record{s.tail.epoch, 1, "source.gap"}) {
				t.Errorf("last record is %v", last)
			}
			mustAppend(t, s, 1, 1)
			second := s.tail.epoch
			s.Close()
			if s, found = mustOpen(t, testOptions(dir)); found.damage != "" || s.tail.epoch != second || s.Last() != 2 {
				t.Errorf("opened again: %+v, epoch %d, last %d", found, s.tail.epoch, s.Last())
			}
		})
	}
}

func TestFullSpoolHoldsUntilAcknowledged(t *testing.T) {
	o := testOptions(t.TempDir())
	o.maxBytes = 200 << 10
	s, _ := mustOpen(t, o)
	big := statusEvent(1)
	big.Attrs = []order.Attr{{Name: "note", Value: strings.Repeat("x", 60<<10)}}
	for range 3 {
		if err := s.Append(t.Context(), []order.Event{big}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, []order.Event{big}, nil); err != context.Canceled {
		t.Fatalf("append to a full spool: %v", err)
	}
	appended := make(chan error, 1)
	go func() { appended <- s.Append(t.Context(), []order.Event{big}, nil) }()
	_, end := readAll(t, s)
	if err := s.ack(end); err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil || s.Last() != 4 {
		t.Errorf("append after room was made: %v, last %d", err, s.Last())
	}
}

func TestFullSpoolDropsTheOldestAndSaysSo(t *testing.T) {
	o := testOptions(t.TempDir())
	o.maxBytes, o.dropOld = 400<<10, true
	s, _ := mustOpen(t, o)
	for i := 1; i <= 20; i++ {
		e := statusEvent(i)
		e.Attrs = []order.Attr{{Name: "note", Value: strings.Repeat("x", 60<<10)}}
		if err := s.Append(t.Context(), []order.Event{e}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.bytes > o.maxBytes {
		t.Errorf("spool holds %d bytes, bound %d", s.bytes, o.maxBytes)
	}
	got, _ := readAll(t, s)
	gaps := 0
	for i, r := range got {
		if r.name == "source.gap" {
			gaps++
		}
		if i > 0 && r.seq != got[i-1].seq+1 {
			t.Errorf("number %d after %d", r.seq, got[i-1].seq)
		}
	}
	if gaps == 0 || got[0].seq == 1 {
		t.Errorf("%d gaps, first %d", gaps, got[0].seq)
	}
	files, _ := filepath.Glob(filepath.Join(o.dir, "*.seg"))
	if len(files) != len(s.segments) {
		t.Errorf("%d files for %d segments", len(files), len(s.segments))
	}
}

func TestFinishedSegmentsAreDeletedAndTheNumberKept(t *testing.T) {
	o := testOptions(t.TempDir())
	s, _ := mustOpen(t, o)
	for i := 1; i <= 10; i++ {
		e := statusEvent(i)
		e.Attrs = []order.Attr{{Name: "note", Value: strings.Repeat("x", 60<<10)}}
		if err := s.Append(t.Context(), []order.Event{e}, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		_, end := readAll(t, s)
		if err := s.ack(end); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.segments) != 1 {
		t.Errorf("%d segments remain", len(s.segments))
	}
	s.Close()
	s, found := mustOpen(t, o)
	if got, _ := readAll(t, s); found.newEpoch || s.Last() != 10 || len(got) != 0 {
		t.Errorf("reopened %+v, last %d, %d to send", found, s.Last(), len(got))
	}
}

func FuzzParseFrame(f *testing.F) {
	whole := frame{epoch: 7, first: 3, count: 1, from: 1, to: 2, observed: 3, position: []byte("p"), records: []byte("r")}
	f.Add(whole.append(nil))
	f.Add(whole.append(nil)[:20])
	f.Add([]byte(frameMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, n, err := parseFrame(data)
		if err != nil {
			return
		}
		if again := got.append(nil); !bytes.Equal(again, data[:n]) {
			t.Errorf("frame does not encode to what it was decoded from")
		}
	})
}
