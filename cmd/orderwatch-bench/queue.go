package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alexandrite/orderwatch/forecast/queueing"
)

// queueReport is what `queue --json` prints: relative errors of Lq, the mean number waiting.
type queueReport struct {
	Rows             int                    `json:"rows"`
	MaxRelativeError float64                `json:"max_relative_error"`
	ByModel          map[string]queueErrors `json:"by_model"`
}

type queueErrors struct {
	Rows              int     `json:"rows"`
	MaxRelativeError  float64 `json:"max_relative_error"`
	MeanRelativeError float64 `json:"mean_relative_error"`
}

func queueTable(_ context.Context, c *console, args []string) int {
	return c.finish("queue", measureQueues(c, args))
}

func measureQueues(c *console, args []string) error {
	f := flag.NewFlagSet("orderwatch-bench queue", flag.ContinueOnError)
	file := f.String("table", "", "CSV with model, c, rho, scv, Lq at a mean service time of 1; may be .gz")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := c.parse(f, args); err != nil {
		return err
	}
	if *file == "" || f.NArg() > 0 {
		return c.usage("orderwatch-bench queue --table FILE [--json]")
	}
	report, err := judgeQueues(*file)
	if err != nil {
		return err
	}
	if *asJSON {
		return c.json(report)
	}
	c.printf("%-28s %5s %10s %10s\n", "model", "rows", "max error", "mean error")
	models := make([]string, 0, len(report.ByModel))
	for m := range report.ByModel {
		models = append(models, m)
	}
	slices.Sort(models)
	for _, m := range models {
		e := report.ByModel[m]
		c.printf("%-28s %5d %9.4f%% %9.4f%%\n", m, e.Rows, 100*e.MaxRelativeError, 100*e.MeanRelativeError)
	}
	c.printf("%-28s %5d %9.4f%%\n", "all", report.Rows, 100*report.MaxRelativeError)
	return nil
}

func judgeQueues(file string) (queueReport, error) {
	report := queueReport{ByModel: make(map[string]queueErrors)}
	err := eachRow(file, []string{"model", "c", "rho", "scv", "Lq"}, func(r row) error {
		off, err := queueError(r)
		if err != nil {
			return err
		}
		e := report.ByModel[r["model"]]
		e.MeanRelativeError = (e.MeanRelativeError*float64(e.Rows) + off) / float64(e.Rows+1)
		e.Rows++
		e.MaxRelativeError = max(e.MaxRelativeError, off)
		report.ByModel[r["model"]] = e
		report.Rows++
		report.MaxRelativeError = max(report.MaxRelativeError, off)
		return nil
	})
	if err == nil && report.Rows == 0 {
		err = fmt.Errorf("%s has no rows", file)
	}
	return report, err
}

func queueError(r row) (float64, error) {
	servers, err := strconv.Atoi(strings.TrimSpace(r["c"]))
	if err != nil {
		return 0, fmt.Errorf("column c: %w", err)
	}
	rho, err := r.number("rho")
	if err != nil {
		return 0, err
	}
	scv, err := r.number("scv")
	if err != nil {
		return 0, err
	}
	want, err := r.number("Lq")
	if err != nil {
		return 0, err
	}
	service := queueing.Service{Mean: 1, SCV: scv, Third: thirdMoment(r["model"], scv)}
	w, err := queueing.Solve(queueing.Queue{Rate: rho * float64(servers), Service: service, Servers: servers})
	if err != nil {
		return 0, err
	}
	if want == 0 {
		return math.Abs(w.Length), nil
	}
	return math.Abs(w.Length-want) / want, nil
}

var distribution = regexp.MustCompile(`^[^/]+/([A-Za-z]+)`)

// thirdMoment knows the third moment of the distributions whose name says it, over the cubed mean; 0
// where it does not.
func thirdMoment(model string, scv float64) float64 {
	m := distribution.FindStringSubmatch(model)
	if m == nil {
		return 0
	}
	switch strings.ToUpper(m[1]) {
	case "LN", "LOGN", "LOGNORMAL":
		return (1 + scv) * (1 + scv) * (1 + scv)
	case "GAMMA", "GA":
		return (1 + scv) * (1 + 2*scv)
	}
	return 0
}
