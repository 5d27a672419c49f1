package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// errNoPage says that the address is not one of ours.
var errNoPage = errors.New("web: no such page")

// format is how an answer is written.
type format string

const (
	formatHTML format = "html"
	formatJSON format = "json"
	formatCSV  format = "csv"
)

// formatOf chooses between the route's own format and CSV, by ?format= or else by Accept.
func formatOf(r *http.Request, own format) (format, error) {
	if err := oneOf("format", r.URL.Query(), []string{string(own), string(formatCSV)}); err != nil {
		return own, err
	}
	if f := r.URL.Query().Get("format"); f != "" {
		return format(f), nil
	}
	// A browser's Accept lists text/html; a program that wants CSV asks for it first.
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	kind, _, _ := strings.Cut(first, ";")
	if strings.EqualFold(strings.TrimSpace(kind), "text/csv") {
		return formatCSV, nil
	}
	return own, nil
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // served as application/json with nosniff
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// problem is an RFC 9457 problem document. Field, Allowed and Matches are its extensions.
type problem struct {
	Type    string   `json:"type"`
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail,omitempty"`
	Field   string   `json:"field,omitempty"`
	Allowed []string `json:"allowed,omitempty"`
	Matches []string `json:"matches,omitempty"` // keys of orders that were perhaps meant
}

// keyError is an order key that is not the name of exactly one order.
type keyError struct {
	key       string
	ambiguous bool
	near      []orderRef
}

func (e *keyError) Error() string { return "find order: key names no order, or several" }

// problemOf describes an error to the caller without what is nobody's business.
func problemOf(err error) problem {
	var field *fieldError
	var key *keyError
	switch {
	case errors.As(err, &field):
		return problem{Type: "about:blank", Title: "Bad query", Status: http.StatusBadRequest, Detail: field.Error(), Field: field.Field, Allowed: field.Allowed}
	case errors.Is(err, ErrCursor):
		return problem{Type: "about:blank", Title: "Bad query", Status: http.StatusBadRequest, Detail: "query field cursor: not one that this list gave", Field: "cursor"}
	case errors.As(err, &key):
		p := problem{Type: "about:blank", Title: "Order not found", Status: http.StatusNotFound, Field: "key", Detail: "no order has this key"}
		if key.ambiguous {
			p.Title, p.Status, p.Detail = "Several orders have this key", http.StatusConflict, "ask again with name:value"
		}
		for _, m := range key.near {
			p.Matches = append(p.Matches, m.Name)
		}
		return p
	case refusalOf(err) != nil:
		refusal := refusalOf(err)
		status, field := refusalStatus(refusal)
		return problem{Type: "about:blank", Title: "Refused", Status: status, Detail: refusal.Error(), Field: field}
	case errors.Is(err, errForeign), errors.Is(err, errOutdated):
		return problem{Type: "about:blank", Title: "Not from here", Status: http.StatusForbidden, Detail: "a change is accepted from our own pages, or from programs that are no browsers"}
	case errors.Is(err, errMediaType):
		return problem{Type: "about:blank", Title: "Not JSON", Status: http.StatusUnsupportedMediaType, Detail: "send application/json"}
	case errors.Is(err, errNoIncident):
		return problem{Type: "about:blank", Title: "Incident not found", Status: http.StatusNotFound, Detail: "no incident has this number"}
	case errors.Is(err, errNoPage):
		return problem{Type: "about:blank", Title: "Not found", Status: http.StatusNotFound, Detail: "no such address"}
	}
	return problem{Type: "about:blank", Title: "Cannot answer now", Status: http.StatusServiceUnavailable, Detail: "the data could not be read; it is in the log"}
}

// fail answers with an error: a problem document to programs, a page to people.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is listening
	}
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if isAPI(r) {
		err = writeJSON(w, p.Status, "application/problem+json", p)
	} else {
		err = s.errorPage(w, r, p, err)
	}
	if err != nil {
		s.log.DebugContext(r.Context(), "answer not delivered", "path", r.URL.Path, "error", err)
	}
}
