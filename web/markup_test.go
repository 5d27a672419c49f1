package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// pagePaths are one address of every kind of page and state.
func pagePaths() map[string]string {
	return map[string]string{
		"overview": "/", "orders": "/orders", "orders-none": "/orders?q=zzzz", "orders-filtered": "/orders?verdict=stuck&limit=3", "sources": "/sources",
		"incident": "/incidents/1", "incident-preexisting": "/incidents/9", "incident-empty": "/incidents/10", "incident-closed": "/incidents/11", "no-incident": "/incidents/77",
		"order-stuck": "/orders/1042", "order-unknown": "/orders/" + url.PathEscape("shop:Ювелир/7 №<b>42</b>"), "order-rework": "/orders/" + url.PathEscape("=1051"),
		"order-finished": "/orders/900", "order-cancelled": "/orders/901", "several": "/orders/777", "not-found": "/orders/10421", "bad-query": "/orders?stage=nowhere", "no-page": "/nowhere",
	}
}

func TestPagesAreWellFormed(t *testing.T) {
	for _, lang := range []string{"en", "ru"} {
		for name, path := range pagePaths() {
			t.Run(lang+" "+name, func(t *testing.T) {
				w := get(t, newServer(t, busy()), path, "Accept-Language", lang)
				checkBalance(t, w.Body.String())
				checkDocument(t, w.Body.String(), lang)
			})
		}
	}
}

var voidElements = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "hr": true, "img": true}

// checkBalance holds the markup to what a parser would otherwise silently repair.
func checkBalance(t *testing.T, page string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); !voidElements[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// facts are what checkDocument gathers of one page.
type facts struct {
	ids     map[string]bool
	labels  map[string]bool   // for
	fields  map[string]string // id → name
	refs    []string          // ids that must exist
	h1      int
	heading int
}

func checkDocument(t *testing.T, page, lang string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	f := &facts{ids: map[string]bool{}, labels: map[string]bool{}, fields: map[string]string{}}
	walk(doc, func(n *html.Node) { f.visit(t, n, lang) })
	for id, name := range f.fields {
		if !f.labels[id] {
			t.Errorf("field %s has no label", name)
		}
	}
	for _, ref := range f.refs {
		if !f.ids[ref] {
			t.Errorf("nothing has the id %q that is referred to", ref)
		}
	}
	if f.h1 != 1 {
		t.Errorf("%d h1", f.h1)
	}
	if left := placeholder.FindString(textOf(doc)); left != "" {
		t.Errorf("placeholder %s was not filled in", left)
	}
}

func (f *facts) visit(t *testing.T, n *html.Node, lang string) {
	t.Helper()
	id := attribute(n, "id")
	if id != "" && f.ids[id] {
		t.Errorf("id %q comes twice", id)
	}
	f.ids[id] = true
	for _, a := range n.Attr {
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
			t.Errorf("<%s %s>: inline script or style", n.Data, a.Key)
		}
		if (a.Key == "src" || a.Key == "href") && regexp.MustCompile(`^(https?:)?//`).MatchString(a.Val) {
			t.Errorf("<%s %s=%q> is of another host", n.Data, a.Key, a.Val)
		}
		if (a.Key == "href" && strings.HasPrefix(a.Val, "#")) || a.Key == "list" || a.Key == "aria-labelledby" {
			f.refs = append(f.refs, strings.TrimPrefix(a.Val, "#"))
		}
	}
	switch n.Data {
	case "html":
		if got := attribute(n, "lang"); got != lang {
			t.Errorf("lang %q, want %q", got, lang)
		}
	case "script", "style":
		t.Errorf("<%s> in the page", n.Data)
	case "label":
		f.labels[attribute(n, "for")] = true
	case "input", "select", "textarea":
		if attribute(n, "type") == "hidden" {
			return
		}
		f.fields[id] = attribute(n, "name")
	case "h1", "h2", "h3":
		level := int(n.Data[1] - '0')
		if level == 1 {
			f.h1++
		}
		if level > f.heading+1 {
			t.Errorf("heading %q skips a level", textOf(n))
		}
		f.heading = level
	}
}

func walk(n *html.Node, fn func(*html.Node)) {
	if n.Type == html.ElementNode {
		fn(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, fn)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	s := newServer(t, busy())
	paths := []string{"/static/style.css", "/static/icon.svg", "/api/v1/flow", "/api/v1/orders?limit=0"}
	for _, p := range pagePaths() {
		paths = append(paths, p)
	}
	for _, path := range paths {
		h := get(t, s, path).Header()
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: policy %q", path, h.Get("Content-Security-Policy"))
		}
		for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Type", "Cache-Control"} {
			if h.Get(name) == "" {
				t.Errorf("%s: no %s", path, name)
			}
		}
	}
}

// TestLinksLeadSomewhere follows every link of every page, as a crawler would.
func TestLinksLeadSomewhere(t *testing.T) {
	s := newServer(t, busy())
	seen := map[string]bool{}
	for _, path := range pagePaths() {
		doc, err := html.Parse(strings.NewReader(get(t, s, path).Body.String()))
		if err != nil {
			t.Fatal(err)
		}
		walk(doc, func(n *html.Node) {
			href := attribute(n, "href")
			if !strings.HasPrefix(href, "/") || seen[href] || strings.Contains(path, "nowhere") && strings.Contains(href, "nowhere") || strings.Contains(href, "10421") || strings.Contains(href, "incidents/77") {
				return
			}
			seen[href] = true
			if w := get(t, s, href); w.Code != http.StatusOK {
				t.Errorf("%s links to %s: %d", path, href, w.Code)
			}
		})
	}
	if len(seen) < 50 {
		t.Errorf("only %d links were seen", len(seen))
	}
}
