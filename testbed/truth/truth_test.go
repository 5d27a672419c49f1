package truth

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, path string) *Writer {
	t.Helper()
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func TestReadPutsTogetherWhatSeveralProcessesWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "truth.jsonl")
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	mes, shop := open(t, path), open(t, path)
	for _, err := range []error{
		mes.Status(Status{System: "mes", Status: "SUBMITTED", File: "f", ID: 50001, Channel: "b2b", Partner: "acme", At: at.Add(time.Second)}),
		shop.Status(Status{System: "crm", Status: "CLOSED", File: "f", ID: 3, Channel: "b2b", At: at.Add(time.Minute)}),
		mes.Status(Status{System: "mes", Status: "SHIPPED", File: "f", ID: 50001, Channel: "b2b", Partner: "acme", At: at.Add(2 * time.Second)}),
		shop.Status(Status{System: "shop", Status: "INITIATED", File: "g", ID: 1001, Channel: "b2c", At: at}),
		mes.Claim(Claim{File: "f", ID: 50001, Operator: "operator-1", SkippedOlder: 2, At: at}),
		mes.Fault(Fault{File: "f", Fault: NobodyClaims, Began: at}),
		mes.Fault(Fault{File: "f", Fault: NobodyClaims, Began: at, Ended: at.Add(time.Hour)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	o := all.Order("f")
	if len(all.Orders) != 2 || o.MESID != 50001 || o.CRMID != 3 || o.ShopID != 0 || o.Partner != "acme" || o.Channel != "b2b" {
		t.Errorf("got %+v", all.Orders)
	}
	if o.Last("mes") != "SHIPPED" || o.Last("shop") != "" || !o.At("mes", "SHIPPED").Equal(at.Add(2*time.Second)) || !o.At("mes", "X").IsZero() {
		t.Errorf("statuses %+v", o.Statuses)
	}
	if faulty := all.Faulty(); len(faulty) != 1 || !faulty[0].Fault.Ended.Equal(at.Add(time.Hour)) {
		t.Errorf("faulty %+v", faulty)
	}
	if len(all.Claims) != 1 || all.Claims[0].SkippedOlder != 2 {
		t.Errorf("claims %+v", all.Claims)
	}
}

func TestRecordsOfConcurrentWritersNeverMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "truth.jsonl")
	var group sync.WaitGroup
	for range 4 {
		w := open(t, path)
		group.Go(func() {
			for range 500 {
				if err := w.Claim(Claim{File: "f", Operator: "operator-1"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	all, err := Read(path)
	if err != nil || len(all.Claims) != 2000 {
		t.Errorf("%v, %v claims, want 2000", err, all)
	}
}

func TestReadLeavesOutALineBeingWrittenAndNamesABrokenOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "truth.jsonl")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"claim":{"file":"f"}}` + "\n" + `{"claim":{"fi`)
	if all, err := Read(path); err != nil || len(all.Claims) != 1 {
		t.Errorf("got %+v, %v; want one claim", all, err)
	}
	write(`{"claim":{"file":"f"}}` + "\nnothing\n")
	if _, err := Read(path); err == nil || err.Error()[:19] != "read truth: line 2:" {
		t.Errorf("got %v, want line 2 named", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"status":{"system":"mes","status":"SUBMITTED","file":"f","at":"2026-11-21T12:00:00Z"}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "truth.jsonl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = Read(path) // must not panic
	})
}
