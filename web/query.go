package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

const (
	defaultLimit = 50
	maxLimit     = 500
	maxValue     = 512 // runes of one query value or key
)

// fieldError is a query value that is wrong. Detail is for programs, in English.
type fieldError struct {
	Field, Value, Detail string
	Allowed              []string
}

func (e *fieldError) Error() string {
	return fmt.Sprintf("query field %s: %s", e.Field, e.Detail)
}

// openVerdicts are those an order in a list can have: of its open visits the most pressing.
var openVerdicts = []string{string(sla.VerdictStuck), string(sla.VerdictUnknown), string(sla.VerdictAtRisk), string(sla.VerdictOpen)}

var orderStates = []string{string(sla.StateOpen), string(sla.StateFinished), string(sla.StateCancelled)}

var orderFields = []string{"stage", "verdict", "channel", "partner", "state", "q", "cursor", "limit", "format", "lang"}

// orderFilter reads the query of a list of orders. Empty values do not filter: forms send them.
func orderFilter(q url.Values, flow *order.Flow) (sla.OrderFilter, error) {
	if err := onlyFields(q, orderFields); err != nil {
		return sla.OrderFilter{}, err
	}
	stages := make([]string, len(flow.Stages))
	for i := range flow.Stages {
		stages[i] = flow.Stages[i].Name
	}
	limit, err := readLimit(q.Get("limit"))
	err = cmp.Or(oneOf("stage", q, stages), oneOf("verdict", q, openVerdicts), oneOf("state", q, orderStates), err)
	return sla.OrderFilter{
		Stage: q.Get("stage"), Verdict: sla.Verdict(q.Get("verdict")), State: sla.State(q.Get("state")),
		Channel: q.Get("channel"), Partner: q.Get("partner"), Prefix: strings.TrimSpace(q.Get("q")),
		Cursor: q.Get("cursor"), Limit: limit,
	}, err
}

// onlyFields refuses a field that does not exist or comes twice: a filter that is silently
// ignored shows the wrong orders.
func onlyFields(q url.Values, known []string) error {
	for _, field := range slices.Sorted(maps.Keys(q)) {
		switch values := q[field]; {
		case !slices.Contains(known, field):
			return &fieldError{Field: field, Value: values[0], Detail: "no such field", Allowed: known}
		case len(values) > 1:
			return &fieldError{Field: field, Value: strings.Join(values, ", "), Detail: "given more than once"}
		case !plainText(values[0]):
			return &fieldError{Field: field, Value: "", Detail: fmt.Sprintf("must be UTF-8 without control characters, at most %d characters", maxValue)}
		}
	}
	return nil
}

func oneOf(field string, q url.Values, allowed []string) error {
	value := q.Get(field)
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return &fieldError{Field: field, Value: value, Detail: "must be one of " + strings.Join(allowed, ", "), Allowed: allowed}
}

func readLimit(value string) (int, error) {
	if value == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxLimit {
		return 0, &fieldError{Field: "limit", Value: value, Detail: fmt.Sprintf("must be a whole number from 1 to %d", maxLimit)}
	}
	return n, nil
}

func plainText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxValue && !strings.ContainsFunc(s, unicode.IsControl)
}

// filterQuery writes a filter as a query, without what does not filter.
func filterQuery(f sla.OrderFilter) url.Values {
	q := url.Values{}
	for field, value := range map[string]string{"stage": f.Stage, "verdict": string(f.Verdict), "state": string(f.State),
		"channel": f.Channel, "partner": f.Partner, "q": f.Prefix, "cursor": f.Cursor} {
		if value != "" {
			q.Set(field, value)
		}
	}
	if f.Limit != 0 && f.Limit != defaultLimit {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}
