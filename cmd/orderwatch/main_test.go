package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// commandWord makes the test binary be the orderwatch binary: what follows it are the command's arguments.
const commandWord = "be-orderwatch"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == commandWord {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := run(ctx, &console{os.Stdout, os.Stderr}, os.Args[2:])
		stop()
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

func TestExitCodesAndWhatIsSaid(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	badFlow := write("flow.yaml", "version: 1\nflow: x\ncolour: red\nstages: [{name: a, kind: nope, enter: [x/A], leave: [x/B], within: 15x}]\n")
	badServer := write("orderwatch.yaml", "environment: staging\nweb: {listen: nowhere}\n")
	xesMapping := write("xes.yaml", "system: shop\nkey: {name: shop}\n")
	strange := write("strange.yaml", "a: 1\n")

	tests := map[string]struct {
		args   []string
		code   int
		stdout string
		stderr []string
	}{
		"nothing is wrong usage":                {nil, 2, "", []string{"usage: orderwatch COMMAND"}},
		"an unknown command is named":           {[]string{"fly"}, 2, "", []string{`no command "fly"`, "usage:"}},
		"help is done":                          {[]string{"help"}, 0, "usage: orderwatch COMMAND", nil},
		"version prints itself":                 {[]string{"version"}, 0, "orderwatch ", nil},
		"an unknown flag is wrong usage":        {[]string{"serve", "--fast"}, 2, "", []string{"flag provided but not defined"}},
		"a missing config is bad config":        {[]string{"serve", "-c", filepath.Join(dir, "none.yaml")}, 2, "", []string{"none.yaml"}},
		"a bad config lists every problem":      {[]string{"serve", "-c", badServer}, 2, "", []string{"orderwatch.yaml:1: environment:", "orderwatch.yaml:2: web.listen:"}},
		"check lists what is wrong with a flow": {[]string{"check", badFlow}, 2, "", []string{"flow.yaml:3:", "flow.yaml:4:", "15x", "nope"}},
		"check knows the example flow":          {[]string{"check", "../../examples/alexandrite/flow.yaml"}, 0, "flow file, ok", nil},
		"check knows a mapping":                 {[]string{"check", "../../examples/olist/mapping.yaml"}, 0, "mapping file, ok", nil},
		"check says what it does not know":      {[]string{"check", strange}, 2, "", []string{"is none of our files"}},
		"check goes on after a bad file":        {[]string{"check", strange, "../../examples/olist/flow.yaml"}, 2, "flow file, ok", []string{"strange.yaml"}},
		"demo needs an address it can use":      {[]string{"demo", "--listen", "nowhere"}, 1, "", []string{"orderwatch demo: listen for pages"}},
		"replay needs its flow":                 {[]string{"replay", "x.csv"}, 2, "", []string{"--flow, --mapping"}},
		"backtest needs two flows":              {[]string{"backtest", "--flow", "x.yaml", "x.csv"}, 2, "", []string{"--flow, --against"}},
		"flow knows what it can do":             {[]string{"flow", "fly"}, 2, "", []string{"usage: orderwatch flow discover"}},
		"a flow is drafted from one log":        {[]string{"flow", "discover", "--system", "x"}, 2, "", []string{"at least one file"}},
		"a draft of nothing fails":              {[]string{"flow", "discover", strange}, 1, "", []string{"the mapping's layout must be"}},
		"check knows a mapping without layout":  {[]string{"check", xesMapping}, 0, "mapping file, ok", nil},
		"export needs a kind":                   {[]string{"export"}, 2, "", []string{"usage: orderwatch export"}},
		"export knows its kinds":                {[]string{"export", "carrier-pigeon", "-c", "x"}, 2, "", []string{"carrier-pigeon"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), &console{&stdout, &stderr}, test.args)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stdout.String(), test.stdout) {
				t.Errorf("stdout %q lacks %q", stdout.String(), test.stdout)
			}
			for _, want := range test.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr %q lacks %q", stderr.String(), want)
				}
			}
		})
	}
}

func TestReplayOfAnExampleAsJSON(t *testing.T) {
	log := "../../../shared/data/orders/olist_orders_2016_2017.csv.gz"
	if _, err := os.Stat(log); err != nil {
		t.Skipf("the real orders are not at hand: %v", err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), &console{&stdout, &stderr}, []string{"replay", "--flow", "../../examples/olist/flow.yaml",
		"--mapping", "../../examples/olist/mapping.yaml", "--json", log})
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	want := `"promises":[{"name":"estimated-delivery","kept":11437,"late":798,"breached":982,"on_track":0,"at_risk":0,"cancelled":748}]`
	if got := strings.Join(strings.Fields(stdout.String()), ""); !strings.Contains(got, want) {
		t.Errorf("the report lacks %s:\n%.2000s", want, stdout.String())
	}
}

const fewCases = `<log>%s</log>`

// TestADraftIsCheckedReplayedAndCompared goes the way from a log to a flow and to what a change of it does.
func TestADraftIsCheckedReplayedAndCompared(t *testing.T) {
	var cases strings.Builder
	for i := range 40 {
		start := time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
		fmt.Fprintf(&cases, `<trace><string key="concept:name" value="%d"/>`, i)
		for j, name := range []string{"Ask", "Answer", "Close"} {
			at := start.Add(time.Duration(j*(10+i)) * time.Minute).Format(time.RFC3339)
			fmt.Fprintf(&cases, `<event><string key="concept:name" value="%s"/><date key="time:timestamp" value="%s"/></event>`, name, at)
		}
		cases.WriteString("</trace>")
	}
	dir := t.TempDir()
	path := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	call := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), &console{&stdout, &stderr}, args); code != exitDone {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	log := path("desk.xes", fmt.Sprintf(fewCases, cases.String()))
	draft := call("flow", "discover", log, "--system", "desk")
	flow := path("draft.yaml", draft)
	call("check", flow)
	if got := call("replay", "--flow", flow, "--json", log); !strings.Contains(got, `"name": "ask",
      "visits": 40,
      "met": 38,
      "late": 2,`) {
		t.Errorf("two of forty are not late:\n%.1500s", got)
	}
	stricter := path("stricter.yaml", strings.Replace(draft, "within: 48m", "within: 30m", 1))
	if got := call("backtest", "--flow", flow, log, "--against", stricter, "--json"); !strings.Contains(got, `"stage": "ask"`) || !strings.Contains(got, `"only_against": [`) {
		t.Errorf("the stricter flow opens nothing more:\n%.1500s\n%s", got, draft)
	}
}

func TestReplayOfAFileThatBreaksOffFailsAfterItsReport(t *testing.T) {
	log := filepath.Join(t.TempDir(), "cut.xes")
	text := `<log><trace><string key="concept:name" value="1"/><event><string key="concept:name" value="SUBMITTED"/><date key="time:timestamp" value="2024-05-01T09:00:00Z"/></event><eve`
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), &console{&stdout, &stderr}, []string{"replay", "--flow", "../../examples/production/flow.yaml", log})
	if code != exitFailed || !strings.Contains(stdout.String(), "Orders: 1 (1 open") || !strings.Contains(stderr.String(), "could not be read to the end") {
		t.Errorf("exit code %d, %s\n%s", code, stderr.String(), stdout.String())
	}
}
