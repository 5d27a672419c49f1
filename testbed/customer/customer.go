// Package customer is the simulated customers: people who order in the shop and partners who order
// at the MES's API. Its functions are safe for concurrent use.
package customer

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/testbed/endpoint"
	"github.com/alexandrite/orderwatch/testbed/mes"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/shop"
)

// Order is what a customer wants.
type Order struct {
	FileID   string // names the model in every system
	Polygons int64
	Partner  string // "" for a customer of the shop
}

// Market is where the customers order and how fast they think.
type Market struct {
	Shop string // URL
	MES  string // URL
	Pace *pace.Pace
}

// Place places one order and returns once it is submitted.
func (m Market) Place(ctx context.Context, o Order) error {
	model := shop.Model{FileID: o.FileID, Polygons: o.Polygons}
	if o.Partner != "" {
		token := http.Header{mes.TokenHeader: []string{mes.Token(o.Partner)}}
		return endpoint.Call(ctx, http.MethodPost, m.MES+"/api/v1/orders", token, model, nil)
	}
	var begun shop.Order
	if err := endpoint.Call(ctx, http.MethodPost, m.Shop+"/api/orders", nil, struct{}{}, &begun); err != nil {
		return err
	}
	address := m.Shop + "/api/orders/" + begun.Number
	if err := m.think(ctx); err != nil {
		return err
	}
	if err := endpoint.Call(ctx, http.MethodPut, address+"/model", nil, model, nil); err != nil {
		return err
	}
	if err := m.think(ctx); err != nil {
		return err
	}
	return endpoint.Call(ctx, http.MethodPost, address+"/submit", nil, struct{}{}, nil)
}

func (m Market) think(ctx context.Context) error {
	return pace.Wait(ctx, m.Pace.Lognormal(20*time.Minute, 0.7, 3*time.Hour))
}

// Crowd says who comes.
type Crowd struct {
	Seed     uint64
	Orders   int      // 0: without end
	Rate     float64  // orders a second of the real clock, on average
	B2BShare float64  // 0 to 1
	Partners []string // the first orders most, after Zipf's law
}

// atOnce bounds the customers who are ordering at the same time.
const atOnce = 64

// Run sends the crowd to the market until all have ordered or ctx ends, which is no error. A
// customer whose order fails goes away; that is logged.
func (c Crowd) Run(ctx context.Context, m Market, log *slog.Logger) error {
	if !(c.Rate > 0) || c.B2BShare < 0 || c.B2BShare > 1 || (c.B2BShare > 0 && len(c.Partners) == 0) {
		return fmt.Errorf("send customers: rate %v, b2b share %v of %d partners: the rate must be above 0, the share 0 to 1 and of somebody",
			c.Rate, c.B2BShare, len(c.Partners))
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	random := rand.New(rand.NewPCG(c.Seed, 0))
	for n := 0; c.Orders == 0 || n < c.Orders; n++ {
		order := c.draw(random, n)
		gap := time.Duration(random.ExpFloat64() / c.Rate * float64(time.Second))
		if pace.Wait(ctx, gap) != nil {
			break
		}
		group.Go(func() error {
			if err := m.Place(ctx, order); err != nil && ctx.Err() == nil {
				log.Warn("customer went away", "error", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// draw is the n-th order: lognormal polygons around the MES's median model.
func (c Crowd) draw(random *rand.Rand, n int) Order {
	o := Order{
		FileID:   fmt.Sprintf("model-%08x-%06d", random.Uint32(), n),
		Polygons: max(100, int64(50_000*math.Exp(1.2*random.NormFloat64()))),
	}
	share, pick := random.Float64(), random.Float64()
	if share >= c.B2BShare {
		return o
	}
	total := 0.0
	for rank := range c.Partners {
		total += 1 / float64(rank+1)
	}
	for rank, partner := range c.Partners {
		o.Partner = partner
		if pick -= 1 / float64(rank+1) / total; pick < 0 {
			break
		}
	}
	return o
}
