package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

func testClock(t *testing.T, code string) clock {
	t.Helper()
	l, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	return clock{locale: l.byCode(code), zone: testFlow(t).Timezone, now: now}
}

func TestEvidenceIsToldInBothLanguages(t *testing.T) {
	deadline := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for code, want := range map[string][]string{
		"en": {"mes-db saw mes/PRICE_CALCULATED: the order entered the stage.", "None of crm/PRICE_CALCULATED was seen by the deadline.",
			"shop-db has sent everything that happened until 20 Nov 12:00: what it did not report did not happen.", "mes-api proves nothing past 20 Nov 12:00.",
			"rabbitmq may have missed facts from 20 Nov 15:00 to 20 Nov 15:03: connection closed.", "mes-api has proven nothing yet.", "It has taken 40 min; 95 of 100 similar orders take at most 12 min."},
		"ru": {"mes-db увидел mes/PRICE_CALCULATED: заказ вошёл на этап.", "Прошло 40 мин; 95 из 100 похожих заказов укладываются в 12 мин.", "Действовать должен: sales."},
	} {
		var all []string
		for _, e := range allEvidence(deadline) {
			all = append(all, factOf(testClock(t, code), e).Text)
		}
		told := strings.Join(all, "\n")
		for _, sentence := range want {
			if !strings.Contains(told, sentence) {
				t.Errorf("%s lacks %q in\n%s", code, sentence, told)
			}
		}
	}
}

func TestEvidenceThatIsNotKnownOrIncompleteIsStillShown(t *testing.T) {
	c := testClock(t, "en")
	if got := factOf(c, sla.Evidence{Code: "novel", Args: map[string]string{"x": "1"}}); got.Text != "novel" || got.Detail != "x = 1" {
		t.Errorf("got %+v", got)
	}
	if got := sentence(c, sla.Evidence{Code: sla.EvidencePublished, Args: map[string]string{"exchange": "e"}}); got != "A message was published to e with routing key –." {
		t.Errorf("got %q", got)
	}
}

func TestCommandsStandApartFromTheSentences(t *testing.T) {
	v := stuckOrder(1, "1", "claim", sla.CauseStarved, time.Hour).Visits[4]
	got := caseOf(testClock(t, "en"), &v)
	if len(got.Checks) != 1 || !strings.HasPrefix(got.Checks[0], "psql") || len(got.Facts) != len(v.Evidence)-1 {
		t.Errorf("checks %q, %d facts of %d", got.Checks, len(got.Facts), len(v.Evidence))
	}
}

func TestWaterfall(t *testing.T) {
	c, flow := testClock(t, "en"), testFlow(t)
	o := baseOrder(1, "1", ago(10*time.Hour))
	o.Promises = nil
	o.Visits = []sla.Visit{
		visit("calculation", ago(10*time.Hour), ago(5*time.Hour), ago(8*time.Hour), sla.VerdictLate),
		visit("gone-from-flow", ago(6*time.Hour), ago(5*time.Hour), time.Time{}, sla.VerdictMet),
		visit("shop-to-mes", ago(5*time.Hour), time.Time{}, ago(time.Hour), sla.VerdictStuck),
	}
	w := drawOrder(c, flow, &o)
	var names []string
	for _, l := range w.Lanes {
		names = append(names, l.Name)
	}
	if got := strings.Join(names, " "); got != "shop-to-mes calculation gone-from-flow" {
		t.Errorf("lanes %q, want the flow's order, then strangers", got)
	}
	// Ten hours and a fortieth fill the width: an hour is 9.756 %.
	want := []bar{{Code: "open", X: "48.78%", Width: "39.02%"}, {Code: "stuck", X: "87.80%", Width: "9.76%"}}
	for i, b := range w.Lanes[0].Bars {
		b.Title = ""
		if b != want[i] {
			t.Errorf("bar %d is %+v, want %+v", i, b, want[i])
		}
	}
	if w.Now != "97.56%" || w.Lanes[0].Markers[0].X != "87.80%" || w.Lanes[0].Text != "5 h" {
		t.Errorf("now %s, marker %s, text %s", w.Now, w.Lanes[0].Markers[0].X, w.Lanes[0].Text)
	}
	if len(w.Ticks) < 2 || len(w.Ticks) > maxTicks+1 {
		t.Errorf("%d ticks", len(w.Ticks))
	}
}

func TestFarDeadlinesDoNotDwarfTheOrder(t *testing.T) {
	o := plainOrder(1, "1", "claim", time.Minute)
	o.Created, o.Promises[0].Start = ago(time.Minute), ago(time.Minute)
	o.Visits[0].Deadline = now.Add(day)
	if sc := scaleOf(testClock(t, "en"), &o); sc.to.After(now.Add(time.Minute)) {
		t.Errorf("the scale of a minute's life reaches %s past now", sc.to.Sub(now))
	}
}

func TestTicksStayOnMidnightThroughClockChanges(t *testing.T) {
	c := testClock(t, "en")
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	c.zone = zone
	from := time.Date(2026, 10, 30, 15, 0, 0, 0, zone) // clocks go back on 1 November
	for _, tick := range ticksOf(c, scale{from, from.Add(5 * day)}) {
		if strings.Contains(tick.Text, ":") {
			t.Errorf("tick %q is not a day", tick.Text)
		}
	}
}

