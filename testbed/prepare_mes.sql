-- What the administrator of the MES DB does once, before a sidecar may watch it.
CREATE PUBLICATION orderwatch FOR TABLE
    work_orders (id, file_id, status, polygons, channel, partner, claimed_by, created_at, updated_at);
CREATE ROLE watcher LOGIN REPLICATION;
GRANT SELECT (id, file_id, status, polygons, channel, partner, claimed_by, created_at, updated_at) ON work_orders TO watcher;
