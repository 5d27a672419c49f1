package web

import (
	"net/http"
	"strings"
)

// handler answers a request or returns why it cannot; fail turns the error into an answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one address. The API's are also what the OpenAPI document must describe.
type route struct {
	path   string // after "GET "
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

func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, list := range [][]route{s.pageRoutes(), s.apiRoutes()} {
		for _, rt := range list {
			mux.HandleFunc("GET "+rt.path, func(w http.ResponseWriter, r *http.Request) {
				if err := rt.handle(w, r); err != nil {
					s.fail(w, r, err)
				}
			})
		}
	}
	return mux
}

// isAPI says whether the answer is for a program.
func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
