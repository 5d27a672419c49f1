-- The CRM shares the shop's database. A shop order's row begins when its price arrives; a partner's
-- order is in no table of the shop and has the MES's number instead.
CREATE TABLE crm_orders (
    id            bigserial   PRIMARY KEY,
    shop_order_id bigint      UNIQUE REFERENCES orders (id),
    mes_order_id  bigint      UNIQUE,
    model_file    text        NOT NULL UNIQUE,
    channel       text        NOT NULL,
    partner       text,
    polygons      bigint,
    status        text        NOT NULL,
    seller        text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON crm_orders (status);
