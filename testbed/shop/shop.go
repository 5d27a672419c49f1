// Package shop is the simulated shop: where a customer begins an order, uploads a model and
// submits it, and which then asks the MES for a price. Shop and MES share no order number; the
// shop names the order to the MES by its model file.
package shop

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/alexandrite/orderwatch/testbed/endpoint"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// Schema creates the shop's tables in an empty database.
//
//go:embed schema.sql
var Schema string

// The statuses a shop gives an order.
const (
	Initiated    = "INITIATED"
	FileUploaded = "FILE_UPLOADED"
	Submitted    = "SUBMITTED"
)

// Options says what the shop works with. All are required.
type Options struct {
	Listen string // host:port
	DSN    string // the shop DB
	MES    string // the MES's URL
	Truth  *truth.Writer
	Log    *slog.Logger
}

// Order is an order as the shop's API tells of it.
type Order struct {
	ID     int64  `json:"id"`
	Number string `json:"number"`
}

// Model is a 3D model as the shop's API takes it.
type Model struct {
	FileID   string `json:"file_id"`
	Polygons int64  `json:"polygons"`
}

type app struct {
	Options
	db   *pgxpool.Pool
	done context.Context //nolint:containedctx // the application's life: work outlives the request that began it
}

// Run is the shop until ctx ends, which is not an error.
func Run(ctx context.Context, opts Options) error {
	db, err := pgxpool.New(ctx, opts.DSN)
	if err != nil {
		return fmt.Errorf("open shop db: %w", err)
	}
	defer db.Close()
	a := &app{Options: opts, db: db, done: ctx}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/orders", a.begin)
	mux.HandleFunc("PUT /api/orders/{number}/model", a.upload)
	mux.HandleFunc("POST /api/orders/{number}/submit", a.submit)
	return endpoint.Serve(ctx, opts.Listen, mux)
}

func (a *app) begin(w http.ResponseWriter, r *http.Request) {
	var o Order
	// The row's truth waits for the model: before that no system knows the order by its file.
	err := a.db.QueryRow(r.Context(), `INSERT INTO orders (id, number, status, customer_email)
		SELECT n, 'AL-' || n, $1, 'customer' || n || '@example.org' FROM nextval('orders_id_seq') n
		RETURNING id, number`, Initiated).Scan(&o.ID, &o.Number)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	endpoint.Answer(w, http.StatusCreated, o)
}

func (a *app) upload(w http.ResponseWriter, r *http.Request) {
	var m Model
	if !endpoint.Read(w, r, &m) {
		return
	}
	var s, begun truth.Status
	err := a.db.QueryRow(r.Context(), `UPDATE orders SET status = $1, model_file = $2, polygons = $3, updated_at = clock_timestamp()
		WHERE number = $4 AND status = $5 RETURNING id, model_file, created_at, updated_at`,
		FileUploaded, m.FileID, m.Polygons, r.PathValue("number"), Initiated).Scan(&s.ID, &s.File, &begun.At, &s.At)
	if !answered(w, err) {
		return
	}
	s.System, s.Status, s.Channel = "shop", FileUploaded, "b2c"
	begun.System, begun.Status, begun.Channel, begun.File, begun.ID = "shop", Initiated, "b2c", s.File, s.ID
	a.record(begun)
	a.record(s)
	w.WriteHeader(http.StatusNoContent)
}

func (a *app) submit(w http.ResponseWriter, r *http.Request) {
	var s truth.Status
	var m Model
	err := a.db.QueryRow(r.Context(), `UPDATE orders SET status = $1, updated_at = clock_timestamp()
		WHERE number = $2 AND status = $3 RETURNING id, model_file, polygons, updated_at`,
		Submitted, r.PathValue("number"), FileUploaded).Scan(&s.ID, &m.FileID, &m.Polygons, &s.At)
	if !answered(w, err) {
		return
	}
	s.System, s.Status, s.Channel, s.File = "shop", Submitted, "b2c", m.FileID
	a.record(s)
	err = pace.Retry(a.done, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return endpoint.Call(ctx, http.MethodPost, a.MES+"/internal/orders", nil, m, nil)
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// answered reports whether the update found its row, and answers the request where it did not.
func answered(w http.ResponseWriter, err error) bool {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		http.Error(w, "no such order in that status", http.StatusConflict)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
	return err == nil
}

func (a *app) record(s truth.Status) {
	if err := a.Truth.Status(s); err != nil {
		a.Log.Error("truth is incomplete", "error", err)
	}
}
