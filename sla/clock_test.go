package sla

import (
	"testing"
	"time"
)

func TestOffsetsMoveOnlyWhatTheyApplyTo(t *testing.T) {
	const ms = time.Millisecond
	state := func(through uint64, ahead []Range, offsets ...OffsetChange) *SourceState {
		return &SourceState{Epochs: []EpochState{{Epoch: 1, Through: through, Ahead: ahead, Offsets: offsets}}}
	}
	before := state(10, nil, OffsetChange{From: 5, Offset: 2 * ms})
	tests := map[string]struct {
		old, now *SourceState
		want     bool
	}{
		"an offset for what is to come moves nothing":     {before, state(11, nil, OffsetChange{From: 12, Offset: 7 * ms}), false},
		"the same offset said again moves nothing":        {before, state(10, nil, OffsetChange{From: 8, Offset: 2 * ms}), false},
		"another offset that comes late moves what came":  {before, state(10, nil, OffsetChange{From: 8, Offset: 7 * ms}), true},
		"so it does for what came ahead of a hole":        {state(3, []Range{{6, 9}}), state(10, nil, OffsetChange{From: 7, Offset: 7 * ms}), true},
		"a late one before those known moves what came":   {before, state(10, nil, OffsetChange{From: 3, Offset: 2 * ms}, OffsetChange{From: 5, Offset: 2 * ms}), true},
		"the first of a source that has sent nothing yet": {&SourceState{}, state(1, nil, OffsetChange{From: 1, Offset: 7 * ms}), false},
	}
	for name, test := range tests {
		if got := offsetsChanged(test.old, test.now); got != test.want {
			t.Errorf("%s: changed is %v", name, got)
		}
	}
}