func TestPromiseSaysWhatIsLeft(t *testing.T) {
	c := testClock(t, "en")
	for name, x := range map[string]struct {
		promise sla.Promise
		want    string
	}{
		"running":                  {sla.Promise{Due: now.Add(time.Hour)}, "1 h to spare"},
		"broken":                   {sla.Promise{Due: ago(2 * time.Hour), Verdict: sla.PromiseBreached}, "2 h over"},
		"stopped late, long ago":   {sla.Promise{Due: ago(9 * day), Stop: ago(8 * day), Verdict: sla.PromiseLate}, "1 d over"},
		"paused, so without due":   {sla.Promise{Paused: true}, ""},
		"cancelled before its due": {sla.Promise{Due: now.Add(day), Stop: ago(day), Verdict: sla.PromiseCancelled}, ""},
	} {
		if got := promiseLineOf(c, &x.promise).Left; got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestMostPressingVisitStandsForTheOrder(t *testing.T) {
	o := sla.Order{Visits: []sla.Visit{
		visit("claim", ago(time.Hour), time.Time{}, time.Time{}, sla.VerdictOpen),
		visit("calculation", ago(time.Hour), ago(time.Minute), ago(2*time.Minute), sla.VerdictStuck), // closed
		visit("price-to-crm", ago(time.Hour), time.Time{}, now.Add(time.Hour), sla.VerdictAtRisk),
		visit("approval", ago(time.Hour), time.Time{}, now.Add(time.Minute), sla.VerdictAtRisk),
	}}
	if got := mostPressing(&o); got.Stage != "approval" {
		t.Errorf("got %s", got.Stage)
	}
}

func TestSpansAndAges(t *testing.T) {
	en, ru := testClock(t, "en"), testClock(t, "ru")
	for _, x := range []struct {
		d      time.Duration
		en, ru string
	}{
		{90 * time.Millisecond, "90 ms", "90 мс"}, {59 * time.Second, "59 s", "59 с"}, {61 * time.Second, "1 min 1 s", "1 мин 1 с"}, {time.Hour, "1 h", "1 ч"},
		{26*time.Hour + 59*time.Minute, "1 d 2 h", "1 д 2 ч"}, {12*day + 5*time.Hour, "12 d", "12 д"}, {-time.Minute, "1 min", "1 мин"},
	} {
		if got := en.Span(x.d); got != x.en {
			t.Errorf("%s is %q, want %q", x.d, got, x.en)
		}
		if got := ru.Span(x.d); got != x.ru {
			t.Errorf("%s is %q, want %q", x.d, got, x.ru)
		}
	}
	at := en.At(time.Date(2025, 12, 31, 22, 5, 0, 0, time.UTC))
	if *at != (instant{"2025-12-31T22:05:00Z", "2025-12-31 22:05:00.000 UTC", "1 Jan 01:05", "324 d ago"}) {
		t.Errorf("got %+v", *at)
	}
	if got := en.Age(now.Add(5 * time.Minute)); got != "in 5 min" {
		t.Errorf("got %q", got)
	}
}

func TestManyEventsAreCutToTheLatest(t *testing.T) {
	f := busy()
	for i := range maxEventRows + 7 {
		f.records[1] = append(f.records[1], sla.Record{Seq: int64(9000 + i), Event: order.Event{Kind: order.KindStatus, Time: now.Add(time.Duration(i) * time.Second), System: "mes", Status: "REPEAT"}})
	}
	w := get(t, newServer(t, f), "/orders/1042")
	wantText(t, w, "earlier events are not shown")
	if n := strings.Count(w.Body.String(), "mes/REPEAT"); n != maxEventRows {
		t.Errorf("%d events shown", n)
	}
}

func TestAwkwardKeysAreReachedByTheirLinks(t *testing.T) {
	f := busy()
	values := []string{"..", ".", "a//b", "a/../b", "100%", "a?b#c", "x;y", "a b", "+", "mes:1", "%2F", "a:b", "ключ", `"'<`}
	for i, v := range values {
		o := plainOrder(sla.OrderID(1000+i), v, "claim", time.Hour)
		o.Keys = []order.Key{{Name: "shop", Value: v}}
		f.add(o)
	}
	outer := http.NewServeMux() // as app mounts it
	outer.Handle("/", newServer(t, f))
	server := httptest.NewServer(outer)
	defer server.Close()
	for _, v := range values {
		for _, prefix := range []string{"/orders/", "/api/v1/orders/"} {
			path := keyPath(prefix, order.Key{Name: "shop", Value: v})
			answer, err := http.Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK || answer.Request.URL.EscapedPath() != path {
				t.Errorf("%q: %s at %s", v, answer.Status, answer.Request.URL)
			}
		}
	}
}

func TestSearchThatNamesOneOrderGoesThere(t *testing.T) {
	s := newServer(t, busy())
	w := get(t, s, "/orders?q=M-1042")
	wantStatus(t, w, http.StatusSeeOther)
	if got := w.Header().Get("Location"); got != "/orders/M-1042" {
		t.Errorf("location %q", got)
	}
	for _, query := range []string{"q=104", "q=1042&stage=price-to-crm", "q=777", "q=1042&format=csv"} {
		wantStatus(t, get(t, s, "/orders?"+query), http.StatusOK)
	}
}
