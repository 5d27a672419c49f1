package exportertest

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/alexandrite/orderwatch/order"
)

// Decode returns the events that OTLP logs carry.
func Decode(logs plog.Logs) []order.Event {
	var out []order.Event
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, r := range scope.LogRecords().All() {
				e := decode(r)
				e.Service = text(resource.Resource().Attributes(), order.AttrServiceName)
				e.Environment = text(resource.Resource().Attributes(), order.AttrEnvironment)
				out = append(out, e)
			}
		}
	}
	return out
}

func decode(r plog.LogRecord) order.Event {
	a := r.Attributes()
	e := order.Event{
		Kind: order.KindOf(r.EventName()), Time: r.Timestamp().AsTime(), Observed: r.ObservedTimestamp().AsTime(),
		Position: order.Position{Source: text(a, order.AttrSource), Epoch: number(a, order.AttrEpoch), Seq: uint64(number(a, order.AttrSeq))},
		System:   text(a, order.AttrSystem), Status: text(a, order.AttrStatus), Inferred: flag(a, order.AttrInferred),
		Message: order.Message{Destination: text(a, order.AttrDestination), RoutingKey: text(a, order.AttrRoutingKey),
			Operation: text(a, order.AttrOperation), ID: text(a, order.AttrMessageID)},
		Watermark: order.Watermark{Through: uint64(number(a, order.AttrThrough)),
			ClockOffset: time.Duration(number(a, order.AttrClockOffset)), Approximate: flag(a, order.AttrApproximate)},
	}
	if e.Kind == order.KindGap {
		e.Gap = order.Gap{From: time.Unix(0, number(a, order.AttrGapFrom)).UTC(), To: time.Unix(0, number(a, order.AttrGapTo)).UTC(),
			Reason: text(a, order.AttrGapReason), Repaired: flag(a, order.AttrGapRepaired)}
	}
	for name, value := range a.All() {
		if key, ok := strings.CutPrefix(name, order.PrefixKey); ok {
			e.Keys = append(e.Keys, order.Key{Name: key, Value: value.AsString()})
		}
		if attr, ok := strings.CutPrefix(name, order.PrefixAttr); ok {
			e.Attrs = append(e.Attrs, order.Attr{Name: attr, Value: value.AsString()})
		}
		if queue, ok := strings.CutPrefix(name, order.PrefixDepth); ok {
			e.Watermark.Queues = append(e.Watermark.Queues, order.QueueDepth{Queue: queue, Messages: value.Int(),
				Consumers: number(a, order.PrefixConsumers+queue)})
		}
	}
	return e
}

func text(a pcommon.Map, name string) string {
	v, ok := a.Get(name)
	if !ok {
		return ""
	}
	return v.AsString()
}

func number(a pcommon.Map, name string) int64 {
	v, ok := a.Get(name)
	if !ok {
		return 0
	}
	return v.Int()
}

func flag(a pcommon.Map, name string) bool {
	v, ok := a.Get(name)
	return ok && v.Bool()
}
