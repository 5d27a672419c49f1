package web

import (
	"net/http"
	"strings"
)

// handler answers a request or returns why it cannot; fail turns the error into an answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one address. The API's are also what the OpenAPI document must describe.
type route struct {
	path   string // after "GET " or "POST "
	handle handler
}

const apiPrefix = "/api/v1/"

func (s *Server) pageRoutes() []route {
	return []route{
		{"/{$}", s.overviewPage},
		{"/orders", s.ordersPage},
		{"/orders/{key}", s.orderPage},
		{"/incidents/{id}", s.incidentPage},
		{"/sources", s.sourcesPage},
		{"/static/{name}", s.static},
		{"/", func(http.ResponseWriter, *http.Request) error { return errNoPage }},
	}
}

func (s *Server) apiRoutes() []route {
	return []route{
		{apiPrefix + "flow", s.apiFlow},
		{apiPrefix + "orders", s.apiOrders},
		{apiPrefix + "orders/{key}", s.apiOrder},
		{apiPrefix + "incidents", s.apiIncidents},
		{apiPrefix + "incidents/{id}", s.apiIncident},
		{apiPrefix + "handoffs", s.apiHandoffs},
		{apiPrefix + "sources", s.apiSources},
		{apiPrefix + "openapi.json", s.apiDocument},
	}
}

// formRoutes and apiPostRoutes change something.
func (s *Server) formRoutes() []route {
	if s.identity == nil {
		return nil
	}
	return []route{
		{"/orders/{key}/link", s.linkForm},
		{"/orders/{key}/unlink", s.unlinkForm},
	}
}

func (s *Server) apiPostRoutes() []route {
	if s.identity == nil {
		return nil
	}
	return []route{
		{apiPrefix + "orders/{key}/link", s.apiLink},
		{apiPrefix + "orders/{key}/unlink", s.apiUnlink},
	}
}

func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, list := range [][]route{s.pageRoutes(), s.apiRoutes()} {
		for _, rt := range list {
			mux.HandleFunc("GET "+rt.path, s.answer(rt.handle))
		}
	}
	for _, list := range [][]route{s.formRoutes(), s.apiPostRoutes()} {
		for _, rt := range list {
			mux.HandleFunc("POST "+rt.path, s.answer(s.forms.own(rt.handle)))
		}
	}
	return mux
}

func (s *Server) answer(handle handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// isAPI says whether the answer is for a program.
func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
