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

-- Hand-offs whose exchange the flow names, each with what became of it. Grouped by handoff and minute they balance.
CREATE TABLE ledger (
    order_id      bigint NOT NULL,
    handoff       integer NOT NULL, -- name of the stage
    n             bigint NOT NULL,  -- of the visit
    minute        bigint,           -- of publishing, or of the sender's commit where no message was seen
    state         integer NOT NULL, -- name: arrived, dead_lettered, pending, lost, ended, waiting, unpublished, unrecorded
    entered       bigint,
    deadline      bigint,
    published     bigint,           -- NULL: no message was seen
    copies        bigint NOT NULL,
    dead_lettered bigint,
    left_at       bigint,
    ended         boolean NOT NULL,
    stuck         boolean NOT NULL,
    PRIMARY KEY (order_id, handoff, n)
);
CREATE INDEX ledger_minute ON ledger (minute, handoff);
CREATE INDEX ledger_unsettled ON ledger (handoff) WHERE left_at IS NULL;
