-- When the first batch was committed: what was overdue by then nobody watched.
ALTER TABLE progress ADD COLUMN since bigint;
UPDATE progress SET since = (SELECT received FROM events ORDER BY seq LIMIT 1);

-- Stuck orders by what the flow groups them by; a column it does not group by is empty.
CREATE TABLE incidents (
    id          bigint PRIMARY KEY, -- in order of opening, never given twice
    stage       integer NOT NULL,   -- name
    cause       integer NOT NULL,   -- name
    channel     text NOT NULL,
    partner     text NOT NULL,
    preexisting boolean NOT NULL,   -- overdue before the watch began
    severity    integer NOT NULL,   -- name
    opened      bigint,
    emptied     bigint,             -- NULL: there are orders in it
    closed      bigint,             -- NULL: open
    orders      bigint NOT NULL,    -- now
    peak        bigint NOT NULL,    -- the most at once
    total       bigint NOT NULL,    -- ever
    retracted   bigint NOT NULL,    -- left it because the verdict was wrong
    reopened    bigint NOT NULL,
    worst       bigint,             -- deadline of the order longest overdue
    evidence    json                -- JSON array: of the first order
);
CREATE INDEX incidents_open ON incidents (id) WHERE closed IS NULL;

CREATE TABLE incident_orders (
    incident  bigint NOT NULL,
    order_id  bigint NOT NULL,
    stage     integer NOT NULL, -- name
    n         bigint NOT NULL,  -- of the visit
    deadline  bigint,
    cause     integer NOT NULL, -- name
    joined    bigint,
    left_at   bigint,           -- NULL: stuck
    retracted boolean NOT NULL,
    PRIMARY KEY (incident, order_id, stage, n)
);
CREATE INDEX incident_orders_worst ON incident_orders (incident, deadline, order_id) WHERE left_at IS NULL;
