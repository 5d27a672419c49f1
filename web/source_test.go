package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

func TestHealthOfSources(t *testing.T) {
	for name, x := range map[string]struct {
		source sla.SourceState
		want   sourceHealth
	}{
		"nothing proven":                              {sla.SourceState{LastSeen: now}, sourceNever},
		"a recent watermark":                          {sla.SourceState{Watermark: ago(2 * time.Minute)}, sourceFresh},
		"an old watermark":                            {sla.SourceState{Watermark: ago(2*time.Minute + time.Second)}, sourceSilent},
		"an open gap, however recent":                 {sla.SourceState{Watermark: now, Gaps: []order.Gap{{}}}, sourceGap},
		"a clock that is behind, watermark recent":    {sla.SourceState{Watermark: ago(3 * time.Minute), Offset: -2 * time.Minute}, sourceFresh},
		"a clock that is ahead, watermark really old": {sla.SourceState{Watermark: ago(time.Minute), Offset: 2 * time.Minute}, sourceSilent},
	} {
		if got := healthOf(x.source, now); got != x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

func TestSourcesOfTheFlowComeFirstHeardOrNot(t *testing.T) {
	known := knownSources(testFlow(t), []sla.SourceState{{Name: "stranger"}, {Name: "rabbitmq", Through: 7}})
	var names []string
	for _, src := range known {
		names = append(names, src.Name)
	}
	if got := strings.Join(names, " "); got != "shop-db mes-db rabbitmq mes-api stranger" || known[2].Through != 7 {
		t.Errorf("got %s", got)
	}
}

func TestSystemsSaySinceWhen(t *testing.T) {
	o := sla.Order{Statuses: []order.Status{{System: "crm", Name: "SUBMITTED"}, {System: "shop", Name: "SUBMITTED"}}}
	event := func(system string, at time.Time, offset time.Duration) sla.Record {
		return sla.Record{Offset: offset, Event: order.Event{Kind: order.KindStatus, System: system, Status: "SUBMITTED", Time: at}}
	}
	lines := systemLines(testClock(t, "en"), &o, []sla.Record{event("crm", ago(3*time.Hour), time.Hour), event("shop", ago(time.Hour), 0)})
	if lines[0].Since.Age != "4 h ago" || lines[1].Since.Age != "1 h ago" {
		t.Errorf("crm %s, shop %s", lines[0].Since.Age, lines[1].Since.Age)
	}
}

func TestLongCSVLeadsToItsRest(t *testing.T) {
	f := busy()
	for i := range maxCSVRows {
		f.rows = append(f.rows, sla.OrderRow{ID: sla.OrderID(5000 + i), Keys: map[string]string{"shop": "k"}, Channel: "b2c"})
	}
	s := newServer(t, f)
	first := get(t, s, "/api/v1/orders?format=csv&channel=b2c")
	if n := strings.Count(first.Body.String(), "\n"); n != maxCSVRows+1 {
		t.Errorf("%d lines, want %d", n, maxCSVRows+1)
	}
	link := first.Header().Get("Link")
	if !strings.HasPrefix(link, "</api/v1/orders?channel=b2c&cursor=at-") || !strings.HasSuffix(link, `&format=csv>; rel="next"`) {
		t.Fatalf("link %q", link)
	}
	target, _, _ := strings.Cut(link[1:], ">")
	rest := get(t, s, target)
	wantStatus(t, rest, http.StatusOK)
	// Of the 74 orders of the fixture one is of another channel.
	if n := strings.Count(rest.Body.String(), "\n"); n != 1+73 || rest.Header().Get("Link") != "" {
		t.Errorf("%d lines, link %q", n, rest.Header().Get("Link"))
	}
}

func TestTimesThatDoNotApplyAreLeftOut(t *testing.T) {
	s := newServer(t, busy())
	for _, path := range []string{"/", "/orders", "/orders/1042", "/sources", "/api/v1/flow", "/api/v1/orders", "/api/v1/orders/1042", "/api/v1/orders/901", "/api/v1/sources", "/orders?format=csv"} {
		if body := get(t, s, path).Body.String(); strings.Contains(body, "0001-01-0") || strings.Contains(body, " 0001 ") {
			t.Errorf("%s shows the zero time", path)
		}
	}
}
