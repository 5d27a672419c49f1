package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

// maxCSVRows bounds one CSV answer; a Link header leads to the rest.
const maxCSVRows = 10_000

// ordersCSV answers with all orders of the filter, up to maxCSVRows. It is whole or an error.
func (s *Server) ordersCSV(w http.ResponseWriter, r *http.Request, f sla.OrderFilter) error {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	head := append([]string{}, s.flow.Keys...)
	head = append(head, "state", "stage", "entered", "deadline", "verdict", "cause", "channel", "partner", "created", "updated")
	if err := out.Write(head); err != nil {
		return err
	}
	f.Limit = maxLimit
	for range maxCSVRows / maxLimit {
		page, err := s.reader.Orders(r.Context(), f)
		if err != nil {
			return err
		}
		for _, row := range page.Items {
			if err := out.Write(s.csvRow(row)); err != nil {
				return err
			}
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	if f.Cursor != "" {
		f.Limit = 0
		q := filterQuery(f)
		q.Set("format", string(formatCSV))
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, address(r.URL.Path, q)))
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="orders.csv"`)
	_, err := w.Write(b.Bytes())
	return err
}

func (s *Server) csvRow(row sla.OrderRow) []string {
	var cells []string
	for _, name := range s.flow.Keys {
		cells = append(cells, cell(row.Keys[name]))
	}
	return append(cells, string(row.State), row.Stage, csvTime(row.Entered), csvTime(row.Deadline), string(row.Verdict), string(row.Cause),
		cell(row.Channel), cell(row.Partner), csvTime(row.Created), csvTime(row.Updated))
}

// cell keeps a spreadsheet from running what a partner wrote as a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
