package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

const locationVariable = "ORDERWATCH_STORETEST_APPEND_TO"

// Main is to be called first by a driver's TestMain. In the child of a crash test it appends until
// it is killed and does not return; else it does nothing.
func Main(d Driver) {
	location := os.Getenv(locationVariable)
	if location == "" {
		return
	}
	fmt.Fprintln(os.Stderr, appendForEver(d, location))
	os.Exit(1)
}

// appendForEver writes a line with the journal's sequence after every append that returned.
func appendForEver(d Driver, location string) error {
	ctx := context.Background()
	s, err := d.Open(ctx, location)
	if err != nil {
		return err
	}
	p, err := s.Position(ctx)
	if err != nil {
		return err
	}
	for seq := p.Journal; ; {
		n := 1 + rand.IntN(60)
		if err := s.Append(ctx, Batch(seq+1, n, 10)); err != nil {
			return err
		}
		seq += int64(n)
		if err := s.Save(ctx, &sla.Change{Orders: []sla.Order{Order(1+sla.OrderID(seq%10), 1+int(seq%5))}}, seq); err != nil {
			return err
		}
		if _, err := fmt.Println(seq); err != nil {
			return err
		}
	}
}

// Crash kills a process that appends, again and again: what Append acknowledged must be there, once.
func Crash(t *testing.T, d Driver) {
	location := d.Location(t)
	for round := range 5 {
		acknowledged := killed(t, d, location, 3+rand.IntN(60))
		s := openFreed(t, d, location)
		p := position(t, s)
		if p.Journal < acknowledged {
			t.Fatalf("round %d: journal stands at %d although %d was acknowledged", round, p.Journal, acknowledged)
		}
		seen := make(map[int64]int, p.Journal)
		for id := sla.OrderID(1); id <= p.Order; id++ {
			for _, seq := range sequences(must(t, func() (sla.History, error) { return s.History(t.Context(), id) })) {
				seen[seq]++
			}
		}
		for seq := int64(1); seq <= p.Journal; seq++ {
			if seen[seq] != 1 {
				t.Fatalf("round %d: sequence %d is there %d times", round, seq, seen[seq])
			}
		}
		if int64(len(seen)) != p.Journal {
			t.Fatalf("round %d: %d records in a journal that stands at %d", round, len(seen), p.Journal)
		}
		check(t, s.Close())
	}
}

// killed runs an appending process, kills it after some acknowledgements and returns the last one.
func killed(t *testing.T, d Driver, location string, after int) (acknowledged int64) {
	t.Helper()
	executable, err := os.Executable()
	check(t, err)
	child := exec.CommandContext(t.Context(), executable)
	child.Env = append(os.Environ(), locationVariable+"="+location)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		acknowledged, err = strconv.ParseInt(lines.Text(), 10, 64)
		check(t, err)
		if n == 1 {
			if _, err := d.Open(t.Context(), location); !errors.Is(err, store.ErrLocked) {
				t.Errorf("a writer in another process got %v", err)
			}
		}
		if n == after {
			check(t, child.Process.Kill())
		}
	}
	if exit := (*exec.ExitError)(nil); !errors.As(child.Wait(), &exit) || exit.Exited() {
		t.Fatalf("the appending process ended by itself")
	}
	return acknowledged
}

// openFreed opens a store whose writer was just killed: a server may take a moment to notice.
func openFreed(t *testing.T, d Driver, location string) store.Store {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		s, err := d.Open(t.Context(), location)
		if err == nil {
			return s
		}
		if !errors.Is(err, store.ErrLocked) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
