package row

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// CheckBatch refuses a batch that does not continue a journal that stands at this sequence, or
// whose text a database cannot hold.
func CheckBatch(b *sla.Batch, journal int64) error {
	for i := range b.Records {
		if want := journal + 1 + int64(i); b.Records[i].Seq != want {
			return fmt.Errorf("%w: record %d has sequence %d where the journal expects %d", store.ErrOutOfStep, i, b.Records[i].Seq, want)
		}
		if text, ok := badText(&b.Records[i].Event); ok {
			return fmt.Errorf("%w: %.100q of source %.100q", store.ErrText, text, b.Records[i].Event.Source)
		}
	}
	for i := range b.Records {
		if c := b.Records[i].Link.Correction; c != nil && (!storable(c.By) || !storable(c.Note)) {
			return fmt.Errorf("%w: what %.100q noted", store.ErrText, c.By)
		}
	}
	for i := range b.Moved {
		if r := &b.Moved[i]; r.Seq < 1 || r.Seq > journal || r.Order < 1 {
			return fmt.Errorf("%w: record %d is to move to order %d, and the journal stands at %d", store.ErrOutOfStep, r.Seq, r.Order, journal)
		}
	}
	for _, k := range b.Keys {
		if !indexable(k.Key.Name) || !indexable(k.Key.Value) {
			return fmt.Errorf("%w: key %.100q", store.ErrText, k.Key)
		}
	}
	return nil
}

func badText(e *order.Event) (string, bool) {
	for _, text := range [...]string{e.Source, e.ID, e.Service, e.Environment, e.System, e.Status} {
		if !indexable(text) {
			return text, true
		}
	}
	for _, text := range [...]string{e.Gap.Reason, e.Message.Destination, e.Message.RoutingKey, e.Message.Operation, e.Message.ID} {
		if !storable(text) {
			return text, true
		}
	}
	for _, k := range e.Keys {
		if !indexable(k.Name) || !indexable(k.Value) {
			return k.Name + " " + k.Value, true
		}
	}
	for _, a := range e.Attrs {
		if !storable(a.Name) || !storable(a.Value) {
			return a.Name + " " + a.Value, true
		}
	}
	return "", false
}

func storable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

func indexable(text string) bool { return len(text) <= order.MaxTextBytes && storable(text) }

// HighestOrder returns the highest order id that a batch names.
func HighestOrder(b *sla.Batch) sla.OrderID {
	var highest sla.OrderID
	for i := range b.Records {
		highest = max(highest, b.Records[i].Order)
	}
	for _, k := range b.Keys {
		highest = max(highest, k.Order)
	}
	for i := range b.Moved {
		highest = max(highest, b.Moved[i].Order)
	}
	for _, m := range b.Merges {
		highest = max(highest, m.From, m.Into)
	}
	return highest
}

// SourceColumns are the columns of sources, as Sources writes them.
const SourceColumns = "name, watermark, last_seen, offset_ns, gaps_total, duplicates, rejected, state"

// sourceRow appends a source's columns. The state is whole in one of them; the others are for SQL.
func sourceRow(values []any, n *Names, s *sla.SourceState) []any {
	return append(values, n.Intern(s.Name), Nanos(s.Watermark), Nanos(s.LastSeen), int64(s.Offset),
		int64(s.GapsTotal), int64(s.Duplicates), int64(s.Rejected), asJSON(s))
}

// ScanSource reads the state column.
func ScanSource(s Scanner) (sla.SourceState, error) {
	var state sla.SourceState
	var text []byte
	if err := s.Scan(&text); err != nil {
		return state, err
	}
	return state, json.Unmarshal(text, &state)
}

// KeyColumns are the columns of order_keys, as Keys writes them.
const KeyColumns = "name, value, order_id"

// Keys returns the columns of the batch's keys, the last of equal ones only: one statement cannot
// write a row twice.
func Keys(n *Names, list []sla.KeyOwner) []any {
	last := make(map[order.Key]int, len(list))
	for i, k := range list {
		last[k.Key] = i
	}
	values := make([]any, 0, 3*len(last))
	for i, k := range list {
		if last[k.Key] == i && k.Order != 0 {
			values = append(values, n.Intern(k.Key.Name), k.Key.Value, int64(k.Order))
		}
	}
	return values
}

// Dropped returns the names and values of keys that no order holds any more.
func Dropped(n *Names, list []sla.KeyOwner) (names []int64, values []string) {
	for _, k := range list {
		if k.Order == 0 {
			names, values = append(names, n.Intern(k.Key.Name)), append(values, k.Key.Value)
		}
	}
	return names, values
}

// Sources returns the columns of the batch's sources, the last of equal ones only.
func Sources(n *Names, list []sla.SourceState) []any {
	last := make(map[string]int, len(list))
	for i := range list {
		last[list[i].Name] = i
	}
	var values []any
	for i := range list {
		if last[list[i].Name] == i {
			values = sourceRow(values, n, &list[i])
		}
	}
	return values
}
