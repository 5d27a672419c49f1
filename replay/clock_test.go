package replay

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAnInstantIsReadAsTheStandardLibraryWritesIt(t *testing.T) {
	c := clock{nil, time.UTC}
	rapid.Check(t, func(rt *rapid.T) {
		ns := rapid.Int64().Draw(rt, "ns")
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(rt, "offset"))
		at := time.Unix(0, ns).In(zone)
		if at.Year() <= firstYear || at.Year() >= lastYear {
			rt.Skip("at the edge of what nanoseconds can say")
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700"} {
			text := at.Format(layout)
			if got, ok := c.instant([]byte(text)); !ok || got != ns {
				rt.Errorf("%s: got %s, %v", text, stamp(unixNano(got)), ok)
			}
		}
	})
}

func TestCountsSince1970(t *testing.T) {
	cases := map[string]struct{ layout, text, want string }{
		"seconds":                        {"unix", "1714554000", "2024-05-01T09:00:00Z"},
		"milliseconds":                   {"unix_ms", "1714554000001", "2024-05-01T09:00:00.001Z"},
		"microseconds before 1970":       {"unix_us", "-1", "1969-12-31T23:59:59.999999Z"},
		"more than nanoseconds can hold": {"unix", "9223372037", ""},
		"no count":                       {"unix", "1e9", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := clock{[]string{tc.layout}, time.UTC}
			got := ""
			if ns, ok := c.instant([]byte(tc.text)); ok {
				got = stamp(unixNano(ns))
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// FuzzInstant holds the fast reading of times to the standard library's: what it takes means the same there.
func FuzzInstant(f *testing.F) {
	f.Add("2024-02-29T23:59:59.123456789+05:30")
	f.Add("2023-02-29T00:00:00Z")
	f.Add("2024-05-01T09:00:00.1-0030")
	f.Add("2024-05-01T24:00:00Z")
	c := clock{nil, time.UTC}
	f.Fuzz(func(t *testing.T, text string) {
		ns, ok := c.iso([]byte(text))
		if !ok {
			return
		}
		want, err := time.Parse(time.RFC3339, text)
		if err != nil {
			want, err = time.Parse("2006-01-02T15:04:05Z0700", text)
		}
		if err != nil || want.UnixNano() != ns {
			t.Fatalf("%q: %d, the standard library has %v, %v", text, ns, want, err)
		}
	})
}
