package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/exportertest"
	"github.com/alexandrite/orderwatch/order"
)

func TestSourceConforms(t *testing.T) {
	exportertest.Conform(t, func(t *testing.T) exportertest.System {
		d := newDatabase(t, schema)
		step := 0
		return exportertest.System{
			Source: func(stateDir string) (exporters.Source, error) {
				return New(Options{Config: d.config(), StateDir: stateDir, RetryMin: time.Millisecond, RetryMax: 20 * time.Millisecond})
			},
			Change: func(n int) (made []string) {
				for range n {
					step++
					id, status := step%7, fmt.Sprintf("S%d", step)
					d.exec(`INSERT INTO orders (id, status) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET status = excluded.status`, id, status)
					made = append(made, fmt.Sprintf("%d %s", id, status))
				}
				return made
			},
			Name: func(e order.Event) string {
				if e.Kind != order.KindStatus {
					return ""
				}
				id, _ := e.Key("shop")
				return id + " " + e.Status
			},
			Disconnect: func() {
				d.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'orderwatch%'`, d.name)
			},
		}
	})
}
