package simulation

import (
	"fmt"
	"math"
	"strconv"

	"github.com/alexandrite/orderwatch/order"
)

// The channels through which orders come.
const (
	channelShop    = "b2c"
	channelPartner = "b2b"
)

// item is one order on its way.
type item struct {
	shop, mes, file string
	channel         string
	partner         string
	polygons        int
	quick           bool         // ordered for the watchers: minutes instead of weeks
	fault           Kind         // what is going to go wrong with it; "" for nothing
	state           order.Status // the last

	shopKeys, mesKeys []order.Key
	attributes        []order.Attr
}

// newItem draws an order.
func (s *Simulation) newItem(channel string, quick bool) *item {
	o := &item{channel: channel, quick: quick, file: fmt.Sprintf("%016x", s.random.Uint64())}
	o.polygons = max(100, int(medianPolygons*math.Exp(1.2*s.random.NormFloat64())))
	if channel == channelPartner {
		o.partner = partners[s.zipf(len(partners))]
	}
	o.fault = s.drawFault(o)
	return o
}

// keys are the names by which a system knows the order: its own number and, once there is one, the
// model's file. The CRM has no numbers of its own.
func (o *item) keys(system string) []order.Key {
	if system == "mes" || o.shop == "" {
		return o.mesKeys
	}
	return o.shopKeys
}

// numberShop gives the order its number in the shop.
func (s *Simulation) numberShop(o *item) {
	s.orders++
	o.shop = strconv.Itoa(1000 + s.orders)
	o.shopKeys = []order.Key{{Name: "shop", Value: o.shop}}
	o.attributes = []order.Attr{{Name: "channel", Value: o.channel}}
}

// attachModel lets the shop know the model.
func (o *item) attachModel() {
	o.shopKeys = []order.Key{{Name: "shop", Value: o.shop}, {Name: "file", Value: o.file}}
	o.describe()
}

// numberMES gives the order its number in the MES.
func (s *Simulation) numberMES(o *item) {
	s.workOrders++
	o.mes = strconv.Itoa(50000 + s.workOrders)
	o.mesKeys = []order.Key{{Name: "mes", Value: o.mes}, {Name: "file", Value: o.file}}
	o.describe()
}

func (o *item) describe() {
	o.attributes = []order.Attr{{Name: "channel", Value: o.channel}, {Name: "polygons", Value: strconv.Itoa(o.polygons)}}
	if o.partner != "" {
		o.attributes = append(o.attributes, order.Attr{Name: "partner", Value: o.partner})
	}
}
