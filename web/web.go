package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// ErrNotFound is what a Reader returns for an order or an incident that does not exist.
var ErrNotFound = errors.New("web: not found")

// ErrCursor is what a Reader returns for a cursor that it did not give.
var ErrCursor = errors.New("web: cursor is not valid")

// Reader is what the pages are made of. It is safe for concurrent use.
type Reader interface {
	// Overview returns the state of the whole flow.
	Overview(ctx context.Context) (sla.Overview, error)
	// Orders lists orders, the longest overdue first, or returns ErrCursor.
	Orders(ctx context.Context, f sla.OrderFilter) (sla.OrderPage, error)
	// Order returns the order with this id, or the survivor it was merged into, or ErrNotFound.
	Order(ctx context.Context, id sla.OrderID) (sla.Order, error)
	// FindKey returns the surviving orders that hold this key value under any name.
	FindKey(ctx context.Context, value string) ([]sla.OrderID, error)
	// Records returns an order's events, in journal order.
	Records(ctx context.Context, id sla.OrderID) ([]sla.Record, error)
	// Audit returns what was said of an order, oldest first.
	Audit(ctx context.Context, id sla.OrderID) ([]sla.AuditEntry, error)
	// Incidents lists incidents, the last opened first, or returns ErrCursor.
	Incidents(ctx context.Context, f sla.IncidentFilter) (sla.IncidentPage, error)
	// Incident returns one incident with the worst of its orders, the longest overdue first, or ErrNotFound.
	Incident(ctx context.Context, id sla.IncidentID) (sla.Incident, error)
	// Handoffs returns the balance of the hand-offs, with the keys of the orders that are named.
	Handoffs(ctx context.Context) (sla.LedgerOverview, error)
}

// Options are what a Server needs.
type Options struct {
	Reader      Reader
	Flow        *order.Flow
	Identity    Identity         // nil: orders cannot be joined and parted here
	Environment string           // shown beside the flow's name; may be empty
	Now         func() time.Time // defaults to time.Now; a replay passes its own clock
	Logger      *slog.Logger     // defaults to slog.Default()
}

// Server answers the pages and the API. App mounts it at the root.
type Server struct {
	reader      Reader
	identity    Identity
	forms       *forms
	flow        *order.Flow
	environment string
	now         func() time.Time
	log         *slog.Logger
	zone        *time.Location
	languages   *languages
	pages       map[string]*template.Template
	assets      map[string]asset
	handler     http.Handler
}

// New returns a Server. It fails where the options are incomplete or an embedded file is broken.
func New(o Options) (*Server, error) {
	if o.Reader == nil || o.Flow == nil {
		return nil, errors.New("new web server: Reader and Flow are required")
	}
	s := &Server{reader: o.Reader, identity: o.Identity, forms: newForms(), flow: o.Flow, environment: o.Environment, now: o.Now, log: o.Logger, zone: o.Flow.Timezone}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	var err error
	if s.languages, err = loadLanguages(); err != nil {
		return nil, fmt.Errorf("new web server: %w", err)
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("new web server: %w", err)
	}
	if s.pages, err = loadPages(); err != nil {
		return nil, fmt.Errorf("new web server: %w", err)
	}
	s.handler = s.secure(s.mux())
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
