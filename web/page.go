package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// page is what every template gets; Body is the page's own.
type page struct {
	clock
	Title       string
	Nav         string // which entry of the navigation is current
	Flow        string
	Environment string
	Query       string // in the search field
	AsOf        *instant
	Zone        string
	Switches    []languageSwitch
	Style, Icon string // addresses
	Body        any
}

type languageSwitch struct {
	Code, Name, Href string
	Current          bool
}

// mark is a coded value with its word: a verdict, a cause, a kind, a state.
type mark struct{ Code, Word string }

// Verdict returns the mark of a verdict of a visit or of a promise.
func (c clock) Verdict(v string) mark { return mark{v, c.T("verdict." + v)} }

// Cause returns the word of a cause, "" for none.
func (c clock) Cause(cause sla.Cause) string {
	if cause == "" {
		return ""
	}
	return c.T("cause." + string(cause))
}

// Kind returns the mark of a stage's kind.
func (c clock) Kind(k order.StageKind) mark { return mark{string(k), c.T("kind." + string(k))} }

// State returns the word of an order's state.
func (c clock) State(st sla.State) string { return c.T("state." + string(st)) }

var pageNames = []string{"overview", "orders", "order", "incident", "sources", "error"}

func loadPages() (map[string]*template.Template, error) {
	pages := make(map[string]*template.Template, len(pageNames))
	for _, name := range pageNames {
		t, err := template.ParseFS(files, "template/layout.html", "template/part.html", path.Join("template", name+".html"))
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// newPage starts a page in the language of the request.
func (s *Server) newPage(w http.ResponseWriter, r *http.Request, nav string) *page {
	loc := s.languages.choose(w, r)
	w.Header().Set("Content-Language", loc.Code)
	w.Header().Set("Vary", "Accept-Language, Cookie")
	p := &page{
		clock: clock{locale: loc, zone: s.zone, now: s.now()},
		Nav:   nav, Flow: s.flow.Name, Environment: s.environment, Zone: s.zone.String(),
		Style: s.assetPath("style.css"), Icon: s.assetPath("icon.svg"),
	}
	p.AsOf = p.At(p.now)
	for _, other := range s.languages.all {
		q := r.URL.Query()
		q.Set("lang", other.Code)
		target := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: q.Encode()}
		p.Switches = append(p.Switches, languageSwitch{Code: other.Code, Name: other.T("language"), Href: target.String(), Current: other == loc})
	}
	return p
}

// render writes a page, whole or not at all.
func (s *Server) render(w http.ResponseWriter, status int, name string, p *page) error {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", p); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// errorBody is what the error page shows.
type errorBody struct {
	Heading, Text string
	Field         string
	Allowed       []string
	Near          []orderRef
	Back          string // to the order whose form it was
}

func orderPath(r *http.Request) string { return "/orders/" + url.PathEscape(r.PathValue("key")) }

func (s *Server) errorPage(w http.ResponseWriter, r *http.Request, problem problem, cause error) error {
	p := s.newPage(w, r, "")
	body := errorBody{Field: problem.Field, Allowed: problem.Allowed}
	var field *fieldError
	var key *keyError
	switch {
	case errors.As(cause, &field):
		body.Heading, body.Text = p.T("error.field", "field", field.Field), p.T("error.field_text", "value", field.Value)
	case errors.As(cause, &key):
		body.Field, body.Near = "", key.near
		body.Heading, body.Text = p.T("error.order", "key", key.key), p.T("error.order_text")
		if key.ambiguous {
			// Several orders are an answer, not a failure.
			problem.Status = http.StatusOK
			body.Heading, body.Text = p.T("error.several", "key", key.key), p.T("error.several_text")
		}
	case refusalOf(cause) != nil:
		refusal := refusalOf(cause)
		body.Heading, body.Text, body.Field = p.T("refusal.heading"), p.T("refusal."+string(refusal.Code)), ""
		if refusal.Detail != "" {
			body.Text += ": " + refusal.Detail
		}
		body.Back = orderPath(r)
	case errors.Is(cause, errForeign) || errors.Is(cause, errOutdated):
		body.Heading, body.Text, body.Back = p.T("refusal.heading"), p.T("refusal.outdated"), orderPath(r)
	default:
		kind := map[int]string{http.StatusNotFound: "page", http.StatusBadRequest: "cursor"}[problem.Status]
		if kind == "" {
			kind = "read"
		}
		body.Heading, body.Text = p.T("error."+kind), p.T("error."+kind+"_text")
	}
	p.Title, p.Body = body.Heading, body
	if strings.HasPrefix(r.URL.Path, "/orders") {
		p.Nav = "orders"
	}
	return s.render(w, problem.Status, "error", p)
}

// table is what the "order-table" template needs.
type table struct {
	Page  *page
	Items []orderLine
}

// Table pairs rows with the page that words their columns.
func (p *page) Table(items []orderLine) table { return table{p, items} }

// casePart is what the "case" template needs.
type casePart struct {
	Page *page
	Case caseLine
}

// Case pairs evidence with the page that words its headings.
func (p *page) Case(c caseLine) casePart { return casePart{p, c} }
