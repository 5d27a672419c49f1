package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
)

func newServer(t testing.TB, r Reader) *Server {
	t.Helper()
	s, err := New(Options{Reader: r, Identity: &fakeIdentity{}, Flow: testFlow(t), Environment: "prod", Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get answers one request; headers are pairs of name and value.
func get(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
}

func wantText(t testing.TB, w *httptest.ResponseRecorder, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) {
			t.Errorf("answer lacks %q", p)
		}
	}
}

func TestNewRefusesIncompleteOptions(t *testing.T) {
	if _, err := New(Options{Flow: testFlow(t)}); err == nil {
		t.Error("a server without a reader was made")
	}
	if _, err := New(Options{Reader: &fakeReader{}}); err == nil {
		t.Error("a server without a flow was made")
	}
}

func TestFirstPageSaysHowManyAreLateAndWhere(t *testing.T) {
	w := get(t, newServer(t, busy()), "/")
	wantStatus(t, w, http.StatusOK)
	// 1,400,000 of 2,355,400 seconds.
	wantText(t, w, "47 of 1,284 orders late", "59\u00a0% of the lost time in stage", `href="/orders?stage=price-to-crm"`, "oldest 1 d 17 h", "hand-off", "lost in a hand-off")
	ru := get(t, newServer(t, busy()), "/", "Accept-Language", "ru-RU,ru;q=0.9,en;q=0.5")
	wantText(t, ru, `<html lang="ru">`, "Опоздание у 47 из 1\u00a0284 заказов", "59\u00a0% потерянного времени", "потерян при передаче")
}

func TestPagesOfTheExampleFlow(t *testing.T) {
	flow, err := order.ParseFlow(examples.FlowName, examples.Flow())
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Reader: &fakeReader{}, Flow: flow})
	if err != nil {
		t.Fatal(err)
	}
	for i := range flow.Stages {
		wantText(t, get(t, s, "/"), `href="/orders?stage=`+flow.Stages[i].Name+`"`)
		wantStatus(t, get(t, s, "/orders?stage="+flow.Stages[i].Name), http.StatusOK)
	}
	wantText(t, get(t, s, "/api/v1/flow"), `"flow":"alexandrite"`, `"within":"15m"`)
}

func TestFirstPageWithoutOrdersSaysSo(t *testing.T) {
	w := get(t, newServer(t, &fakeReader{}), "/")
	wantStatus(t, w, http.StatusOK)
	wantText(t, w, "No orders yet", "not heard yet")
}

func TestFirstPageWithoutLateOrdersIsCalm(t *testing.T) {
	f := busy()
	f.overview.Orders.Late = 0
	wantText(t, get(t, newServer(t, f), "/"), "No order is late")
}

func TestOrderIsFoundByAnyKey(t *testing.T) {
	s := newServer(t, busy())
	for _, key := range []string{"1042", "M-1042", "shop:1042", "mes:M-1042"} {
		w := get(t, s, "/orders/"+url.PathEscape(key))
		wantStatus(t, w, http.StatusOK)
		wantText(t, w, "Stuck in price-to-crm, 1 d 16 h past its deadline.", "<h1>1042</h1>")
	}
}

func TestOrderWithAnAwkwardKeyIsLinkedAndEscaped(t *testing.T) {
	s := newServer(t, busy())
	list := get(t, s, "/orders?verdict=unknown")
	path := "/orders/" + url.PathEscape("shop:Ювелир/7 №<b>42</b>")
	wantText(t, list, `href="`+path+`"`, "Ювелир/7 №&lt;b&gt;42&lt;/b&gt;", "Ромашка &amp; Ко")
	w := get(t, s, path)
	wantStatus(t, w, http.StatusOK)
	wantText(t, w, "a source that would know is blind", "M-other")
	if strings.Contains(w.Body.String(), "<b>42") {
		t.Error("a key was written as markup")
	}
}

func TestKeyOfSeveralOrdersGivesAChoice(t *testing.T) {
	s := newServer(t, busy())
	w := get(t, s, "/orders/777")
	wantStatus(t, w, http.StatusOK)
	wantText(t, w, "Several orders go by", `href="/orders/shop:777"`, `href="/orders/mes:777"`)
	wantStatus(t, get(t, s, "/orders/mes:777"), http.StatusOK)
	wantStatus(t, get(t, s, "/api/v1/orders/777"), http.StatusConflict)
}

func TestUnknownOrderOffersNearMatches(t *testing.T) {
	s := newServer(t, busy())
	w := get(t, s, "/orders/10421")
	wantStatus(t, w, http.StatusNotFound)
	wantText(t, w, "No order “10421”", `href="/orders/1042"`)
	api := get(t, s, "/api/v1/orders/10421")
	wantStatus(t, api, http.StatusNotFound)
	wantText(t, api, `"matches":["shop:1042"]`)
}

