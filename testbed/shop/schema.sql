CREATE TABLE orders (
    id             bigserial   PRIMARY KEY,
    number         text        NOT NULL UNIQUE,
    channel        text        NOT NULL DEFAULT 'b2c',
    status         text        NOT NULL,
    customer_email text        NOT NULL,
    model_file     text        UNIQUE,
    polygons       bigint,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON orders (status);
ALTER SEQUENCE orders_id_seq RESTART 1001;
