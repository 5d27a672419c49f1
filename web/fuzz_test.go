package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// FuzzOrders asks for lists and orders by whatever a client may write: the answer is never the
// server's fault, and a page is always whole.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{"", "stage=claim", "q=%ff", "limit=-1&verdict=stuck", "a;b", "cursor=at-3&lang=ru", "q=" + url.QueryEscape("Ювелир/7 №<b>42</b>")} {
		f.Add(seed, "1042")
	}
	f.Add("", "shop:..")
	f.Add("lang=ru", "\x00")
	s := newServer(f, busy())
	f.Fuzz(func(t *testing.T, query, key string) {
		for _, path := range []string{"/orders", "/api/v1/orders", "/orders/" + url.PathEscape(key)} {
			u, err := url.Parse(path)
			if err != nil {
				continue
			}
			u.RawQuery = query
			w := httptest.NewRecorder()
			s.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
			if w.Code >= http.StatusInternalServerError {
				t.Errorf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
		}
	})
}
