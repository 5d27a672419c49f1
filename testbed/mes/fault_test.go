package mes

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/alexandrite/orderwatch/testbed/truth"
)

func newTestFaults(t *testing.T, share map[string]float64) *faults {
	t.Helper()
	w, err := truth.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	f, err := newFaults(Options{Seed: 1, FaultShare: share, Truth: w, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFaultsAreDrawnByTheirShares(t *testing.T) {
	f := newTestFaults(t, map[string]float64{truth.MessageLost: 0.1, truth.CalculationHangs: 0.2})
	count := map[string]int{}
	for i := range 10_000 {
		count[f.drawn(fmt.Sprint("model-", i))]++
	}
	for name, want := range map[string]int{truth.MessageLost: 1000, truth.CalculationHangs: 2000, truth.NobodyClaims: 0, "": 7000} {
		if count[name] < want-150 || count[name] > want+150 {
			t.Errorf("%q: %d, want about %d", name, count[name], want)
		}
	}
}

func TestAFaultStrikesItsOrderOnlyAndOnlyUntilItsEnd(t *testing.T) {
	f := newTestFaults(t, nil)
	if err := f.choose("f", truth.NobodyClaims); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.strikes(truth.NobodyClaims, "g"); ok {
		t.Error("it struck another order")
	}
	if _, ok := f.strikes(truth.MessageLost, "f"); ok {
		t.Error("another fault struck the order")
	}
	if err := f.choose("f", truth.MessageLost); err == nil {
		t.Error("an order took a second fault")
	}
	ended, ok := f.strikes(truth.NobodyClaims, "f")
	if !ok {
		t.Fatal("it did not strike")
	}
	f.end("f")
	f.end("f")
	select {
	case <-ended:
	default:
		t.Error("the end was not told")
	}
	if _, ok := f.strikes(truth.NobodyClaims, "f"); ok {
		t.Error("it struck after its end")
	}
	if err := f.choose("f", "fire"); err == nil {
		t.Error("an unknown fault was taken")
	}
}
