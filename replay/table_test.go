package replay

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func parse(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := ParseMapping("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// events reads a table to its end: an event or a rejection a line.
func events(t testing.TB, m *Mapping, text string) []string {
	t.Helper()
	r, err := NewCSV("f.csv", strings.NewReader(text), m, []string{"due"})
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, r)
}

// lines reads to the end: an event or a rejection a line.
func lines(t testing.TB, r Reader) []string {
	t.Helper()
	var out []string
	for {
		e, err := r.Next()
		var rejection *Rejection
		switch {
		case err == nil:
			at := stamp(e.Time)
			if e.Last {
				at = "last"
			}
			line := fmt.Sprintf("%d: %s %s %s", e.Row, e.Key, e.Status, at)
			for _, a := range e.Attrs {
				line += " " + a.Name + "=" + a.Value
			}
			out = append(out, line)
		case errors.As(err, &rejection):
			out = append(out, rejection.Error())
		case errors.Is(err, io.EOF):
			return out
		default:
			t.Fatal(err)
		}
	}
}

func TestAWideTable(t *testing.T) {
	const header = "id,bought,other,sent,state,promised,way\n"
	cases := map[string]struct {
		rows string
		want []string
	}{
		"an event a column that is not empty, attributes with the first": {
			"1,2024-05-01 12:00:00,x,2024-05-02 12:00:00,ok,03.05.2024,web\n2,2024-05-01 12:00:00,,,,,\n",
			[]string{
				"2: 1 BOUGHT 2024-05-01T09:00:00Z due=2024-05-02T21:00:00Z channel=web",
				"2: 1 SENT 2024-05-02T09:00:00Z",
				"3: 2 BOUGHT 2024-05-01T09:00:00Z",
			},
		},
		"the first event is the first by time, not by column": {
			"1,2024-05-03 12:00:00,,2024-05-02 12:00:00,,,web\n",
			[]string{"2: 1 BOUGHT 2024-05-03T09:00:00Z", "2: 1 SENT 2024-05-02T09:00:00Z channel=web"},
		},
		"a state has no time and carries attributes only if nothing else does": {
			"1,2024-05-01 12:00:00,,,gone,,web\n2,,,,gone,,web\n",
			[]string{"2: 1 BOUGHT 2024-05-01T09:00:00Z channel=web", "2: 1 CANCELLED last", "3: 2 CANCELLED last channel=web"},
		},
		"a bad time rejects its event only": {
			"1,yesterday,,2024-05-02 12:00:00,,,web\n2,0001-01-01 00:00:00,,,,,\n",
			[]string{
				`f.csv:2: unreadable time: bought "yesterday"`, "2: 1 SENT 2024-05-02T09:00:00Z channel=web",
				`f.csv:3: unreadable time: bought "0001-01-01 00:00:00"`,
			},
		},
		"a bad due time rejects nothing but itself": {
			"1,2024-05-01 12:00:00,,,,soon,web\n",
			[]string{`f.csv:2: unreadable due time: promised "soon"`, "2: 1 BOUGHT 2024-05-01T09:00:00Z channel=web"},
		},
		"broken rows are told apart and do not end the reading": {
			"1,2\n,2024-05-01 12:00:00,,,,,\n3,2024-05-01 12:00:00,,\"\"x,,,\n\xff,2024-05-01 12:00:00,,,,,\n5,,,,,,\n6,2024-05-01 12:00:00,\xff,,,,\n",
			[]string{
				"f.csv:2: wrong number of fields: 2, the header has 7", "f.csv:3: empty key", "f.csv:4: unbalanced quotes",
				"f.csv:5: not UTF-8", "f.csv:6: no event in the row", "7: 6 BOUGHT 2024-05-01T09:00:00Z",
			},
		},
		"a header alone": {"", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := events(t, parse(t, wideMapping), header+c.rows); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestALongTable(t *testing.T) {
	m := parse(t, longMapping+"states: [{column: state, value: gone, status: CANCELLED, at: last}]\nattributes: [{column: way, name: channel}]\n")
	got := events(t, m, `when,what,way,state,id
2024-05-01 12:00:00,BOUGHT,web,,1
2024-05-01T12:00:00+03:00,SENT,,gone,1
2024-05-01 12:00:00,,,,1
,SENT,,,1
`)
	want := []string{
		"2: 1 BOUGHT 2024-05-01T12:00:00Z channel=web", "3: 1 SENT 2024-05-01T09:00:00Z", "3: 1 CANCELLED last",
		"f.csv:4: empty status", `f.csv:5: unreadable time: when ""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAHeaderMustHaveTheColumns(t *testing.T) {
	cases := map[string]struct{ header, want string }{
		"all that are missing are listed": {
			"id,sent\n", `read header of f.csv: no column "bought", no column "state", no column "promised", no column "way"`,
		},
		"one that is there twice is ambiguous": {
			"id,bought,sent,state,promised,way,sent\n", `read header of f.csv: column "sent" is there twice`,
		},
		"an empty file has none": {"", "read header of f.csv: the file is empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := NewCSV("f.csv", strings.NewReader(c.header), parse(t, wideMapping), nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestASourceIsUnpackedAndFreedOfItsMark(t *testing.T) {
	var packed strings.Builder
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("\xef\xbb\xbfid,x\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ text, want, err string }{
		"plain text":              {text: "id,x\n", want: "id,x\n"},
		"a byte order mark":       {text: "\xef\xbb\xbfid,x\n", want: "id,x\n"},
		"packed, with a mark":     {text: packed.String(), want: "id,x\n"},
		"shorter than a mark":     {text: "i", want: "i"},
		"empty":                   {},
		"UTF-16":                  {text: "\xff\xfei\x00d\x00", err: "the text is UTF-16: save it as UTF-8"},
		"packed and cut off":      {text: packed.String()[:5], err: "unexpected EOF"},
		"packed and cut off late": {text: packed.String()[:12], err: "unexpected EOF"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f.csv")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := openSource(file)
			if c.err != "" {
				if err == nil || !strings.HasSuffix(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(src)
			if err = errors.Join(err, src.Close()); err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// FuzzCSV reads any text with both layouts: nothing breaks, and whatever is handed out is whole.
func FuzzCSV(f *testing.F) {
	f.Add("id,bought,sent,state,promised,way\n1,2024-05-01 12:00:00,,gone,03.05.2024,web\n,\n")
	f.Add("id,what,when\n1,BOUGHT,2024-05-01 12:00:00\n\"1,\nx\n")
	mappings := []*Mapping{parse(f, wideMapping), parse(f, longMapping)}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range mappings {
			r, err := NewCSV("f.csv", strings.NewReader(text), m, []string{"due"})
			if err != nil {
				continue
			}
			row := 0
			for {
				e, err := r.Next()
				var rejection *Rejection
				if errors.Is(err, io.EOF) {
					break
				}
				switch {
				case errors.As(err, &rejection):
					e.Row = rejection.Row
				case err != nil:
					t.Fatal(err)
				case e.Key == "" || e.Status == "" || e.Last != e.Time.IsZero():
					t.Fatalf("half an event: %+v", e)
				}
				if e.Row < max(row, 2) {
					t.Fatalf("row %d after row %d", e.Row, row)
				}
				row = e.Row
			}
		}
	})
}
