package arrivals_test

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/forecast/arrivals"
)

// olistMonths counts the orders bought in each month of 2017 in the shared sample of Olist's orders.
func olistMonths(t *testing.T) []float64 {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "orders", "olist_orders_2016_2017.csv.gz"))
	if err != nil {
		t.Skipf("the shared data are not on this machine: %v", err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[0], "order_purchase_timestamp")
	counts := make([]float64, 12)
	for _, r := range rows[1:] {
		at, err := time.Parse(time.DateTime, r[column])
		if err != nil {
			t.Fatal(err)
		}
		if at.Year() == 2017 {
			counts[at.Month()-1]++
		}
	}
	return counts
}

// The worked example of docs/forecast.md.
func TestTheOlistMonthsOf2017(t *testing.T) {
	counts := olistMonths(t)
	t.Logf("counts %v", counts)
	for _, known := range []int{9, 12} {
		o := predict(t, arrivals.History{Counts: counts[:known]}, arrivals.Options{Horizon: 6, Period: 12})
		low, high := o.Band(0.95)
		t.Logf("%d months: level %.0f, trend %+.0f (%+.0f to %+.0f), dispersion %.1f, widening %.2f, line %.2f, form %s, changes %+v",
			known, o.Level, o.Trend, o.TrendLow, o.TrendHigh, o.Dispersion, o.Widening, o.LineWeight, o.Form, o.Changes)
		for _, n := range o.Notes {
			t.Logf("  note: %s", n)
		}
		inside := 0
		for h, m := range o.Mean {
			came := "?"
			if known+h < 12 {
				came = strconv.Itoa(int(counts[known+h]))
				if low[h] <= counts[known+h] && counts[known+h] <= high[h] {
					inside++
				}
			}
			t.Logf("  month %2d: %5.0f (%5.0f to %5.0f), came %s", known+h+1, m, low[h], high[h], came)
		}
		sound(t, "olist", o)
		if o.TrendLow <= 0 {
			t.Errorf("%d months: growth is not seen: %+.0f to %+.0f", known, o.TrendLow, o.TrendHigh)
		}
		if known == 9 && inside < 2 {
			t.Errorf("%d of the last three months inside the 95 %% interval", inside)
		}
	}
}