func TestListFollowsItsCursor(t *testing.T) {
	s := newServer(t, busy())
	w := get(t, s, "/orders?limit=2&verdict=stuck")
	wantText(t, w, `href="/orders?cursor=at-2&amp;limit=2&amp;verdict=stuck"`)
	next := get(t, s, "/orders?cursor=at-2&limit=2&verdict=stuck")
	wantText(t, next, ">1044<", "First page")
	if strings.Contains(next.Body.String(), ">1042<") {
		t.Error("the second page repeats the first")
	}
}

func TestWrongQueryNamesTheField(t *testing.T) {
	for name, x := range map[string]struct{ query, field string }{
		"a stage the flow does not have":      {"stage=nowhere", "stage"},
		"a verdict that no list has":          {"verdict=met", "verdict"},
		"a state that does not exist":         {"state=lost", "state"},
		"a limit above the bound":             {"limit=501", "limit"},
		"a limit that is no number":           {"limit=many", "limit"},
		"a field that does not exist":         {"stgae=claim", "stgae"},
		"a field given twice":                 {"stage=claim&stage=approval", "stage"},
		"a control character":                 {"q=%00", "q"},
		"text that is not UTF-8":              {"q=%ff", "q"},
		"a cursor that the list did not give": {"cursor=zzz", "cursor"},
		"a format that is not offered":        {"format=xml", "format"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, busy())
			api := get(t, s, "/api/v1/orders?"+x.query)
			wantStatus(t, api, http.StatusBadRequest)
			wantText(t, api, `"field":"`+x.field+`"`)
			if got := api.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			wantStatus(t, get(t, s, "/orders?"+x.query), http.StatusBadRequest)
		})
	}
}

func TestReadErrorsKeepTheirDetailsInTheLog(t *testing.T) {
	s := newServer(t, &fakeReader{err: errDown})
	for _, path := range []string{"/", "/orders", "/orders/1042", "/sources", "/api/v1/flow", "/api/v1/orders", "/api/v1/orders/1042", "/api/v1/sources", "/orders?format=csv"} {
		w := get(t, s, path)
		wantStatus(t, w, http.StatusServiceUnavailable)
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s shows what belongs in the log", path)
		}
	}
}

func TestOtherAddressesAndMethods(t *testing.T) {
	s := newServer(t, busy())
	wantStatus(t, get(t, s, "/nowhere"), http.StatusNotFound)
	wantStatus(t, get(t, s, "/static/../web.go"), http.StatusTemporaryRedirect)
	wantStatus(t, get(t, s, "/static/none.css"), http.StatusNotFound)
	api := get(t, s, "/api/v1/nowhere")
	wantStatus(t, api, http.StatusNotFound)
	wantText(t, api, `"status":404`)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/orders", nil))
	wantStatus(t, w, http.StatusMethodNotAllowed)
}

func TestCSVHasAllOrdersAndNoFormulas(t *testing.T) {
	s := newServer(t, busy())
	for name, w := range map[string]*httptest.ResponseRecorder{
		"by format":       get(t, s, "/orders?format=csv"),
		"by Accept":       get(t, s, "/api/v1/orders", "Accept", "text/csv"),
		"by Accept, page": get(t, s, "/orders", "Accept", "text/csv;q=1"),
	} {
		wantStatus(t, w, http.StatusOK)
		if lines := strings.Count(w.Body.String(), "\n"); lines != 75 {
			t.Errorf("%s: %d lines, want 75", name, lines)
		}
		wantText(t, w, "shop,mes,state,stage", "'=1051,M-=1051", "1042,M-1042,open,price-to-crm,2026-11-19T19:30:00Z,2026-11-19T20:30:00Z,stuck,lost_in_handoff,b2c")
	}
}

func TestLanguageIsSwitchedAndRemembered(t *testing.T) {
	s := newServer(t, busy())
	w := get(t, s, "/orders?stage=claim&lang=ru", "Accept-Language", "en")
	wantText(t, w, `<html lang="ru">`, `href="/orders?lang=en&amp;stage=claim"`)
	cookie := w.Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "lang=ru;") {
		t.Fatalf("cookie %q", cookie)
	}
	wantText(t, get(t, s, "/", "Accept-Language", "en", "Cookie", "lang=ru"), `<html lang="ru">`)
	wantText(t, get(t, s, "/", "Cookie", "lang=xx"), `<html lang="en">`)
}
