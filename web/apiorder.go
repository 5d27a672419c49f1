package web

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// orderDocument is everything known of one order.
type orderDocument struct {
	AsOf     time.Time         `json:"as_of"`
	Keys     map[string]string `json:"keys"`
	Attrs    map[string]string `json:"attributes"`
	State    sla.State         `json:"state"`
	Created  time.Time         `json:"created,omitzero"`
	Updated  time.Time         `json:"updated,omitzero"`
	Ended    time.Time         `json:"ended,omitzero"`
	Promises []promiseItem     `json:"promises"`
	Visits   []visitItem       `json:"visits"`
	Statuses map[string]string `json:"statuses"` // by system
	Counts   countsItem        `json:"counts"`
	Refused  []string          `json:"refused_keys"`
	Links    []linkItem        `json:"links"`
	FlowHash string            `json:"flow_hash,omitempty"`
	Events   []eventItem       `json:"events"`
	Audit    []auditItem       `json:"audit"`
}

type promiseItem struct {
	Name    string             `json:"name"`
	Verdict sla.PromiseVerdict `json:"verdict"`
	Start   time.Time          `json:"start,omitzero"`
	Due     time.Time          `json:"due,omitzero"`
	Stop    time.Time          `json:"stop,omitzero"`
	Paused  bool               `json:"paused"`
}

type visitItem struct {
	Stage       string         `json:"stage"`
	N           int            `json:"n"`
	Entered     time.Time      `json:"entered"`
	Left        time.Time      `json:"left,omitzero"`
	Deadline    time.Time      `json:"deadline,omitzero"`
	Verdict     sla.Verdict    `json:"verdict"`
	Cause       sla.Cause      `json:"cause,omitempty"`
	StuckAt     time.Time      `json:"stuck_at,omitzero"`
	Rework      bool           `json:"rework"`
	Inferred    bool           `json:"inferred"`
	Approximate bool           `json:"approximate"`
	Evidence    []evidenceItem `json:"evidence"`
}

