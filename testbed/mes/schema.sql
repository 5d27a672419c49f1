CREATE TABLE work_orders (
    id         bigserial   PRIMARY KEY,
    file_id    text        NOT NULL UNIQUE,
    status     text        NOT NULL,
    polygons   bigint      NOT NULL,
    channel    text        NOT NULL,
    partner    text,
    claimed_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON work_orders (status);
ALTER SEQUENCE work_orders_id_seq RESTART 50001;
