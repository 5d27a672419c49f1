package web

import (
	"cmp"
	"net/http"
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

// incidentItem is one incident in a list.
type incidentItem struct {
	ID          sla.IncidentID    `json:"id"`
	State       sla.IncidentState `json:"state"`
	Severity    sla.Severity      `json:"severity"`
	Stage       string            `json:"stage,omitempty"`
	Cause       sla.Cause         `json:"cause,omitempty"`
	Channel     string            `json:"channel,omitempty"`
	Partner     string            `json:"partner,omitempty"`
	Preexisting bool              `json:"preexisting"`
	Opened      time.Time         `json:"opened,omitzero"`
	Emptied     time.Time         `json:"emptied,omitzero"`
	Closed      time.Time         `json:"closed,omitzero"`
	Orders      int               `json:"orders"`
	Peak        int               `json:"peak"`
	Total       int               `json:"total"`
	Retracted   int               `json:"retracted"`
	Reopened    int               `json:"reopened"`
	Worst       time.Time         `json:"worst_deadline,omitzero"`
}

// incidentDocument is one incident with its evidence and the worst of its orders.
type incidentDocument struct {
	AsOf time.Time `json:"as_of"`
	incidentItem
	Evidence []evidenceItem `json:"evidence"` // of the first order
	Members  []memberItem   `json:"members"`
}

type memberItem struct {
	Keys      map[string]string `json:"keys"`
	Stage     string            `json:"stage"`
	Visit     int               `json:"visit"`
	Deadline  time.Time         `json:"deadline,omitzero"`
	Cause     sla.Cause         `json:"cause,omitempty"`
	Joined    time.Time         `json:"joined,omitzero"`
	Left      time.Time         `json:"left,omitzero"`
	Retracted bool              `json:"retracted"`
}

var incidentFields = []string{"state", "cursor", "limit"}

func (s *Server) apiIncidents(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if err := onlyFields(q, incidentFields); err != nil {
		return err
	}
	limit, err := readLimit(q.Get("limit"))
	states := []string{string(sla.IncidentOpen), string(sla.IncidentClosed)}
	if err = cmp.Or(oneOf("state", q, states), err); err != nil {
		return err
	}
	page, err := s.reader.Incidents(r.Context(), sla.IncidentFilter{State: sla.IncidentState(q.Get("state")), Cursor: q.Get("cursor"), Limit: limit})
	if err != nil {
		return err
	}
	doc := listDocument[incidentItem]{AsOf: s.now().UTC(), Items: make([]incidentItem, len(page.Items)), NextCursor: page.Next}
	for n := range page.Items {
		doc.Items[n] = incidentItemOf(&page.Items[n])
	}
	return writeJSON(w, http.StatusOK, jsonType, doc)
}

func (s *Server) apiIncident(w http.ResponseWriter, r *http.Request) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	c := clock{locale: s.languages.all[0], zone: time.UTC, now: s.now()}
	doc := incidentDocument{AsOf: s.now().UTC(), incidentItem: incidentItemOf(&i), Evidence: evidenceItems(c, i.Evidence), Members: []memberItem{}}
	for n := range i.Members {
		m := &i.Members[n]
		doc.Members = append(doc.Members, memberItem{Keys: keyMap(m.Keys), Stage: m.Stage, Visit: m.N, Deadline: m.Deadline.UTC(), Cause: m.Cause,
			Joined: m.Joined.UTC(), Left: m.Left.UTC(), Retracted: m.Retracted})
	}
	return writeJSON(w, http.StatusOK, jsonType, doc)
}

func incidentItemOf(i *sla.Incident) incidentItem {
	return incidentItem{
		ID: i.ID, State: i.State(), Severity: i.Severity, Stage: i.Stage, Cause: i.Cause, Channel: i.Channel, Partner: i.Partner, Preexisting: i.Preexisting,
		Opened: i.Opened.UTC(), Emptied: i.Emptied.UTC(), Closed: i.Closed.UTC(), Orders: i.Orders, Peak: i.Peak, Total: i.Total,
		Retracted: i.Retracted, Reopened: i.Reopened, Worst: i.Worst.UTC(),
	}
}
