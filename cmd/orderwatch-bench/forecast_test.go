package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared is a file of the shared data; the test is skipped where it is not installed.
func shared(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared data are not on this machine: %v", err)
	}
	return path
}

func bench(t *testing.T, into any, args ...string) {
	t.Helper()
	var out, problems bytes.Buffer
	if code := run(context.Background(), &console{&out, &problems}, append(args, "--json")); code != exitDone {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
}

func TestThePublishedSeriesAreForecastBetterThanByTheta(t *testing.T) {
	cases := map[string]struct{ smape, mase, low, high float64 }{
		"forecast/M3_monthly_odd.csv.gz": {13.75, 0.845, 0.93, 0.97},
		"forecast/M1_monthly.csv.gz":     {14.6, 1.04, 0.92, 0.97},
	}
	for file, want := range cases {
		var got forecastReport
		bench(t, &got, "forecast", "--series", shared(t, file))
		if got.SMAPE > want.smape || got.MASE > want.mase {
			t.Errorf("%s: sMAPE %.3f, MASE %.4f; want at most %v and %v", file, got.SMAPE, got.MASE, want.smape, want.mase)
		}
		if got.Coverage95 < want.low || got.Coverage95 > want.high {
			t.Errorf("%s: coverage %.4f, want %v to %v", file, got.Coverage95, want.low, want.high)
		}
		if got.Skipped != 0 || got.OWA >= 0.9 {
			t.Errorf("%s: %+v", file, got)
		}
	}
}

func TestWaitingIsWithinAThousandthOfTheExactTable(t *testing.T) {
	var got queueReport
	bench(t, &got, "queue", "--table", shared(t, "queueing/exact_MGc_reference.csv"))
	if got.Rows != 60 || got.MaxRelativeError > 0.001 || len(got.ByModel) != 4 {
		t.Errorf("%+v", got)
	}
}

func TestWrongUseIsSaidAndExitsWithTwo(t *testing.T) {
	cases := map[string][]string{
		"no command":          nil,
		"an unknown command":  {"juggle"},
		"no file":             {"forecast"},
		"no table":            {"queue"},
		"an unknown flag":     {"queue", "--frogs"},
		"a horizon of nought": {"forecast", "--series", "x.csv", "--horizon", "0"},
	}
	for name, args := range cases {
		var out, problems bytes.Buffer
		if code := run(context.Background(), &console{&out, &problems}, args); code != exitUsage || problems.Len() == 0 {
			t.Errorf("%s: exit code %d, said %q", name, code, problems.String())
		}
	}
}

func TestATableThatCannotBeReadNamesTheLine(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"a missing column":     {"series_id,value\na,1\n", "no column set"},
		"a word for a number":  {"series_id,set,value\na,train,1\na,train,many\n", "line 3"},
		"an unknown set":       {"series_id,set,value\na,dev,1\n", "neither train nor test"},
		"nothing long enough":  {"series_id,set,value\na,train,1\na,test,2\n", "no series"},
		"no header, no series": {"", "read header"},
	}
	for name, c := range cases {
		file := filepath.Join(t.TempDir(), "series.csv")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, problems bytes.Buffer
		if code := run(context.Background(), &console{&out, &problems}, []string{"forecast", "--series", file}); code != exitFailed {
			t.Errorf("%s: exit code %d", name, code)
		}
		if !strings.Contains(problems.String(), c.want) {
			t.Errorf("%s: %q does not say %q", name, problems.String(), c.want)
		}
	}
}
