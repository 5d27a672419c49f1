package order_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func status() order.Event {
	return order.Event{
		Kind: order.KindStatus, Time: noon, Environment: "prod", System: "mes", Status: "SHIPPED",
		Position: order.Position{Source: "mes-db", Epoch: 7, Seq: 3},
		Keys:     []order.Key{{Name: "mes", Value: "1042"}},
	}
}

func watermark() order.Event {
	return order.Event{
		Kind: order.KindWatermark, Time: noon, Environment: "prod",
		Position: order.Position{Source: "mes-db", Epoch: 7, Seq: 3}, Watermark: order.Watermark{Through: 2},
	}
}

func gap() order.Event {
	e := watermark()
	e.Kind, e.Watermark, e.Gap = order.KindGap, order.Watermark{}, order.Gap{From: noon, To: noon}
	return e
}

func TestAnEventIsAcceptedOrRejectedWithItsReason(t *testing.T) {
	tests := map[string]struct {
		event  order.Event
		change func(*order.Event)
		want   order.Reason
	}{
		"a status":                                {event: status()},
		"a watermark":                             {event: watermark()},
		"a watermark that counts itself":          {watermark(), func(e *order.Event) { e.Watermark.Through = 3 }, ""},
		"a watermark of an empty stream":          {watermark(), func(e *order.Event) { e.Seq, e.Watermark.Through = 1, 0 }, ""},
		"a gap of no length":                      {event: gap()},
		"an id instead of a sequence":             {status(), func(e *order.Event) { e.Seq, e.ID = 0, "a1" }, ""},
		"two keys":                                {status(), func(e *order.Event) { e.Keys = append(e.Keys, order.Key{Name: "file", Value: "f.stl"}) }, ""},
		"an attribute of two lines":               {status(), func(e *order.Event) { e.Attrs = []order.Attr{{Name: "note", Value: "a\nb"}} }, ""},
		"a key with letters of any script":        {status(), func(e *order.Event) { e.Keys[0].Value = "Заказ №\u00a07" }, ""},
		"a message without a status":              {status(), func(e *order.Event) { e.Kind, e.System, e.Status = order.KindMessage, "", "" }, ""},
		"no kind":                                 {status(), func(e *order.Event) { e.Kind = 0 }, order.ReasonUnknownKind},
		"a kind past the last":                    {status(), func(e *order.Event) { e.Kind = order.KindUnlink + 1 }, order.ReasonUnknownKind},
		"a link, which only a person can say":     {status(), func(e *order.Event) { e.Kind = order.KindLink }, order.ReasonUnknownKind},
		"an unlink, which only a person can say":  {status(), func(e *order.Event) { e.Kind = order.KindUnlink }, order.ReasonUnknownKind},
		"orderwatch's own name as the source":     {status(), func(e *order.Event) { e.Source = order.SourceSelf }, order.ReasonReservedSource},
		"another environment":                     {status(), func(e *order.Event) { e.Environment = "dev" }, order.ReasonWrongEnvironment},
		"no environment":                          {status(), func(e *order.Event) { e.Environment = "" }, order.ReasonWrongEnvironment},
		"no system":                               {status(), func(e *order.Event) { e.System = "" }, order.ReasonNoStatus},
		"no status":                               {status(), func(e *order.Event) { e.Status = "" }, order.ReasonNoStatus},
		"a job without a state":                   {status(), func(e *order.Event) { e.Kind, e.Status = order.KindJob, "" }, order.ReasonNoStatus},
		"no key":                                  {status(), func(e *order.Event) { e.Keys = nil }, order.ReasonNoKey},
		"a message without a key":                 {status(), func(e *order.Event) { e.Kind, e.Keys = order.KindMessage, nil }, order.ReasonNoKey},
		"a key without value":                     {status(), func(e *order.Event) { e.Keys[0].Value = "" }, order.ReasonBadKey},
		"a key without name":                      {status(), func(e *order.Event) { e.Keys[0].Name = "" }, order.ReasonBadKey},
		"a key with two values":                   {status(), func(e *order.Event) { e.Keys = append(e.Keys, order.Key{Name: "mes", Value: "2"}) }, order.ReasonBadKey},
		"no source":                               {status(), func(e *order.Event) { e.Source = "" }, order.ReasonNoSequence},
		"neither sequence nor id":                 {status(), func(e *order.Event) { e.Seq = 0 }, order.ReasonNoSequence},
		"an epoch before all":                     {status(), func(e *order.Event) { e.Epoch = -1 }, order.ReasonNoSequence},
		"a watermark with an id alone":            {watermark(), func(e *order.Event) { e.Seq, e.ID, e.Watermark.Through = 0, "a1", 0 }, order.ReasonNoSequence},
		"no time":                                 {status(), func(e *order.Event) { e.Time = time.Time{} }, order.ReasonBadTime},
		"the time of a zero attribute":            {status(), func(e *order.Event) { e.Time = time.Unix(0, 0) }, order.ReasonBadTime},
		"a time that nanoseconds do not hold":     {status(), func(e *order.Event) { e.Time = noon.AddDate(300, 0, 0) }, order.ReasonBadTime},
		"an observed time before 1970":            {status(), func(e *order.Event) { e.Observed = noon.AddDate(-100, 0, 0) }, order.ReasonBadTime},
		"a watermark for what comes after it":     {watermark(), func(e *order.Event) { e.Watermark.Through = 4 }, order.ReasonBadWatermark},
		"a gap that ends before it starts":        {gap(), func(e *order.Event) { e.Gap.To = noon.Add(-1) }, order.ReasonBadGap},
		"a key of broken UTF-8":                   {status(), func(e *order.Event) { e.Keys[0].Value = "\xff" }, order.ReasonBadEncoding},
		"a status with a control character":       {status(), func(e *order.Event) { e.Status = "A\x00" }, order.ReasonBadEncoding},
		"a key with an invisible character":       {status(), func(e *order.Event) { e.Keys[0].Value = "10\u200b42" }, order.ReasonBadEncoding},
		"an attribute of broken UTF-8":            {status(), func(e *order.Event) { e.Attrs = []order.Attr{{Name: "a", Value: "\xff"}} }, order.ReasonBadEncoding},
		"an attribute with a zero byte":           {status(), func(e *order.Event) { e.Attrs = []order.Attr{{Name: "a", Value: "\x00"}} }, order.ReasonBadEncoding},
		"a queue of broken UTF-8":                 {watermark(), func(e *order.Event) { e.Watermark.Queues = []order.QueueDepth{{Queue: "\xff"}} }, order.ReasonBadEncoding},
		"a key of 201 bytes":                      {status(), func(e *order.Event) { e.Keys[0].Value = strings.Repeat("x", 201) }, order.ReasonTooLarge},
		"an attribute of 1025 bytes":              {status(), func(e *order.Event) { e.Attrs = []order.Attr{{Name: "a", Value: strings.Repeat("x", 1025)}} }, order.ReasonTooLarge},
		"more keys than an order can have":        {status(), func(e *order.Event) { e.Keys = make([]order.Key, 1000) }, order.ReasonTooLarge},
		"a routing key longer than AMQP allows":   {status(), func(e *order.Event) { e.Message.RoutingKey = strings.Repeat("x", 256) }, order.ReasonTooLarge},
		"a gap with a reason of a thousand words": {gap(), func(e *order.Event) { e.Gap.Reason = strings.Repeat("word ", 1000) }, order.ReasonTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.event)
			}
			err := test.event.Validate("prod")
			if got := order.ReasonOf(err); got != test.want || (err == nil) != (test.want == "") {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

func TestWithoutAnEnvironmentEveryEnvironmentIsRight(t *testing.T) {
	e := status()
	if err := e.Validate(""); err != nil {
		t.Error(err)
	}
}

func TestAKeyOfAnotherFlowIsUnknown(t *testing.T) {
	f := exampleFlow(t)
	e := status()
	if err := f.CheckKeys(&e); err != nil {
		t.Errorf("declared key: %v", err)
	}
	e.Keys = append(e.Keys, order.Key{Name: "invoice", Value: "7"})
	if got := order.ReasonOf(f.CheckKeys(&e)); got != order.ReasonUnknownKey {
		t.Errorf("got %q, want %q", got, order.ReasonUnknownKey)
	}
}
