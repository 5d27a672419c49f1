package mes

import (
	"errors"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/testbed/endpoint"
)

// TokenHeader carries a partner's token on an order at the partner API.
const TokenHeader = "X-Partner-Token"

// Token returns a partner's token. The simulated company keeps no secrets.
func Token(partner string) string { return "token-of-" + partner }

// entry is the body of an order.
type entry struct {
	FileID   string `json:"file_id"`
	Polygons int64  `json:"polygons"`
}

type receipt struct {
	ID int64 `json:"id"`
}

func (a *app) shopOrder(w http.ResponseWriter, r *http.Request) { a.take(w, r, "b2c", "") }

func (a *app) partnerOrder(w http.ResponseWriter, r *http.Request) {
	for _, partner := range a.Partners {
		if r.Header.Get(TokenHeader) == Token(partner) {
			a.take(w, r, "b2b", partner)
			return
		}
	}
	http.Error(w, "unknown partner token", http.StatusUnauthorized)
}

// take files an order for calculation. An order that comes again is the same order.
func (a *app) take(w http.ResponseWriter, r *http.Request, channel, partner string) {
	var e entry
	if !endpoint.Read(w, r, &e) {
		return
	}
	if e.FileID == "" || e.Polygons <= 0 {
		http.Error(w, "file_id and polygons are required", http.StatusBadRequest)
		return
	}
	o := workOrder{file: e.FileID, polygons: e.Polygons, channel: channel, partner: partner}
	err := a.db.QueryRow(r.Context(), `INSERT INTO work_orders (file_id, status, polygons, channel, partner, updated_at)
		VALUES ($1, $2, $3, $4, NULLIF($5, ''), clock_timestamp()) ON CONFLICT (file_id) DO NOTHING RETURNING id, updated_at`,
		o.file, Submitted, o.polygons, o.channel, o.partner).Scan(&o.id, &o.at)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		err = a.db.QueryRow(r.Context(), `SELECT id FROM work_orders WHERE file_id = $1`, o.file).Scan(&o.id)
	case err == nil:
		a.record(o, Submitted)
		a.wakeCalculator()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	endpoint.Answer(w, http.StatusAccepted, receipt{ID: o.id})
}

func (a *app) beginFault(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Fault string `json:"fault"`
	}
	if !endpoint.Read(w, r, &body) {
		return
	}
	if err := a.faults.choose(r.PathValue("file"), body.Fault); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *app) endFault(w http.ResponseWriter, r *http.Request) {
	a.faults.end(r.PathValue("file"))
	w.WriteHeader(http.StatusNoContent)
}
