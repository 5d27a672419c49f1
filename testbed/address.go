package testbed

import "github.com/alexandrite/orderwatch/testbed/server"

// WatcherRole is the role of the sidecars in both databases, Publication the publication they read.
const (
	WatcherRole = "watcher"
	Publication = "orderwatch"
)

// ShopDSN returns the connection string of the shop DB's owner, which shop and CRM use.
func (c *Company) ShopDSN() string { return c.shopDB.DSNFor("shop", "shop") }

// MESDSN returns the connection string of the MES DB's owner, which the MES uses.
func (c *Company) MESDSN() string { return c.mesDB.DSNFor("mes", "mes") }

// WatchShopDSN returns the sidecar's connection string to the shop DB.
func (c *Company) WatchShopDSN() string { return c.shopDB.DSNFor(WatcherRole, "shop") }

// WatchMESDSN returns the sidecar's connection string to the MES DB.
func (c *Company) WatchMESDSN() string { return c.mesDB.DSNFor(WatcherRole, "mes") }

// RabbitURL returns the broker's AMQP address.
func (c *Company) RabbitURL() string { return c.rabbit.URL() }

// ManagementURL returns the address of the broker's management API; name and password are guest.
func (c *Company) ManagementURL() string { return c.rabbit.ManagementURL() }

// ShopURL returns the shop's address, without a final slash.
func (c *Company) ShopURL() string { return c.shop.URL() }

// MESURL returns the MES's address, without a final slash.
func (c *Company) MESURL() string { return c.mes.URL() }

// ShopDB returns the server of the shop DB, to kill and restart.
func (c *Company) ShopDB() *server.Postgres { return c.shopDB }

// MESDB returns the server of the MES DB, to kill and restart.
func (c *Company) MESDB() *server.Postgres { return c.mesDB }

// Rabbit returns the broker, to kill and restart.
func (c *Company) Rabbit() *server.RabbitMQ { return c.rabbit }
