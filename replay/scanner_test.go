package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// rows reads all, broken rows as "line N: reason", others as "line N: fields|…".
func rows(t testing.TB, src io.Reader) []string {
	t.Helper()
	var out []string
	s := newScanner(src)
	for {
		err := s.next()
		switch {
		case err == nil:
			var fields []string
			for _, f := range s.fields {
				fields = append(fields, string(f))
			}
			out = append(out, fmt.Sprintf("line %d: %s", s.row, strings.Join(fields, "|")))
		case errors.Is(err, errQuotes), errors.Is(err, errTooLong):
			out = append(out, fmt.Sprintf("line %d: %v", s.row, err))
		case errors.Is(err, io.EOF):
			return out
		default:
			t.Fatal(err)
		}
	}
}

func TestScanner(t *testing.T) {
	long := strings.Repeat("x", maxRowBytes+1)
	cases := map[string]struct {
		text string
		want []string
	}{
		"plain rows, the last without a line end":          {"a,b\nc,\n,d", []string{"line 1: a|b", "line 2: c|", "line 3: |d"}},
		"line ends of Windows":                             {"a,b\r\n\"c\",d\r\n", []string{"line 1: a|b", "line 2: c|d"}},
		"blank lines are skipped and counted as lines":     {"a\n\n\r\nb\n", []string{"line 1: a", "line 4: b"}},
		"quotes hold commas, quotes and line ends":         {"\"a,\"\"b\"\"\nc\",d\ne\n", []string{"line 1: a,\"b\"\nc|d", "line 3: e"}},
		"a quote inside a plain field breaks its row only": {"a,b\"c\nd\n", []string{"line 1: unbalanced quotes", "line 2: d"}},
		"text after a closing quote breaks its row only":   {"\"a\"b,c\nd\n", []string{"line 1: unbalanced quotes", "line 2: d"}},
		"a quote that never ends breaks its row only":      {"a,\"b\nc,d\ne\n", []string{"line 1: unbalanced quotes", "line 2: c|d", "line 3: e"}},
		"a quote at the very end":                          {"a,\"", []string{"line 1: unbalanced quotes"}},
		"a quoted field at the very end":                   {"a,\"b\"", []string{"line 1: a|b"}},
		"a row over the bound breaks alone":                {"a\n" + long + "\nb", []string{"line 1: a", "line 2: row too long", "line 3: b"}},
		"an endless quote costs one row, not the file": {
			"\"a\n" + strings.Repeat("b,c\n", maxRowBytes/2) + "d", slices.Concat([]string{"line 1: unbalanced quotes"},
				numbered(2, maxRowBytes/2, "b|c"), []string{fmt.Sprintf("line %d: d", maxRowBytes/2+2)}),
		},
		"nothing": {"", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := rows(t, strings.NewReader(c.text)); !slices.Equal(got, c.want) {
				t.Errorf("got %.300q, want %.300q", got, c.want)
			}
		})
	}
}

func numbered(first, n int, row string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("line %d: %s", first+i, row)
	}
	return out
}

func TestAScannerPassesOnTheErrorOfItsSource(t *testing.T) {
	broken := errors.New("disk on fire")
	s := newScanner(io.MultiReader(strings.NewReader("a,b\nc"), iotest.ErrReader(broken)))
	if err := s.next(); err != nil {
		t.Fatal(err)
	}
	if err := s.next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// FuzzScanner holds the scanner to encoding/csv wherever that reads the whole text without an error, and
// to itself when the source hands out single bytes.
func FuzzScanner(f *testing.F) {
	f.Add("a,b\n\"c\"\"\n\",d\r\n\r\n,\n")
	f.Add("\"\",\"\r\n\"\n")
	f.Add("a\r\r\n\"b\"\r")
	f.Add("\"a\nb,\"c\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := rows(t, strings.NewReader(text))
		if slow := rows(t, iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(got, slow) {
			t.Fatalf("whole %q, by single bytes %q", got, slow)
		}
		oracle := csv.NewReader(strings.NewReader(text))
		oracle.FieldsPerRecord = -1
		var want []string
		for {
			fields, err := oracle.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			line, _ := oracle.FieldPos(0)
			want = append(want, fmt.Sprintf("line %d: %s", line, strings.Join(fields, "|")))
		}
		for i := range got { // encoding/csv turns \r\n within quotes into \n
			got[i] = strings.ReplaceAll(got[i], "\r\n", "\n")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, encoding/csv has %q", got, want)
		}
	})
}
