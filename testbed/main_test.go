package testbed

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMainSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"without a command":               {nil, 2, "usage: orderwatch testbed"},
		"an unknown command":              {[]string{"rest"}, 2, "usage: orderwatch testbed"},
		"an unknown flag":                 {[]string{"mes", "--speed", "9"}, 2, "flag provided but not defined"},
		"an argument too many":            {[]string{"shop", "please"}, 2, "1 arguments, want 0"},
		"a compression below 1":           {[]string{"crm", "--compress", "0.1"}, 2, "compression 0.1"},
		"an unknown fault":                {[]string{"mes", "--fault-share", "fire=0.1"}, 1, "fire=0.1"},
		"fault shares above 1":            {[]string{"mes", "--fault-share", "message_lost=0.6,nobody_claims=0.6"}, 1, "add up"},
		"customers of no rate":            {[]string{"customers", "--rate", "0"}, 1, "the rate must be above 0"},
		"a flow file that does not exist": {[]string{"flow", "nowhere.yaml"}, 1, "nowhere.yaml"},
		"help":                            {[]string{"run", "--help"}, 0, "-compress"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if code := Main(t.Context(), test.args, &stdout, &stderr); code != test.code || !strings.Contains(stderr.String(), test.says) {
				t.Errorf("exit code %d, want %d; said %q, want it to have %q", code, test.code, stderr.String(), test.says)
			}
		})
	}
}

func TestRunStartsTheCompanyAndRemovesItAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	path := filepath.Join(t.TempDir(), "truth.jsonl")
	stdout, said := io.Pipe()
	var stderr strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, []string{"run", "--orders", "3", "--rate", "50", "--truth", path}, said, &stderr)
		_ = said.Close()
	}()
	var address string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "MES DB"); ok {
			address = strings.TrimSpace(rest)
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connect to %q, as printed: %v; %s", address, err, stderr.String())
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d: %s", got, stderr.String())
	}
	if _, err := pgx.Connect(t.Context(), address); err == nil {
		t.Error("the database is still there")
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the truth, which has a path of its own, is gone: %v", err)
	}
}

func TestFlowPrintsTheCompressedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flow.yaml")
	if err := os.WriteFile(path, []byte("within: 1d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	if code := Main(t.Context(), []string{"flow", "--compress", "1000", path}, &stdout, &stderr); code != 0 || stdout.String() != "within: 87s\n" {
		t.Errorf("exit code %d, printed %q, %s", code, stdout.String(), stderr.String())
	}
}

func TestFlagValuesRoundTrip(t *testing.T) {
	want := shares{"message_lost": 0.25, "nobody_claims": 0.5}
	got := shares{}
	if err := got.Set(want.String()); err != nil || got.String() != want.String() || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	var partners names
	if err := partners.Set("acme,bijou"); err != nil || len(partners) != 2 || partners.String() != "acme,bijou" {
		t.Errorf("got %v, %v", partners, err)
	}
}
