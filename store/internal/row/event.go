package row

import (
	"database/sql"
	"reflect"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// EventColumns are the columns of events, as Event writes and ScanEvent reads them.
const EventColumns = "seq, order_id, received, time, observed, offset_ns, kind, source, epoch, source_seq, event_id, " +
	"service, environment, system, status, inferred, keys, attrs, detail, link"

// detail is what only some kinds of event have.
type detail struct {
	Message   *order.Message   `json:"message,omitempty"`
	Watermark *order.Watermark `json:"watermark,omitempty"`
	Gap       *order.Gap       `json:"gap,omitempty"`
}

// Event appends a record's columns.
func Event(values []any, n *Names, r *sla.Record) []any {
	e := &r.Event
	return append(values, r.Seq, int64(r.Order), Nanos(r.Received), Nanos(e.Time), Nanos(e.Observed), int64(r.Offset),
		int64(e.Kind), n.Intern(e.Source), e.Epoch, int64(e.Seq), textOrNull(e.ID),
		n.Intern(e.Service), n.Intern(e.Environment), n.Intern(e.System), n.Intern(e.Status), e.Inferred,
		Pairs(e.Keys), Pairs(e.Attrs), detailOf(e), linkOf(&r.Link))
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func detailOf(e *order.Event) any {
	var d detail
	if e.Message != (order.Message{}) {
		d.Message = &e.Message
	}
	if !reflect.ValueOf(e.Watermark).IsZero() {
		d.Watermark = &e.Watermark
	}
	if e.Gap != (order.Gap{}) {
		d.Gap = &e.Gap
	}
	if d == (detail{}) {
		return nil
	}
	return asJSON(d)
}

func linkOf(l *sla.Link) any {
	if len(l.Absorbed) == 0 && len(l.Refused) == 0 && l.Correction == nil {
		return nil
	}
	return asJSON(l)
}

// Moved returns the columns order_id and link of a record, and its seq.
func Moved(r *sla.Record) (id int64, link any, seq int64) {
	return int64(r.Order), linkOf(&r.Link), r.Seq
}

// ScanEvent reads a record.
func ScanEvent(s Scanner, n *Names) (sla.Record, error) {
	var (
		r                                            sla.Record
		received, at, observed                       sql.NullInt64
		kind, sourceSeq                              int64
		source, service, environment, system, status int64
		id, keys, attrs, details, link               sql.NullString
		e                                            = &r.Event
		offset                                       int64
	)
	err := s.Scan(&r.Seq, &r.Order, &received, &at, &observed, &offset, &kind, &source, &e.Epoch, &sourceSeq, &id,
		&service, &environment, &system, &status, &e.Inferred, &keys, &attrs, &details, &link)
	if err != nil {
		return r, err
	}
	r.Received, e.Time, e.Observed = Time(received), Time(at), Time(observed)
	r.Offset, e.Kind, e.Seq, e.ID = time.Duration(offset), order.Kind(kind), uint64(sourceSeq), id.String
	if e.Keys, err = ScanPairs[order.Key](keys); err != nil {
		return r, err
	}
	if e.Attrs, err = ScanPairs[order.Attr](attrs); err != nil {
		return r, err
	}
	if err := fromJSON(link, &r.Link); err != nil {
		return r, err
	}
	if err := scanDetail(details, e); err != nil {
		return r, err
	}
	return r, n.Resolve(NamePair{source, &e.Source}, NamePair{service, &e.Service}, NamePair{environment, &e.Environment},
		NamePair{system, &e.System}, NamePair{status, &e.Status})
}

func scanDetail(text sql.NullString, e *order.Event) error {
	if !text.Valid {
		return nil
	}
	return fromJSON(text, &detail{Message: &e.Message, Watermark: &e.Watermark, Gap: &e.Gap})
}
