package replay

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFactsAreSortedByTimeAndStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SliceOf(rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5), rapid.Just[int64](1e18))).Draw(rt, "times")
		facts := make([]fact, len(times))
		for i, at := range times {
			facts[i] = fact{at: at, place: int32(i)}
		}
		want := slices.Clone(facts)
		slices.SortStableFunc(want, func(a, b fact) int { return cmp.Compare(a.at, b.at) })
		if got := byTime(facts); !slices.Equal(got, want) {
			rt.Errorf("got %v, want %v", got, want)
		}
	})
}
