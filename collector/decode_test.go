package collector

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/alexandrite/orderwatch/order"
)

func TestDecodeReadsEveryAttribute(t *testing.T) {
	req := encode(statusEvent(3, "7"))
	a := req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	a.PutStr(order.AttrEventID, "id-1")
	a.PutBool(order.AttrInferred, true)
	a.PutStr(order.PrefixAttr+"channel", "b2b")
	a.PutInt(order.PrefixAttr+"polygons", 120000)
	a.PutDouble(order.PrefixAttr+"weight", 2.5)
	a.PutBool(order.PrefixAttr+"gift", true)
	a.PutStr(order.AttrDestination, "mes.events")
	a.PutStr(order.AttrRoutingKey, "price.calculated")
	a.PutStr(order.AttrOperation, "send")
	a.PutStr(order.AttrMessageID, "m-1")
	a.PutInt(order.AttrThrough, 2)
	a.PutInt(order.AttrClockOffset, -5)
	a.PutBool(order.AttrApproximate, true)
	a.PutInt(order.PrefixDepth+"crm.prices", 12)
	a.PutInt(order.PrefixConsumers+"crm.prices", 1)
	a.PutInt(order.AttrGapFrom, 1)
	a.PutInt(order.AttrGapTo, 2)
	a.PutStr(order.AttrGapReason, "slot lost")
	a.PutBool(order.AttrGapRepaired, true)
	a.PutEmptyMap("somebody.elses")
	want := statusEvent(3, "7")
	want.ID, want.Inferred = "id-1", true
	want.Attrs = []order.Attr{{Name: "channel", Value: "b2b"}, {Name: "polygons", Value: "120000"}, {Name: "weight", Value: "2.5"}, {Name: "gift", Value: "true"}}
	want.Message = order.Message{Destination: "mes.events", RoutingKey: "price.calculated", Operation: "send", ID: "m-1"}
	want.Watermark = order.Watermark{Through: 2, ClockOffset: -5, Approximate: true, Queues: []order.QueueDepth{{Queue: "crm.prices", Messages: 12, Consumers: 1}}}
	want.Gap = order.Gap{From: time.Unix(0, 1).UTC(), To: time.Unix(0, 2).UTC(), Reason: "slot lost", Repaired: true}
	got := decode(req.Logs())
	if len(got) != 1 || got[0].err != nil || !reflect.DeepEqual(got[0].event, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(pcommon.Map)
		want   []string
	}{
		"text where a number belongs": {func(a pcommon.Map) { a.PutStr(order.AttrEpoch, "1") }, []string{order.AttrEpoch, "str", "an int"}},
		"a negative sequence":         {func(a pcommon.Map) { a.PutInt(order.AttrSeq, -1) }, []string{order.AttrSeq, "-1"}},
		"a number where text belongs": {func(a pcommon.Map) { a.PutInt(order.PrefixKey+"mes", 7) }, []string{order.PrefixKey + "mes", "a string"}},
		"text where a bool belongs":   {func(a pcommon.Map) { a.PutStr(order.AttrInferred, "yes") }, []string{order.AttrInferred, "a bool"}},
		"a list as an attribute":      {func(a pcommon.Map) { a.PutEmptySlice(order.PrefixAttr + "channel") }, []string{order.PrefixAttr + "channel", "slice"}},
		"a negative depth":            {func(a pcommon.Map) { a.PutInt(order.PrefixDepth+"q", -1) }, []string{order.PrefixDepth + "q"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := encode(statusEvent(3, "7"))
			c.change(req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes())
			got := decode(req.Logs())[0]
			if order.ReasonOf(got.err) != ReasonBadAttribute {
				t.Fatalf("got %v", got.err)
			}
			for _, want := range c.want {
				if !strings.Contains(got.err.Error(), want) {
					t.Errorf("no %q in %q", want, got.err)
				}
			}
			if got.event.Source != "mes-db" {
				t.Errorf("the position is lost: %+v", got.event.Position)
			}
		})
	}
}

func TestDecodeOfAnUnknownEventKeepsItsPosition(t *testing.T) {
	req := encode(statusEvent(3, "7"))
	req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetEventName("order.\xff")
	got := decode(req.Logs())[0]
	if order.ReasonOf(got.err) != order.ReasonUnknownKind || got.event.Seq != 3 {
		t.Errorf("%v %+v", got.err, got.event.Position)
	}
}

// nestedProto is a request with a body of lists in lists. Built from the inside out, backwards.
func nestedProto(levels int) []byte {
	var backwards []byte
	wrap := func(tag byte) {
		head := binary.AppendUvarint([]byte{tag}, uint64(len(backwards)))
		slices.Reverse(head)
		backwards = append(backwards, head...)
	}
	for range levels {
		wrap(0x0a) // ArrayValue.values
		wrap(0x2a) // AnyValue.array_value
	}
	wrap(0x2a) // LogRecord.body
	wrap(0x12) // ScopeLogs.log_records
	wrap(0x12) // ResourceLogs.scope_logs
	wrap(0x0a) // resource_logs
	slices.Reverse(backwards)
	return backwards
}

func TestDepth(t *testing.T) {
	if err := protoDepth(nestedProto(20)); err != nil {
		t.Errorf("20 levels: %v", err)
	}
	for _, levels := range []int{40, 200_000} {
		if err := protoDepth(nestedProto(levels)); err != errTooDeep {
			t.Errorf("%d levels: %v", levels, err)
		}
	}
	for text, want := range map[string]error{
		strings.Repeat("[", 64):                 nil,
		strings.Repeat("[", 65):                 errTooDeep,
		strings.Repeat("[]", 100):               nil,
		`"` + strings.Repeat("[", 100) + `"`:    nil,
		`"\"` + strings.Repeat("[", 100) + `"`:  nil,
		`"\\"` + strings.Repeat("{", 100) + `"`: errTooDeep,
	} {
		if err := jsonDepth([]byte(text)); err != want {
			t.Errorf("%.20s…: %v", text, err)
		}
	}
}

// Whatever comes, an answer is found for each record and none that is accepted breaks a rule.
func FuzzDecode(f *testing.F) {
	for _, req := range []plogotlp.ExportRequest{encode(statusEvent(1, "7"), watermark(2, 1)), plogotlp.NewExportRequest()} {
		body, err := req.MarshalProto()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
		if body, err = req.MarshalJSON(); err != nil {
			f.Fatal(err)
		}
		f.Add(body, true)
	}
	f.Add(nestedProto(100), false)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		req := plogotlp.NewExportRequest()
		guard, unmarshal := protoDepth, req.UnmarshalProto
		if isJSON {
			guard, unmarshal = jsonDepth, req.UnmarshalJSON
		}
		if guard(body) != nil || unmarshal(body) != nil {
			return
		}
		entries := decode(req.Logs())
		if len(entries) != req.Logs().LogRecordCount() {
			t.Fatalf("%d entries of %d records", len(entries), req.Logs().LogRecordCount())
		}
		for _, e := range entries {
			if e.err != nil && order.ReasonOf(e.err) == "" {
				t.Fatalf("refused without a reason: %v", e.err)
			}
			if e.err == nil && e.event.Validate("") == nil && int64(e.event.Seq) < 0 {
				t.Fatalf("accepted sequence %d", e.event.Seq)
			}
		}
	})
}
