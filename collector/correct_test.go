package collector

import (
	"errors"
	"testing"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

var shopKey, mesKey = order.Key{Name: "shop", Value: "1"}, order.Key{Name: "mes", Value: "7"}

// shopEvent is of the shop's stream; with the MES's key if both.
func shopEvent(seq uint64, both bool) order.Event {
	e := statusEvent(seq, "7")
	e.Source, e.System, e.Keys = "shop-db", "shop", []order.Key{shopKey}
	if both {
		e.Keys = append(e.Keys, mesKey)
	}
	return e
}

func commit(t *testing.T, h *harness, events ...order.Event) {
	t.Helper()
	outcomes, err := h.Commit(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if o.Result != Accepted {
			t.Fatalf("%+v", o)
		}
	}
}

func TestAPersonJoinsAndPartsOrders(t *testing.T) {
	m := newMemory()
	h := start(t, m, nil)
	commit(t, h, shopEvent(1, false), statusEvent(1, "7"))
	seq, err := h.Link(t.Context(), sla.Linking{A: shopKey, B: mesKey, By: "Anna", Note: "same file"})
	if err != nil || seq != 3 || m.owner[mesKey] != 1 {
		t.Fatalf("%d %v, owners %v", seq, err, m.owner)
	}
	seq, err = h.Unlink(t.Context(), sla.Unlinking{Of: mesKey, Record: 3, By: "Boris"})
	if err != nil || seq != 5 || m.owner[mesKey] != 2 || m.owner[shopKey] != 1 {
		t.Fatalf("%d %v, owners %v", seq, err, m.owner)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	if got := h.handedOn(); len(got) != 5 || got[3].Event.Kind != order.KindUnlink || got[3].Link.Correction.Undone != 3 {
		t.Errorf("handed on %+v", got)
	}

	// What was kept apart stays so after a restart, until somebody links it again.
	h = start(t, m, nil)
	commit(t, h, shopEvent(2, true))
	if r := m.stored()[5]; r.Order != 1 || len(r.Link.Refused) != 1 || r.Link.Refused[0] != mesKey {
		t.Errorf("%+v", r)
	}
	if _, err := h.Link(t.Context(), sla.Linking{A: mesKey, B: shopKey, By: "Anna"}); err != nil {
		t.Error(err)
	}
	commit(t, h, shopEvent(3, true))
	if r := m.stored()[7]; r.Order != 1 || len(r.Link.Refused) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestARefusedCorrectionChangesNothing(t *testing.T) {
	h := start(t, newMemory(), nil)
	commit(t, h, shopEvent(1, false))
	var refusal *sla.Refusal
	if _, err := h.Link(t.Context(), sla.Linking{A: shopKey, B: mesKey, By: "Anna"}); !errors.As(err, &refusal) || refusal.Code != sla.RefusedKey || errors.Is(err, ErrUnavailable) {
		t.Errorf("link: %v", err)
	}
	if _, err := h.Unlink(t.Context(), sla.Unlinking{Of: mesKey, Record: 1, By: "Anna"}); !errors.As(err, &refusal) || refusal.Code != sla.RefusedKey {
		t.Errorf("unlink of an unknown order: %v", err)
	}
	if _, err := h.Unlink(t.Context(), sla.Unlinking{Of: shopKey, Record: 1, By: "Anna"}); !errors.As(err, &refusal) || refusal.Code != sla.RefusedLink {
		t.Errorf("unlink of no link: %v", err)
	}
	commit(t, h, statusEvent(1, "7"))
	if n := len(h.journal.stored()); n != 2 {
		t.Errorf("%d records", n)
	}
}

func TestACorrectionWhoseAnswerWasLostIsKnownOfAfterwards(t *testing.T) {
	m := newMemory()
	h := start(t, m, nil)
	commit(t, h, shopEvent(1, true))
	m.mu.Lock()
	m.loseAnswer = 1
	m.mu.Unlock()
	x := sla.Unlinking{Of: mesKey, Record: 1, By: "Anna"}
	if _, err := h.Unlink(t.Context(), x); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	commit(t, h, shopEvent(2, true)) // settles what became of it
	if r := m.stored(); len(r) != 3 || r[1].Event.Kind != order.KindUnlink || len(r[2].Link.Refused) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestASenderCannotSayWhatOnlyPeopleMay(t *testing.T) {
	h := start(t, newMemory(), nil)
	for want, change := range map[order.Reason]func(*order.Event){
		order.ReasonUnknownKind:    func(e *order.Event) { e.Kind = order.KindLink },
		order.ReasonReservedSource: func(e *order.Event) { e.Source = order.SourceSelf },
	} {
		e := shopEvent(1, true)
		change(&e)
		outcomes, err := h.Commit(t.Context(), []order.Event{e})
		if err != nil || outcomes[0].Reason != want {
			t.Errorf("%s: %+v %v", want, outcomes, err)
		}
	}
}
