package web

import (
	"maps"
	"net/http"
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

const jsonType = "application/json"

// listDocument is how every list of the API is written.
type listDocument[T any] struct {
	AsOf       time.Time `json:"as_of"`
	Items      []T       `json:"items"`
	NextCursor string    `json:"next_cursor"`
}

func (s *Server) apiFlow(w http.ResponseWriter, r *http.Request) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	o, err := s.reader.Overview(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, jsonType, flowDocumentOf(s.flow, o))
}

func (s *Server) apiOrders(w http.ResponseWriter, r *http.Request) error {
	filter, err := orderFilter(r.URL.Query(), s.flow)
	if err != nil {
		return err
	}
	f, err := formatOf(r, formatJSON)
	if err != nil {
		return err
	}
	if f == formatCSV {
		return s.ordersCSV(w, r, filter)
	}
	page, err := s.reader.Orders(r.Context(), filter)
	if err != nil {
		return err
	}
	doc := listDocument[orderItem]{AsOf: s.now().UTC(), Items: make([]orderItem, len(page.Items)), NextCursor: page.Next}
	for i, row := range page.Items {
		doc.Items[i] = orderItemOf(row)
	}
	return writeJSON(w, http.StatusOK, jsonType, doc)
}

func (s *Server) apiOrder(w http.ResponseWriter, r *http.Request) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	o, err := s.resolve(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	records, err := s.reader.Records(r.Context(), o.ID)
	if err != nil {
		return err
	}
	audit, err := s.reader.Audit(r.Context(), o.ID)
	if err != nil {
		return err
	}
	c := clock{locale: s.languages.all[0], zone: time.UTC, now: s.now()}
	return writeJSON(w, http.StatusOK, jsonType, orderDocumentOf(c, &o, records, audit))
}

func (s *Server) apiSources(w http.ResponseWriter, r *http.Request) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	o, err := s.reader.Overview(r.Context())
	if err != nil {
		return err
	}
	now := s.now()
	doc := listDocument[sourceItem]{AsOf: o.AsOf.UTC(), Items: []sourceItem{}}
	for _, st := range knownSources(s.flow, o.Sources) {
		doc.Items = append(doc.Items, sourceItemOf(st, now))
	}
	return writeJSON(w, http.StatusOK, jsonType, doc)
}

// apiDocument answers with the OpenAPI document, which a test holds to the handlers.
func (s *Server) apiDocument(w http.ResponseWriter, _ *http.Request) error {
	content, err := files.ReadFile("openapi.json")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	_, err = w.Write(content)
	return err
}

// orderItem is one order in a list.
type orderItem struct {
	Keys     map[string]string `json:"keys"`
	State    sla.State         `json:"state"`
	Channel  string            `json:"channel,omitempty"`
	Partner  string            `json:"partner,omitempty"`
	Stage    string            `json:"stage,omitempty"`
	Entered  time.Time         `json:"entered,omitzero"`
	Deadline time.Time         `json:"deadline,omitzero"`
	Verdict  sla.Verdict       `json:"verdict,omitempty"`
	Cause    sla.Cause         `json:"cause,omitempty"`
	Created  time.Time         `json:"created,omitzero"`
	Updated  time.Time         `json:"updated,omitzero"`
}

func orderItemOf(row sla.OrderRow) orderItem {
	return orderItem{
		Keys: maps.Collect(maps.All(row.Keys)), State: row.State, Channel: row.Channel, Partner: row.Partner, Stage: row.Stage, Entered: row.Entered.UTC(),
		Deadline: row.Deadline.UTC(), Verdict: row.Verdict, Cause: row.Cause, Created: row.Created.UTC(), Updated: row.Updated.UTC(),
	}
}
