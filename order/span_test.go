package order_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

func TestADurationIsReadOrSaysWhatIsWrong(t *testing.T) {
	open := func(d time.Duration) order.Span { return order.Span{Unit: order.OpenTime, Amount: d} }
	tests := map[string]struct {
		want  order.Span
		wrong string
	}{
		"1m30s":                    {want: open(90 * time.Second)},
		"30m":                      {want: open(30 * time.Minute)},
		"1h30m":                    {want: open(90 * time.Minute)},
		"1h30m5s":                  {want: open(90*time.Minute + 5*time.Second)},
		"1h5s":                     {want: open(time.Hour + 5*time.Second)},
		"87600h":                   {want: open(87600 * time.Hour)},
		"3d":                       {want: order.Span{Unit: order.Elapsed, Amount: 72 * time.Hour}},
		"2wd":                      {want: order.Span{Unit: order.WorkingDays, Days: 2}},
		"15x":                      {wrong: `"15x" is not a duration: use 30m, 2h, 3d or 2wd`},
		"":                         {wrong: "not a duration"},
		"30":                       {wrong: "not a duration"},
		"h":                        {wrong: "not a duration"},
		"1.5h":                     {wrong: "not a duration"},
		"1 h":                      {wrong: "not a duration"},
		"1d12h":                    {wrong: "not a duration"},
		"12h1d":                    {wrong: "not a duration"},
		"5m1h":                     {wrong: "not a duration"},
		"1h1h":                     {wrong: "not a duration"},
		"1h30":                     {wrong: "not a duration"},
		"2dw":                      {wrong: "not a duration"},
		"+2d":                      {wrong: "not a duration"},
		"--2d":                     {wrong: "not a duration"},
		"0m":                       {wrong: "is zero"},
		"0h0s":                     {wrong: "is zero"},
		"0wd":                      {wrong: "is zero"},
		"-5m":                      {wrong: "is negative"},
		"3651d":                    {wrong: "too long"},
		"3651wd":                   {wrong: "too long"},
		"87600h1s":                 {wrong: "too long"},
		"99999999999999999999d":    {wrong: "too long"},
		"99999999999999999999h5m":  {wrong: "too long"},
		"9223372036854775807s":     {wrong: "too long"},
		"9223372036854775807h5m1s": {wrong: "too long"},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := order.ParseSpan(text)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("got %v, %v; want an error with %q", got, err, test.wrong)
				}
				return
			}
			if err != nil || got != test.want {
				t.Fatalf("got %#v, %v; want %#v", got, err, test.want)
			}
			if got.String() != text {
				t.Errorf("written back as %q", got)
			}
		})
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, seed := range []string{"30m", "90s", "3d", "2wd", "-1s", "99999999999999999999h", "15x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := order.ParseSpan(text)
		if err != nil {
			if !span.IsZero() {
				t.Errorf("%q: a span and an error: %v, %v", text, span, err)
			}
			return
		}
		if span.Amount < 0 || span.Days < 0 || span.IsZero() {
			t.Errorf("%q: not positive: %#v", text, span)
		}
		if again, err := order.ParseSpan(span.String()); err != nil || again != span {
			t.Errorf("%q: written as %q, read as %#v, %v", text, span, again, err)
		}
	})
}
