package collector

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/order"
)

// The example in docs/events.md is sent as it stands.
func TestTheDocumentedExampleWorks(t *testing.T) {
	page := string(must(os.ReadFile("../docs/events.md"))(t))
	_, rest, ok := strings.Cut(page, "-d '\n")
	body, _, closed := strings.Cut(rest, "'\n```")
	if !ok || !closed {
		t.Fatal("no example found")
	}
	s := serve(t, newMemory(), nil)
	if code, answer := s.post(t, typeJSON, []byte(body), false); code != http.StatusOK || string(answer) != "{}" {
		t.Fatalf("%d %s", code, answer)
	}
	r := s.journal.stored()
	if len(r) != 1 || r[0].Event.ID != "8f14e45f-ceea" || r[0].Event.Keys[0] != (order.Key{Name: "mes", Value: "1042"}) {
		t.Errorf("%+v", r)
	}
}

// Every reason that an answer can give is explained.
func TestEveryReasonIsDocumented(t *testing.T) {
	page := string(must(os.ReadFile("../docs/events.md"))(t))
	for _, reason := range []order.Reason{
		order.ReasonUnknownKind, order.ReasonWrongEnvironment, order.ReasonNoStatus, order.ReasonNoKey, order.ReasonBadKey,
		order.ReasonNoSequence, order.ReasonReservedSource, order.ReasonBadTime, order.ReasonBadWatermark, order.ReasonBadGap, order.ReasonBadEncoding,
		order.ReasonTooLarge, order.ReasonUnknownKey, order.ReasonFromTheFuture, ReasonStaleEpoch, ReasonBadAttribute,
	} {
		if !strings.Contains(page, "`"+string(reason)+"`") {
			t.Errorf("%s is not in docs/events.md", reason)
		}
	}
}
