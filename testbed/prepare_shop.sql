-- What the administrator of the shop DB does once, before a sidecar may watch it: publish the
-- watched columns (no personal data) and make a role that may stream and read just these.
-- The default replica identity is enough.
CREATE PUBLICATION orderwatch FOR TABLE
    orders (id, number, channel, status, model_file, polygons, created_at, updated_at),
    crm_orders (id, shop_order_id, mes_order_id, model_file, channel, partner, polygons, status, created_at, updated_at);
CREATE ROLE watcher LOGIN REPLICATION;
GRANT SELECT (id, number, channel, status, model_file, polygons, created_at, updated_at) ON orders TO watcher;
GRANT SELECT (id, shop_order_id, mes_order_id, model_file, channel, partner, polygons, status, created_at, updated_at) ON crm_orders TO watcher;