type evidenceItem struct {
	Code   sla.EvidenceCode  `json:"code"`
	Text   string            `json:"text"` // English
	At     time.Time         `json:"at,omitzero"`
	Source string            `json:"source,omitempty"`
	Seq    uint64            `json:"seq,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
}

type countsItem struct {
	Events        int `json:"events"`
	Repeats       int `json:"repeats"`
	Unexpected    int `json:"unexpected"`
	AfterTerminal int `json:"after_terminal"`
	Rework        int `json:"rework"`
	Reopened      int `json:"reopened"`
	Conflicts     int `json:"identity_conflicts"`
}

type eventItem struct {
	JournalSeq    int64             `json:"journal_seq"`
	Kind          string            `json:"kind"` // the wire's EventName
	Time          time.Time         `json:"time"` // as sent
	Observed      time.Time         `json:"observed,omitzero"`
	Received      time.Time         `json:"received,omitzero"`
	OffsetSeconds float64           `json:"clock_offset_seconds"`
	Source        string            `json:"source,omitempty"`
	Epoch         int64             `json:"epoch,omitempty"`
	Seq           uint64            `json:"seq,omitempty"`
	ID            string            `json:"event_id,omitempty"`
	Service       string            `json:"service,omitempty"`
	System        string            `json:"system,omitempty"`
	Status        string            `json:"status,omitempty"`
	Keys          map[string]string `json:"keys"`
	Attrs         map[string]string `json:"attributes"`
	Inferred      bool              `json:"inferred"`
	Message       *messageItem      `json:"message,omitempty"`
}

type messageItem struct {
	Destination string `json:"destination"`
	RoutingKey  string `json:"routing_key"`
	Operation   string `json:"operation,omitempty"`
	ID          string `json:"id,omitempty"`
}

type auditItem struct {
	At     time.Time     `json:"at"`
	Kind   sla.AuditKind `json:"kind"`
	Stage  string        `json:"stage,omitempty"`
	N      int           `json:"n,omitempty"`
	Cause  sla.Cause     `json:"cause,omitempty"`
	Detail string        `json:"detail,omitempty"`
}

func orderDocumentOf(c clock, o *sla.Order, records []sla.Record, audit []sla.AuditEntry) orderDocument {
	doc := orderDocument{
		AsOf: c.now.UTC(), Keys: keyMap(o.Keys), Attrs: attrMap(o.Attrs), State: o.State, Created: o.Created.UTC(), Updated: o.Updated.UTC(), Ended: o.Ended.UTC(),
		Promises: []promiseItem{}, Visits: []visitItem{}, Statuses: map[string]string{}, Counts: countsItem(o.Counts), Refused: []string{}, Links: []linkItem{},
		FlowHash: o.FlowHash, Events: []eventItem{}, Audit: []auditItem{},
	}
	for _, p := range o.Promises {
		doc.Promises = append(doc.Promises, promiseItem{p.Name, p.Verdict, p.Start.UTC(), p.Due.UTC(), p.Stop.UTC(), p.Paused})
	}
	for i := range o.Visits {
		doc.Visits = append(doc.Visits, visitItemOf(c, &o.Visits[i]))
	}
	for _, st := range o.Statuses {
		doc.Statuses[st.System] = st.Name
	}
	for _, k := range o.Refused {
		doc.Refused = append(doc.Refused, k.Name+":"+k.Value)
	}
	for _, l := range sla.Links(records) {
		doc.Links = append(doc.Links, linkItem{l.Record, [2]string{l.Keys.A.Name + ":" + l.Keys.A.Value, l.Keys.B.Name + ":" + l.Keys.B.Value}, l.At.UTC(), l.Source, l.By, l.Note})
	}
	for i := range records {
		doc.Events = append(doc.Events, eventItemOf(&records[i]))
	}
	for _, a := range audit {
		doc.Audit = append(doc.Audit, auditItem{a.At.UTC(), a.Kind, a.Stage, a.N, a.Cause, a.Detail})
	}
	return doc
}

func visitItemOf(c clock, v *sla.Visit) visitItem {
	item := visitItem{
		Stage: v.Stage, N: v.N, Entered: v.Entered.UTC(), Left: v.Left.UTC(), Deadline: v.Deadline.UTC(), Verdict: v.Verdict, Cause: v.Cause,
		StuckAt: v.StuckAt.UTC(), Rework: v.Rework, Inferred: v.Inferred, Approximate: v.Approximate, Evidence: evidenceItems(c, v.Evidence),
	}
	return item
}

func evidenceItems(c clock, evidence []sla.Evidence) []evidenceItem {
	items := []evidenceItem{}
	for _, e := range evidence {
		x := evidenceItem{Code: e.Code, Text: sentence(c, e), Source: e.Source, Seq: e.Seq, Args: e.Args}
		if e.At != 0 {
			x.At = time.Unix(0, e.At).UTC()
		}
		items = append(items, x)
	}
	return items
}

func eventItemOf(r *sla.Record) eventItem {
	e := &r.Event
	item := eventItem{
		JournalSeq: r.Seq, Kind: e.Kind.EventName(), Time: e.Time.UTC(), Observed: e.Observed.UTC(), Received: r.Received.UTC(), OffsetSeconds: r.Offset.Seconds(),
		Source: e.Source, Epoch: e.Epoch, Seq: e.Seq, ID: e.ID, Service: e.Service, System: e.System, Status: e.Status,
		Keys: keyMap(e.Keys), Attrs: attrMap(e.Attrs), Inferred: e.Inferred,
	}
	if e.Kind == order.KindMessage {
		m := messageItem(e.Message)
		item.Message = &m
	}
	return item
}

func keyMap(keys []order.Key) map[string]string {
	out := make(map[string]string, len(keys))
	for _, k := range keys {
		out[k.Name] = k.Value
	}
	return out
}

func attrMap(attrs []order.Attr) map[string]string {
	out := make(map[string]string, len(attrs))
	for _, a := range attrs {
		out[a.Name] = a.Value
	}
	return out
}
