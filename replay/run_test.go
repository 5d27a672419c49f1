package replay

import (
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// file writes a table and returns its name; one that ends in .gz is packed.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		w := gzip.NewWriter(f)
		_, err = w.Write([]byte(text))
		err = errors.Join(err, w.Close())
	} else {
		_, err = f.WriteString(text)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// Two orders: 1 pays late and goes on, 2 never pays.
const twoOrders = `id,what,when
1,BOUGHT,2024-05-01 12:00:00
2,BOUGHT,2024-05-01 12:30:00
1,PAID,2024-05-01 14:00:00
1,MADE,2024-05-01 15:00:00
`

func twoOrdersOptions(t *testing.T, files ...string) Options {
	return Options{Flow: parseFlow(t), Mapping: parse(t, longMapping), Files: files}
}

func stage(t *testing.T, r *Report, name string) StageCounts {
	t.Helper()
	for _, s := range r.Stages {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no stage %s", name)
	return StageCounts{}
}

func TestTheVirtualClockJudgesAsItPasses(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	cases := map[string]struct {
		until time.Time
		want  StageCounts // of pay, which has an hour
		total int
	}{
		"before the second order there is one":                {at("2024-05-01 12:29:59"), StageCounts{Visits: 1, Open: 1}, 1},
		"within the hour both are open":                       {at("2024-05-01 12:59:59"), StageCounts{Visits: 2, Open: 2}, 2},
		"past its hour the first is stuck":                    {at("2024-05-01 13:00:01"), StageCounts{Visits: 2, Open: 1, Stuck: 1, EverStuck: 1}, 2},
		"paid, the first is late and stays known as stuck":    {at("2024-05-01 14:00:00"), StageCounts{Visits: 2, Late: 1, Stuck: 1, EverStuck: 2, P50: 7200, P95: 7200}, 2},
		"by default the world ends with the last event":       {time.Time{}, StageCounts{Visits: 2, Late: 1, Stuck: 1, EverStuck: 2, P50: 7200, P95: 7200}, 2},
		"the clock may run on after the last event":           {at("2025-01-01 00:00:00"), StageCounts{Visits: 2, Late: 1, Stuck: 1, EverStuck: 2, P50: 7200, P95: 7200}, 2},
		"frozen before everything, there is nothing to judge": {at("2020-01-01 00:00:00"), StageCounts{}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := twoOrdersOptions(t, file(t, "f.csv", twoOrders))
			o.Until = c.until
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name = "pay"
			if got := stage(t, r, "pay"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if r.Orders.Total != c.total || r.Events.Accepted != 4 {
				t.Errorf("%d orders, %d events; want %d and 4", r.Orders.Total, r.Events.Accepted, c.total)
			}
		})
	}
}

func TestTheReportDoesNotDependOnHowHistoryIsCutIntoFiles(t *testing.T) {
	whole, err := Run(t.Context(), twoOrdersOptions(t, file(t, "f.csv", twoOrders)))
	if err != nil {
		t.Fatal(err)
	}
	header, events, _ := strings.Cut(twoOrders, "\n")
	var files []string
	for i, line := range strings.Split(strings.TrimSpace(events), "\n") {
		name := "part.csv"
		if i%2 == 1 {
			name = "part.csv.gz"
		}
		files = append([]string{file(t, name, header+"\n"+line+"\n")}, files...) // the last event first
	}
	parts, err := Run(t.Context(), twoOrdersOptions(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	if parts.Events.OutOfOrder != 2 {
		t.Errorf("%d out of order, want 2", parts.Events.OutOfOrder)
	}
	parts.Events.OutOfOrder = 0
	if !reflect.DeepEqual(whole, parts) {
		t.Errorf("whole\n%+v\nin parts\n%+v", whole, parts)
	}
}

func TestBrokenRowsAreInTheReport(t *testing.T) {
	r, err := Run(t.Context(), twoOrdersOptions(t, file(t, "f.csv", twoOrders+"3,BOUGHT\n4,BOUGHT,soon\n")))
	if err != nil {
		t.Fatal(err)
	}
	if want := (EventCounts{Read: 6, Accepted: 4, Rejected: 2}); r.Events != want {
		t.Errorf("got %+v, want %+v", r.Events, want)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"f.csv:6: wrong number of fields: 2, the header has 3", `f.csv:7: unreadable time: when "soon"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

func TestAHistoryWithoutEventsIsReported(t *testing.T) {
	r, err := Run(t.Context(), twoOrdersOptions(t, file(t, "f.csv", "id,what,when\n1,BOUGHT,soon\n")))
	if err != nil {
		t.Fatal(err)
	}
	if r.AsOf != "" || r.Orders.Total != 0 || r.Events.Rejected != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestRunRefuses(t *testing.T) {
	good := file(t, "f.csv", twoOrders)
	foreign := strings.NewReplacer("system: shop", "system: erp", "name: shop", "name: erp").Replace(longMapping)
	cases := map[string]struct {
		mapping string
		files   []string
		want    string
	}{
		"no files":                       {longMapping, nil, "replay: no files given"},
		"a file that is not there":       {longMapping, []string{good, "missing.csv"}, "replay: open history: open missing.csv"},
		"a file without the columns":     {longMapping, []string{file(t, "g.csv", "id,x\n")}, `no column "what", no column "when"`},
		"a mapping that fits no flow":    {foreign, []string{good}, `replay: match mapping with flow shop: key.name: the flow has no key "erp"; system: the flow has no status of "erp"`},
		"a directory instead of a table": {longMapping, []string{t.TempDir()}, "is a directory"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Run(t.Context(), Options{Flow: parseFlow(t), Mapping: parse(t, c.mapping), Files: c.files})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestOfAFileThatBreaksOffWhatWasReadStays(t *testing.T) {
	r, err := Run(t.Context(), twoOrdersOptions(t, cutOff(t), file(t, "g.csv", "id,what,when\n9,BOUGHT,2024-05-01 12:00:00\n")))
	if err != nil {
		t.Fatal(err)
	}
	if r.Orders.Total != 3 || r.Events != (EventCounts{Read: 5, Accepted: 5}) {
		t.Errorf("%+v, %+v: want the three orders of both files", r.Orders, r.Events)
	}
	if len(r.Rejected.First) != 1 || r.Rejected.First[0].Reason != ReasonCut || r.Rejected.First[0].Detail != "unexpected EOF" {
		t.Errorf("got %+v", r.Rejected.First)
	}
	if err := r.Rejected.Err(); err == nil {
		t.Error("nobody is told")
	}
}

func cutOff(t *testing.T) string {
	t.Helper()
	name := file(t, "f.csv.gz", twoOrders+strings.Repeat("\n", 1000))
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, info.Size()-9); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRunShowsProgressAndStopsWhenAsked(t *testing.T) {
	rows := twoOrders[strings.Index(twoOrders, "\n")+1:]
	name := file(t, "f.csv", "id,what,when\n"+strings.Repeat(rows, checkEvery/2))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := twoOrdersOptions(t, name)
	var seen []Progress
	o.Progress = func(p Progress) {
		seen = append(seen, p)
		if len(seen) == 2 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	want := []Progress{{Phase: PhaseRead, File: name, Events: checkEvery}, {Phase: PhaseRead, File: name, Events: 2 * checkEvery}}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("got %+v, want %+v", seen, want)
	}
}
