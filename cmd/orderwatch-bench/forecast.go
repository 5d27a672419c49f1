package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/forecast/series"
)

// forecastReport is what `forecast --json` prints. OWA is the mean of the sMAPE and the MASE, each as
// a share of Naive2's (the M4 competition's). MASE and MSIS leave out series whose history repeats
// exactly, for which they are not defined; Skipped are series too short to forecast.
type forecastReport struct {
	SMAPE      float64 `json:"smape"`
	MASE       float64 `json:"mase"`
	OWA        float64 `json:"owa"`
	Coverage95 float64 `json:"coverage_95"`
	MSIS       float64 `json:"msis"`
	Series     int     `json:"series"`
	Skipped    int     `json:"skipped"`
	Seconds    float64 `json:"seconds"`
}

// seriesScore is one series' errors; NaN where not defined.
type seriesScore struct {
	smape, mase, naiveSMAPE, naiveMASE, coverage, msis float64
	ok                                                 bool
}

func forecastSeries(ctx context.Context, c *console, args []string) int {
	return c.finish("forecast", measureForecast(ctx, c, args))
}

func measureForecast(ctx context.Context, c *console, args []string) error {
	f := flag.NewFlagSet("orderwatch-bench forecast", flag.ContinueOnError)
	file := f.String("series", "", "CSV with series_id, set (train, test), value; may be .gz")
	horizon := f.Int("horizon", 18, "how many values ahead to forecast and compare, at most")
	period := f.Int("period", 12, "values in a season; 1 for none")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := c.parse(f, args); err != nil {
		return err
	}
	if *file == "" || *horizon < 1 || *period < 1 || f.NArg() > 0 {
		return c.usage("orderwatch-bench forecast --series FILE [--horizon 18] [--period 12] [--json]")
	}
	all, err := readSeries(*file)
	if err != nil {
		return err
	}
	report, err := judgeSeries(ctx, all, *period, *horizon)
	if err != nil {
		return err
	}
	if *asJSON {
		return c.json(report)
	}
	c.printf("series       %d (%d too short)\nsMAPE        %.3f\nMASE         %.4f\nOWA          %.4f\ncoverage 95  %.4f\nMSIS         %.3f\nseconds      %.2f\n",
		report.Series, report.Skipped, report.SMAPE, report.MASE, report.OWA, report.Coverage95, report.MSIS, report.Seconds)
	return nil
}

// judgeSeries forecasts every series, on all processors, and averages over the series.
func judgeSeries(ctx context.Context, all []trainTest, period, horizon int) (forecastReport, error) {
	began := time.Now()
	scores := make([]seriesScore, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range all {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			scores[i], err = judge(s, period, horizon)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return forecastReport{}, err
	}
	report := summarise(scores)
	report.Seconds = time.Since(began).Seconds()
	if report.Series == 0 {
		return report, fmt.Errorf("no series has %d values to learn from and one to compare with", series.Least)
	}
	return report, nil
}

func judge(s trainTest, period, horizon int) (seriesScore, error) {
	test := s.test[:min(horizon, len(s.test))]
	if len(s.train) < series.Least || len(test) == 0 {
		return seriesScore{}, nil
	}
	f, err := series.Predict(s.train, period, len(test))
	if err != nil {
		return seriesScore{}, fmt.Errorf("series %s: %w", s.id, err)
	}
	low, high := f.Interval(0.95)
	naive := series.Naive2(s.train, period, len(test))
	scale := series.Scale(s.train, period)
	if scale == 0 {
		scale = math.NaN()
	}
	return seriesScore{
		smape:      series.SMAPE(test, f.Mean),
		mase:       series.MeanAbsolute(test, f.Mean) / scale,
		naiveSMAPE: series.SMAPE(test, naive),
		naiveMASE:  series.MeanAbsolute(test, naive) / scale,
		coverage:   series.Coverage(test, low, high),
		msis:       series.IntervalScore(test, low, high, 0.95) / scale,
		ok:         true,
	}, nil
}

func summarise(scores []seriesScore) forecastReport {
	mean := func(of func(seriesScore) float64) float64 {
		sum, n := 0.0, 0.0
		for _, s := range scores {
			if v := of(s); s.ok && !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		return sum / max(1, n)
	}
	r := forecastReport{
		SMAPE:      mean(func(s seriesScore) float64 { return s.smape }),
		MASE:       mean(func(s seriesScore) float64 { return s.mase }),
		Coverage95: mean(func(s seriesScore) float64 { return s.coverage }),
		MSIS:       mean(func(s seriesScore) float64 { return s.msis }),
	}
	for _, s := range scores {
		if s.ok {
			r.Series++
		} else {
			r.Skipped++
		}
	}
	naiveSMAPE := mean(func(s seriesScore) float64 { return s.naiveSMAPE })
	naiveMASE := mean(func(s seriesScore) float64 { return s.naiveMASE })
	if naiveSMAPE > 0 && naiveMASE > 0 {
		r.OWA = (r.SMAPE/naiveSMAPE + r.MASE/naiveMASE) / 2
	}
	return r
}
