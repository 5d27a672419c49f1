package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/forecast/remaining"
)

const helpdesk = "../../../shared/data/logs/Helpdesk_Italian.xes.gz"

func TestTheTimeLeftOfHelpdeskOrdersIsAtLeastAsGoodAsPublished(t *testing.T) {
	if _, err := os.Stat(helpdesk); err != nil {
		t.Skipf("the Helpdesk log is not here: %v", err)
	}
	var out, problems bytes.Buffer
	if code := run(t.Context(), &console{&out, &problems}, []string{"remaining", "--log", helpdesk, "--json"}); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &problems)
	}
	var s remainingReport
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	// every case of the log counts, each with its prefixes of 2 to n-1 events
	if s.Cases != 4580 || s.TestCases != 916 || s.Prefixes != 2579 || s.RejectedEvents != 0 {
		t.Errorf("scored %d prefixes of %d of %d cases, %d events rejected", s.Prefixes, s.TestCases, s.Cases, s.RejectedEvents)
	}
	if !(s.MAE > 0 && s.MAE <= 5.42) {
		t.Errorf("mean absolute error is %.2f days, ProcessTransformer's 5.42", s.MAE)
	}
	if s.MeanBaseline <= s.MAE || s.CalibrationError > 0.12 || len(s.Reliability) != 10 || s.Seconds <= s.TrainSeconds {
		t.Errorf("got %+v", s)
	}
}

// history is cases of a, b, c … with a day between events, a case an hour.
func history(lengths ...int) []remaining.Case {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cases := make([]remaining.Case, 0, len(lengths))
	for i, n := range lengths {
		c := remaining.Case{Key: fmt.Sprint(i)}
		for j := range n {
			c.Events = append(c.Events, remaining.Event{
				Time: start.Add(time.Duration(i)*time.Hour + time.Duration(j)*24*time.Hour), Status: string(rune('a' + j)),
			})
		}
		cases = append(cases, c)
	}
	return cases
}

func TestPrefixesOfTwoEventsToOneBeforeTheLastAreScored(t *testing.T) {
	learn, test := history(repeat(4, 100)...), history(1, 2, 3, 5)
	for i := range test {
		test[i].Key += "-test"
	}
	m, err := remaining.Train(t.Context(), learn, remaining.Options{Trees: 4})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, p := range prefixes(m, learn, test) {
		n := len(p.seen.Events)
		got[fmt.Sprintf("%s: %d events, %v days left", p.seen.Key, n, p.left)]++
	}
	want := []string{"2-test: 2 events, 1 days left", "3-test: 2 events, 3 days left",
		"3-test: 3 events, 2 days left", "3-test: 4 events, 1 days left"}
	for _, w := range want {
		if got[w] != 1 {
			t.Errorf("lacks %q: %v", w, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("scores %v", got)
	}
}

func repeat(v, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestTheBaselineIsTheTrainingMeanOfTheSameLength(t *testing.T) {
	b := newBaseline(history(3, 5))
	for length, want := range map[int]float64{2: 2, 3: 2, 4: 1, 9: 1.75} {
		if got := b.predict(length); got != want {
			t.Errorf("after %d events %v days, want %v", length, got, want)
		}
	}
}

func TestCasesAreOrderedByTheirFirstEvent(t *testing.T) {
	cases := history(3, 3, 0)
	cases[0], cases[1] = cases[1], cases[0]
	e := cases[0].Events
	e[0], e[2] = e[2], e[0]
	got := byStart(cases)
	if len(got) != 2 || got[0].Key != "0" || got[1].Key != "1" || got[1].Events[0].Status != "a" {
		t.Errorf("got %+v", got)
	}
	if cases[0].Events[0].Status != "c" {
		t.Error("the caller's events were moved")
	}
}

const smallLog = `<?xml version="1.0"?>
<log><string key="creator" value="x"/>
<trace><string key="concept:name" value="c1"/><float key="amount" value="7.5"/><string key="outcome" value="late"/>
<event><string key="concept:name" value="A"/><date key="time:timestamp" value="2026-01-02T10:00:00+01:00"/>
 <string key="org:resource" value="r1"><string key="nested" value="no"/></string></event>
<event><string key="concept:name" value="B"/><string key="lifecycle:transition" value="START"/>
 <date key="time:timestamp" value="2026-01-03T10:00:00Z"/><int key="points" value="3"/></event>
<event><string key="concept:name" value="no time"/></event>
</trace></log>`

func TestALogIsReadWithAllAttributesOfItsEventsAndTheNamedOnesOfItsTraces(t *testing.T) {
	for name, content := range map[string][]byte{"plain.xes": []byte(smallLog), "packed": packed(t, smallLog)} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		cases, rejected, err := readLog(file, []string{"amount"})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(rejected, cases)
		want := "1 [{c1 [] [{2026-01-02 09:00:00 +0000 UTC A [{case:amount 7.5} {org:resource r1}]} " +
			"{2026-01-03 10:00:00 +0000 UTC B/start [{points 3}]}]}]"
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", name, got, want)
		}
	}
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExitCodes(t *testing.T) {
	small := filepath.Join(t.TempDir(), "small.xes")
	if err := os.WriteFile(small, []byte(smallLog), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no measurement":      {nil, exitUsage, "usage"},
		"help":                {[]string{"help"}, exitDone, ""},
		"unknown measurement": {[]string{"speed"}, exitUsage, `no measurement "speed"`},
		"no log":              {[]string{"remaining"}, exitUsage, "--log"},
		"unknown flag":        {[]string{"remaining", "--fast"}, exitUsage, "fast"},
		"help of one":         {[]string{"remaining", "--help"}, exitDone, "-log"},
		"no such log":         {[]string{"remaining", "--log", "nowhere"}, exitFailed, "nowhere"},
		"too small a log":     {[]string{"remaining", "--log", small}, exitFailed, "100 are needed"},
	} {
		var out, problems bytes.Buffer
		if code := run(context.Background(), &console{&out, &problems}, c.args); code != c.code {
			t.Errorf("%s: exit code %d, want %d", name, code, c.code)
		}
		if !strings.Contains(problems.String(), c.says) {
			t.Errorf("%s: says %q, want %q", name, &problems, c.says)
		}
	}
}
