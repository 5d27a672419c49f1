package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// fakeIdentity notes what it is asked and answers with err.
type fakeIdentity struct {
	links   []sla.Linking
	unlinks []sla.Unlinking
	err     error
}

func (f *fakeIdentity) Link(_ context.Context, x sla.Linking) (int64, error) {
	f.links = append(f.links, x)
	return 17, f.err
}

func (f *fakeIdentity) Unlink(_ context.Context, x sla.Unlinking) (int64, error) {
	f.unlinks = append(f.unlinks, x)
	return 18, f.err
}

func identityServer(t *testing.T, f *fakeIdentity) *Server {
	t.Helper()
	s := newServer(t, busy())
	s.identity = f
	return s
}

// post sends a body; headers are pairs of name and value.
func post(s http.Handler, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

var tokenField = regexp.MustCompile(`name="token" value="([0-9a-f]+)"`)

// openForm returns the token of the forms of an order's page and its cookie.
func openForm(t *testing.T, s *Server, path string) (token, cookie string) {
	t.Helper()
	w := get(t, s, path)
	wantStatus(t, w, http.StatusOK)
	found := tokenField.FindStringSubmatch(w.Body.String())
	cookies := w.Result().Cookies()
	if found == nil || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("token %v, cookies %v", found, cookies)
	}
	return found[1], cookies[0].Name + "=" + cookies[0].Value
}

const formType = "application/x-www-form-urlencoded"

func TestAFormLinksAndUnlinks(t *testing.T) {
	f := &fakeIdentity{}
	s := identityServer(t, f)
	token, cookie := openForm(t, s, "/orders/1042")
	headers := []string{"Content-Type", formType, "Cookie", cookie, "Sec-Fetch-Site", "same-origin"}
	w := post(s, "/orders/shop:1042/link", url.Values{"token": {token}, "key": {"1043"}, "by": {"Anna"}, "note": {"one file"}}.Encode(), headers...)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/orders/shop:1042" {
		t.Fatalf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	want := sla.Linking{A: order.Key{Name: "shop", Value: "1042"}, B: order.Key{Name: "shop", Value: "1043"}, By: "Anna", Note: "one file"}
	if len(f.links) != 1 || f.links[0] != want {
		t.Errorf("asked for %+v", f.links)
	}
	w = post(s, "/orders/1042/unlink", url.Values{"token": {token}, "record": {"100"}, "key": {"mes:M-1042"}, "by": {"Boris"}}.Encode(), headers...)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if len(f.unlinks) != 1 || f.unlinks[0] != (sla.Unlinking{Of: want.A, Record: 100, Key: order.Key{Name: "mes", Value: "M-1042"}, By: "Boris"}) {
		t.Errorf("asked for %+v", f.unlinks)
	}
}

func TestARequestFromElsewhereChangesNothing(t *testing.T) {
	f := &fakeIdentity{}
	s := identityServer(t, f)
	token, cookie := openForm(t, s, "/orders/1042")
	_, other := openForm(t, s, "/orders/1042")
	good := url.Values{"token": {token}, "key": {"1043"}, "by": {"Anna"}}.Encode()
	for name, headers := range map[string][]string{
		"another site":              {"Cookie", cookie, "Sec-Fetch-Site", "cross-site"},
		"another origin":            {"Cookie", cookie, "Origin", "https://evil.example"},
		"no cookie":                 {"Sec-Fetch-Site", "same-origin"},
		"the cookie of another one": {"Cookie", other, "Sec-Fetch-Site", "same-origin"},
	} {
		w := post(s, "/orders/1042/link", good, append(headers, "Content-Type", formType)...)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
		wantText(t, w, "Nothing was changed", `href="/orders/1042"`)
	}
	for name, headers := range map[string][]string{
		"another site": {"Sec-Fetch-Site", "cross-site", "Content-Type", jsonType},
		"a form":       {"Content-Type", formType},
		"plain text":   {"Content-Type", "text/plain"},
	} {
		if w := post(s, "/api/v1/orders/1042/link", `{"key":"1043","by":"Anna"}`, headers...); w.Code != http.StatusForbidden && w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s to the API: %d", name, w.Code)
		}
	}
	if len(f.links) != 0 {
		t.Errorf("asked for %+v", f.links)
	}
}

