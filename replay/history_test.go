package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// settled reads the rows of a table with id, what, when and state and settles the history.
func settled(t *testing.T, rows ...string) *history {
	t.Helper()
	m := parse(t, longMapping+`states: [{column: state, value: gone, status: CANCELLED, at: last}]
attributes: [{column: way, name: channel}]
`)
	h := newHistory(m.System)
	text := "id,what,when,state,way\n" + strings.Join(rows, "\n") + "\n"
	r, err := NewCSV("f.csv", strings.NewReader(text), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.read("f.csv", r, func(int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.settle()
	return h
}

func (h *history) lines() []string {
	var out []string
	for _, f := range h.facts {
		line := fmt.Sprintf("%s %s %s", stamp(time.Unix(0, f.at)), h.orders[f.order].key, h.statuses[f.status])
		for _, a := range h.attrs[f.attrs] {
			line += " " + a.Value
		}
		out = append(out, line)
	}
	return out
}

func TestHistory(t *testing.T) {
	cases := map[string]struct {
		rows   []string
		want   []string
		counts EventCounts
	}{
		"events are sorted by time, equal times keep their reading order": {
			[]string{"2,B,2024-05-02 00:00:00,,", "1,Z,2024-05-01 00:00:00,,", "1,A,2024-05-01 00:00:00,,"},
			[]string{"2024-05-01T00:00:00Z 1 shop/Z", "2024-05-01T00:00:00Z 1 shop/A", "2024-05-02T00:00:00Z 2 shop/B"},
			EventCounts{Read: 3, Accepted: 3},
		},
		"out of order is what comes before the order's latest so far, in reading order": {
			[]string{
				"1,A,2024-05-02 00:00:00,,", "2,A,2024-05-01 00:00:00,,", "1,B,2024-05-01 00:00:00,,",
				"1,C,2024-05-01 12:00:00,,", "1,D,2024-05-02 00:00:00,,",
			},
			[]string{
				"2024-05-01T00:00:00Z 2 shop/A", "2024-05-01T00:00:00Z 1 shop/B", "2024-05-01T12:00:00Z 1 shop/C",
				"2024-05-02T00:00:00Z 1 shop/A", "2024-05-02T00:00:00Z 1 shop/D",
			},
			EventCounts{Read: 5, Accepted: 5, OutOfOrder: 2},
		},
		"the same order, status and time again is a duplicate, and the newer reading of its attributes": {
			[]string{
				"1,A,2024-05-01 00:00:00,,web", "1,B,2024-05-01 00:00:00,,", "2,A,2024-05-01 00:00:00,,",
				"1,A,2024-05-01 00:00:00,,b2b", "1,A,2024-05-01 00:00:01,,",
			},
			[]string{
				"2024-05-01T00:00:00Z 1 shop/A b2b", "2024-05-01T00:00:00Z 1 shop/B", "2024-05-01T00:00:00Z 2 shop/A",
				"2024-05-01T00:00:01Z 1 shop/A",
			},
			EventCounts{Read: 5, Accepted: 4, Duplicate: 1},
		},
		"a state follows its order's last event, wherever in the file that is": {
			[]string{"1,A,2024-05-01 00:00:00,gone,", "1,C,2024-05-03 00:00:00,,", "1,B,2024-05-02 00:00:00,gone,"},
			[]string{
				"2024-05-01T00:00:00Z 1 shop/A", "2024-05-02T00:00:00Z 1 shop/B",
				"2024-05-03T00:00:00Z 1 shop/C", "2024-05-03T00:00:00Z 1 shop/CANCELLED",
			},
			EventCounts{Read: 5, Accepted: 4, Duplicate: 1, OutOfOrder: 1},
		},
		"what was rejected was read": {
			[]string{"1,A,2024-05-01 00:00:00,,", "1,A,never,,", "1"},
			[]string{"2024-05-01T00:00:00Z 1 shop/A"},
			EventCounts{Read: 3, Accepted: 1, Rejected: 2},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := settled(t, c.rows...)
			if got := h.lines(); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if h.counts != c.counts {
				t.Errorf("got %+v, want %+v", h.counts, c.counts)
			}
		})
	}
}

func TestAStateOfAnOrderWithoutEventsIsRejected(t *testing.T) {
	h := newHistory("shop")
	h.add("f.csv", Event{Key: "7", Status: "CANCELLED", Last: true, Row: 3})
	h.settle()
	if want := (EventCounts{Read: 1, Rejected: 1}); h.counts != want {
		t.Errorf("got %+v, want %+v", h.counts, want)
	}
	if got := h.rejected.First[0].Error(); got != "f.csv:3: a state of an order without events: 7" {
		t.Error(got)
	}
}

func TestTheWorldFreezesAfterTheEventsOfTheInstant(t *testing.T) {
	h := settled(t, "1,A,2024-05-01 00:00:00,,", "1,B,2024-05-02 00:00:00,,", "1,C,2024-05-02 00:00:00,,", "1,D,2024-05-03 00:00:00,,")
	day := func(n int) time.Time { return time.Date(2024, 5, n, 0, 0, 0, 0, time.UTC) }
	cases := map[string]struct {
		until, asOf time.Time
		facts       int
	}{
		"not given: at the last event": {time.Time{}, day(3), 4},
		"before the first":             {day(1).Add(-1), day(1).Add(-1), 0},
		"at an instant":                {day(2), day(2), 3},
		"between":                      {day(2).Add(-1), day(2).Add(-1), 1},
		"after the last":               {day(9), day(9), 4},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			facts, asOf := h.until(c.until)
			if len(facts) != c.facts || !asOf.Equal(c.asOf) {
				t.Errorf("got %d facts as of %s, want %d as of %s", len(facts), asOf, c.facts, c.asOf)
			}
		})
	}
}

func TestTheListOfRejectionsIsBoundedAndItsTotalsAreNot(t *testing.T) {
	var r Rejections
	for i := range 150 {
		reason := ReasonTime
		if i%3 == 0 {
			reason = ReasonKey
		}
		r.add(Rejection{File: "f.csv", Row: i + 2, Reason: reason})
	}
	if len(r.First) != maxRejections || r.Len() != 150 || r.Totals[ReasonTime] != 100 || r.Totals[ReasonKey] != 50 {
		t.Errorf("%d listed, totals %v", len(r.First), r.Totals)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Not used: 150\n", "     50  empty key\n", "  f.csv:2: empty key\n", "  and 50 more\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
