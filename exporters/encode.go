package exporters

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/alexandrite/orderwatch/order"
)

// encodeEvents returns the events as OTLP logs protobuf, without resource: the sender adds it.
func encodeEvents(events []order.Event) ([]byte, error) {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(len(events))
	for i := range events {
		encodeEvent(&events[i], records.AppendEmpty())
	}
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return nil, fmt.Errorf("encode events: %w", err)
	}
	return data, nil
}

// decodeRecords calls each with every log record that encodeEvents wrote.
func decodeRecords(data []byte, each func(plog.LogRecord) error) error {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	if err != nil {
		return fmt.Errorf("decode events: %w", err)
	}
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if err := each(record); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func encodeEvent(e *order.Event, r plog.LogRecord) {
	r.SetEventName(e.Kind.EventName())
	r.SetTimestamp(timestamp(e.Time))
	r.SetObservedTimestamp(timestamp(e.Observed))
	a := r.Attributes()
	a.EnsureCapacity(6 + len(e.Keys) + len(e.Attrs))
	a.PutStr(order.AttrSource, e.Source)
	a.PutInt(order.AttrEpoch, e.Epoch)
	a.PutInt(order.AttrSeq, int64(e.Seq))
	putText(a, order.AttrEventID, e.ID)
	putText(a, order.AttrSystem, e.System)
	putText(a, order.AttrStatus, e.Status)
	for _, k := range e.Keys {
		a.PutStr(order.PrefixKey+k.Name, k.Value)
	}
	for _, x := range e.Attrs {
		a.PutStr(order.PrefixAttr+x.Name, x.Value)
	}
	putTrue(a, order.AttrInferred, e.Inferred)
	switch e.Kind {
	case order.KindMessage:
		encodeMessage(&e.Message, a)
	case order.KindWatermark:
		encodeWatermark(&e.Watermark, a)
	case order.KindGap:
		encodeGap(&e.Gap, a)
	}
}

func encodeMessage(m *order.Message, a pcommon.Map) {
	putText(a, order.AttrDestination, m.Destination)
	putText(a, order.AttrRoutingKey, m.RoutingKey)
	putText(a, order.AttrOperation, m.Operation)
	putText(a, order.AttrMessageID, m.ID)
}

func encodeWatermark(w *order.Watermark, a pcommon.Map) {
	a.PutInt(order.AttrThrough, int64(w.Through))
	a.PutInt(order.AttrClockOffset, int64(w.ClockOffset))
	putTrue(a, order.AttrApproximate, w.Approximate)
	for _, q := range w.Queues {
		a.PutInt(order.PrefixDepth+q.Queue, q.Messages)
		a.PutInt(order.PrefixConsumers+q.Queue, q.Consumers)
	}
}

func encodeGap(g *order.Gap, a pcommon.Map) {
	a.PutInt(order.AttrGapFrom, unixNano(g.From))
	a.PutInt(order.AttrGapTo, unixNano(g.To))
	a.PutStr(order.AttrGapReason, g.Reason)
	a.PutBool(order.AttrGapRepaired, g.Repaired)
}

func putText(a pcommon.Map, name, value string) {
	if value != "" {
		a.PutStr(name, value)
	}
}

func putTrue(a pcommon.Map, name string, value bool) {
	if value {
		a.PutBool(name, true)
	}
}

func timestamp(t time.Time) pcommon.Timestamp { return pcommon.Timestamp(unixNano(t)) }

// unixNano is 0 for the zero time, whose UnixNano is not defined.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