func TestTheAPILinksAndUnlinksAsDescribed(t *testing.T) {
	spec, compiler := readSpec(t)
	for name, c := range map[string]struct {
		path, body string
		err        error
		want       int
	}{
		"a link":              {"/api/v1/orders/1042/link", `{"key":"mes:M-1043","by":"Anna","note":"x"}`, nil, 200},
		"an unlink":           {"/api/v1/orders/1042/unlink", `{"record":3,"by":"Anna"}`, nil, 200},
		"an unlink of a key":  {"/api/v1/orders/1042/unlink", `{"record":3,"key":"shop:1042","by":"Anna"}`, nil, 200},
		"no such order":       {"/api/v1/orders/none/link", `{"key":"1043","by":"Anna"}`, nil, 404},
		"no such other":       {"/api/v1/orders/1042/link", `{"key":"none","by":"Anna"}`, nil, 404},
		"several others":      {"/api/v1/orders/1042/link", `{"key":"777","by":"Anna"}`, nil, 409},
		"no document":         {"/api/v1/orders/1042/link", `by=Anna`, nil, 400},
		"a field too many":    {"/api/v1/orders/1042/link", `{"key":"1043","by":"Anna","at":1}`, nil, 400},
		"two documents":       {"/api/v1/orders/1042/link", `{"key":"1043","by":"Anna"}{}`, nil, 400},
		"a query field":       {"/api/v1/orders/1042/unlink?x=1", `{"record":3,"by":"Anna"}`, nil, 400},
		"a contradiction":     {"/api/v1/orders/1042/link", `{"key":"1043","by":"Anna"}`, &sla.Refusal{Code: sla.RefusedConflict, Detail: "shop:1 shop:2"}, 409},
		"no link":             {"/api/v1/orders/1042/unlink", `{"record":3,"by":"Anna"}`, &sla.Refusal{Code: sla.RefusedLink}, 409},
		"nobody says it":      {"/api/v1/orders/1042/link", `{"key":"1043"}`, &sla.Refusal{Code: sla.RefusedPerson}, 422},
		"the journal is down": {"/api/v1/orders/1042/link", `{"key":"1043","by":"Anna"}`, errDown, 503},
	} {
		t.Run(name, func(t *testing.T) {
			w := post(identityServer(t, &fakeIdentity{err: c.err}), c.path, c.body, "Content-Type", jsonType)
			wantStatus(t, w, c.want)
			if strings.Contains(w.Body.String(), "/secret/") {
				t.Errorf("it tells too much: %s", w.Body)
			}
			checkAnswer(t, spec, compiler, c.path, w)
		})
	}
}

func TestARefusalIsExplainedToPeople(t *testing.T) {
	codes := []sla.RefusalCode{sla.RefusedPerson, sla.RefusedNote, sla.RefusedKey, sla.RefusedSame, sla.RefusedConflict, sla.RefusedLink}
	for _, code := range codes {
		s := identityServer(t, &fakeIdentity{err: &sla.Refusal{Code: code, Detail: "shop:<1>"}})
		token, cookie := openForm(t, s, "/orders/1042")
		for _, lang := range []string{"en", "ru"} {
			w := post(s, "/orders/1042/link", url.Values{"token": {token}, "key": {"1043"}}.Encode(), "Content-Type", formType, "Cookie", cookie, "Accept-Language", lang)
			if w.Code < 400 || w.Code >= 500 {
				t.Errorf("%s: %d", code, w.Code)
			}
			checkDocument(t, w.Body.String(), lang)
			wantText(t, w, `href="/orders/1042"`, "shop:&lt;1&gt;")
			if strings.Contains(w.Body.String(), "refusal.") {
				t.Errorf("%s has no text in %s", code, lang)
			}
		}
	}
}

func TestAnOrderShowsWhatJoinedItsNames(t *testing.T) {
	f := busy()
	shop, mes := order.Key{Name: "shop", Value: "1042"}, order.Key{Name: "mes", Value: "M-1042"}
	f.records[1] = []sla.Record{
		{Seq: 5, Order: 1, Received: ago(day), Event: order.Event{Kind: order.KindStatus, System: "shop", Status: "SUBMITTED", Keys: []order.Key{shop}, Position: order.Position{Source: "shop-db", Seq: 1}}},
		{Seq: 9, Order: 1, Received: ago(day), Event: order.Event{Kind: order.KindLink, Time: ago(day), Keys: []order.Key{shop, mes}, Position: order.Position{Source: order.SourceSelf}},
			Link: sla.Link{Correction: &sla.Correction{By: "Anna <b>", Note: "one file"}}},
	}
	s := newServer(t, f)
	w := get(t, s, "/orders/1042")
	wantText(t, w, "by Anna &lt;b&gt; (record 9)", "one file", `action="/orders/shop:1042/unlink"`, `name="record" value="9"`, `name="key" value="mes:M-1042"`, "There is no sign-in yet", "linked by a person")
	checkDocument(t, w.Body.String(), "en")
	wantText(t, get(t, s, "/api/v1/orders/1042"), `"links":[{"record":9,"keys":["shop:1042","mes:M-1042"]`)
	s.identity = nil
	if w := get(t, s, "/orders/1042"); strings.Contains(w.Body.String(), "<form class=\"filters\"") {
		t.Error("there are forms though nothing can be changed")
	}
}
