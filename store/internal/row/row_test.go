package row

import (
	"database/sql"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/store"
)

func FuzzPairsComeBack(f *testing.F) {
	f.Add("shop", "1042", "mes", "M\"\\\n\u2028é")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		want := []order.Key{{Name: name1, Value: value1}, {Name: name2, Value: value2}}
		for _, k := range want {
			if !utf8.ValidString(k.Name) || !utf8.ValidString(k.Value) {
				return // Append refuses it
			}
		}
		text, _ := Pairs(want).(string)
		got, err := ScanPairs[order.Key](sql.NullString{String: text, Valid: true})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %q, %v, want %q", text, got, err, want)
		}
	})
}

func FuzzScanPairsNeverPanics(f *testing.F) {
	for _, text := range []string{"", "{", "{}", `{"a"`, `{"a":`, `{"a":"b"`, `{"a":"b",`, `{"a":"b"}}`, `{"a":1}`, `{"a":"\`, `{"a":"\x"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ScanPairs[order.Key](sql.NullString{String: text, Valid: true})
		if err == nil && len(got) == 0 {
			t.Errorf("%q was read as no pairs", text)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(Cursor{Rank: 2, Due: math.MaxInt64, ID: 7}.String())
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCursor(text)
		if err != nil {
			if !errors.Is(err, store.ErrBadCursor) {
				t.Errorf("error %v is not ErrBadCursor", err)
			}
			return
		}
		if again, err := ParseCursor(c.String()); text != "" && (err != nil || again != c) {
			t.Errorf("cursor %+v came back as %+v, %v", c, again, err)
		}
	})
}

func TestPrefixEndIsAboveEveryTextWithThePrefixAndNoOther(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "az": "a{", "a\U0010FFFF": "b", "\uD7FF": "\uE000", "é": "ê"} {
		if got, ok := prefixEnd(prefix); !ok || got != want {
			t.Errorf("of %q: %q, %v, want %q", prefix, got, ok, want)
		}
	}
	for _, prefix := range []string{"", "\U0010FFFF", "\U0010FFFF\U0010FFFF"} {
		if got, ok := prefixEnd(prefix); ok {
			t.Errorf("of %q: %q, want none", prefix, got)
		}
	}
}

func TestInstantsAreKeptOrClamped(t *testing.T) {
	for _, want := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Unix(0, 1).UTC(), earliest.UTC(), latest.UTC()} {
		n, valid := Nanos(want).(int64)
		if got := Time(sql.NullInt64{Int64: n, Valid: valid}); got != want {
			t.Errorf("%v came back as %v", want, got)
		}
	}
	if got := Nanos(time.Date(2900, 1, 1, 0, 0, 0, 0, time.UTC)); got != int64(math.MaxInt64) {
		t.Errorf("the year 2900 is %v", got)
	}
	if got := Nanos(time.Date(900, 1, 1, 0, 0, 0, 0, time.UTC)); got != int64(math.MinInt64) {
		t.Errorf("the year 900 is %v", got)
	}
}

func TestNamesOfAFailedTransactionAreWrittenAgain(t *testing.T) {
	n := NewNames()
	n.Load([]string{"a"})
	if n.Intern("") != 0 || n.Intern("a") != 1 || len(n.Fresh()) != 0 {
		t.Error("known texts got new numbers")
	}
	n.Intern("b")
	if got, want := n.Fresh(), []any{int64(2), "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("fresh: %v, want %v", got, want)
	}
	n.Settle(errors.New("broken"))
	if !n.Stale() {
		t.Error("not stale although nobody knows whether b was written")
	}
	n.Load([]string{"a"}) // it was not
	if n.Intern("c") != 2 || n.Intern("b") != 3 {
		t.Error("numbers have a hole")
	}
	n.Settle(nil)
	if text, err := n.Text(3); text != "b" || err != nil || len(n.Fresh()) != 0 {
		t.Errorf("3 is %q, %v; fresh: %v", text, err, n.Fresh())
	}
	if _, err := n.Text(4); err == nil {
		t.Error("4 is a text")
	}
}
