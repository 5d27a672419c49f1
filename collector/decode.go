package collector

import (
	"fmt"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/alexandrite/orderwatch/order"
)

// decode turns every log record into an event, or says why it is none. Entries are in the order
// of the records; of a bad one the position is kept where it can be read.
func decode(logs plog.Logs) []entry {
	entries := make([]entry, 0, logs.LogRecordCount())
	var size plog.ProtoMarshaler
	for _, rl := range logs.ResourceLogs().All() {
		var res decoder
		res.resource(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				d := res
				d.record(lr)
				if n := size.LogRecordSize(lr); n > order.MaxEventBytes {
					d.err = fmt.Errorf("%w: %d bytes, at most %d", order.ReasonTooLarge, n, order.MaxEventBytes)
				}
				entries = append(entries, entry(d))
			}
		}
	}
	return entries
}

// decoder fills an event and keeps the first thing that is wrong with it.
type decoder struct {
	event order.Event
	err   error
}

func (d *decoder) resource(attrs pcommon.Map) {
	for name, v := range attrs.All() {
		switch name {
		case order.AttrServiceName:
			d.text(name, v, &d.event.Service)
		case order.AttrEnvironment:
			d.text(name, v, &d.event.Environment)
		}
	}
}

func (d *decoder) record(lr plog.LogRecord) {
	e := &d.event
	e.Kind = order.KindOf(lr.EventName())
	if e.Kind == 0 {
		d.fail(fmt.Errorf("%w: event name %.60q", order.ReasonUnknownKind, lr.EventName()))
	}
	e.Time = instant(lr.Timestamp())
	e.Observed = instant(lr.ObservedTimestamp())
	for name, v := range lr.Attributes().All() {
		d.attribute(name, v)
	}
}

// attribute reads one attribute; those of other conventions are none of our business.
func (d *decoder) attribute(name string, v pcommon.Value) {
	e := &d.event
	switch name {
	case order.AttrSource:
		d.text(name, v, &e.Source)
	case order.AttrEpoch:
		e.Epoch = d.number(name, v, 0)
	case order.AttrSeq:
		e.Seq = uint64(d.number(name, v, 1))
	case order.AttrEventID:
		d.text(name, v, &e.ID)
	case order.AttrSystem:
		d.text(name, v, &e.System)
	case order.AttrStatus:
		d.text(name, v, &e.Status)
	case order.AttrInferred:
		d.truth(name, v, &e.Inferred)
	case order.AttrDestination:
		d.text(name, v, &e.Message.Destination)
	case order.AttrRoutingKey:
		d.text(name, v, &e.Message.RoutingKey)
	case order.AttrOperation:
		d.text(name, v, &e.Message.Operation)
	case order.AttrMessageID:
		d.text(name, v, &e.Message.ID)
	case order.AttrThrough:
		e.Watermark.Through = uint64(d.number(name, v, 0))
	case order.AttrClockOffset:
		e.Watermark.ClockOffset = time.Duration(d.number(name, v, math.MinInt64))
	case order.AttrApproximate:
		d.truth(name, v, &e.Watermark.Approximate)
	case order.AttrGapFrom:
		e.Gap.From = time.Unix(0, d.number(name, v, 0)).UTC()
	case order.AttrGapTo:
		e.Gap.To = time.Unix(0, d.number(name, v, 0)).UTC()
	case order.AttrGapReason:
		d.text(name, v, &e.Gap.Reason)
	case order.AttrGapRepaired:
		d.truth(name, v, &e.Gap.Repaired)
	default:
		d.prefixed(name, v)
	}
}

func (d *decoder) prefixed(name string, v pcommon.Value) {
	e := &d.event
	if key, ok := strings.CutPrefix(name, order.PrefixKey); ok {
		k := order.Key{Name: key}
		d.text(name, v, &k.Value)
		e.Keys = append(e.Keys, k)
		return
	}
	if attr, ok := strings.CutPrefix(name, order.PrefixAttr); ok {
		switch v.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
			e.Attrs = append(e.Attrs, order.Attr{Name: attr, Value: v.AsString()})
		default:
			d.wrong(name, v, "a string, an int, a double or a bool")
		}
		return
	}
	if queue, ok := strings.CutPrefix(name, order.PrefixDepth); ok {
		d.queue(queue).Messages = d.number(name, v, 0)
		return
	}
	if queue, ok := strings.CutPrefix(name, order.PrefixConsumers); ok {
		d.queue(queue).Consumers = d.number(name, v, 0)
	}
}

func (d *decoder) queue(name string) *order.QueueDepth {
	list := &d.event.Watermark.Queues
	for i := range *list {
		if (*list)[i].Queue == name {
			return &(*list)[i]
		}
	}
	*list = append(*list, order.QueueDepth{Queue: name})
	return &(*list)[len(*list)-1]
}

func (d *decoder) text(name string, v pcommon.Value, to *string) {
	if v.Type() != pcommon.ValueTypeStr {
		d.wrong(name, v, "a string")
		return
	}
	*to = v.Str()
}

func (d *decoder) truth(name string, v pcommon.Value, to *bool) {
	if v.Type() != pcommon.ValueTypeBool {
		d.wrong(name, v, "a bool")
		return
	}
	*to = v.Bool()
}

// number returns an int of at least least, or fails and returns 0.
func (d *decoder) number(name string, v pcommon.Value, least int64) int64 {
	switch {
	case v.Type() != pcommon.ValueTypeInt:
		d.wrong(name, v, "an int")
	case v.Int() < least:
		d.fail(fmt.Errorf("%w: %.60q is %d, at least %d", ReasonBadAttribute, name, v.Int(), least))
	default:
		return v.Int()
	}
	return 0
}

func (d *decoder) wrong(name string, v pcommon.Value, want string) {
	d.fail(fmt.Errorf("%w: %.60q is %s, want %s", ReasonBadAttribute, name, strings.ToLower(v.Type().String()), want))
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// instant keeps 0 apart as "not given", which is not 1970.
func instant(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}
