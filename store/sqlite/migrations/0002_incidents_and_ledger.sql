-- When the first batch was committed: what was overdue by then nobody watched.
ALTER TABLE progress ADD COLUMN since INTEGER;
UPDATE progress SET since = (SELECT received FROM events ORDER BY seq LIMIT 1);

-- Stuck orders by what the flow groups them by; a column it does not group by is empty.
CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY, -- in order of opening, never given twice
    stage       INTEGER NOT NULL,    -- name
    cause       INTEGER NOT NULL,    -- name
    channel     TEXT NOT NULL,
    partner     TEXT NOT NULL,
    preexisting INTEGER NOT NULL,    -- overdue before the watch began
    severity    INTEGER NOT NULL,    -- name
    opened      INTEGER,
    emptied     INTEGER,             -- NULL: there are orders in it
    closed      INTEGER,             -- NULL: open
    orders      INTEGER NOT NULL,    -- now
    peak        INTEGER NOT NULL,    -- the most at once
    total       INTEGER NOT NULL,    -- ever
    retracted   INTEGER NOT NULL,    -- left it because the verdict was wrong
    reopened    INTEGER NOT NULL,
    worst       INTEGER,             -- deadline of the order longest overdue
    evidence    TEXT                 -- JSON array: of the first order
) STRICT;
CREATE INDEX incidents_open ON incidents (id) WHERE closed IS NULL;

CREATE TABLE incident_orders (
    incident  INTEGER NOT NULL,
    order_id  INTEGER NOT NULL,
    stage     INTEGER NOT NULL, -- name
    n         INTEGER NOT NULL, -- of the visit
    deadline  INTEGER,
    cause     INTEGER NOT NULL, -- name
    joined    INTEGER,
    left_at   INTEGER,          -- NULL: stuck
    retracted INTEGER NOT NULL,
    PRIMARY KEY (incident, order_id, stage, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_orders_worst ON incident_orders (incident, deadline, order_id) WHERE left_at IS NULL;

-- Hand-offs whose exchange the flow names, each with what became of it. Grouped by handoff and minute they balance.
CREATE TABLE ledger (
    order_id      INTEGER NOT NULL,
    handoff       INTEGER NOT NULL, -- name of the stage
    n             INTEGER NOT NULL, -- of the visit
    minute        INTEGER,          -- of publishing, or of the sender's commit where no message was seen
    state         INTEGER NOT NULL, -- name: arrived, dead_lettered, pending, lost, ended, waiting, unpublished, unrecorded
    entered       INTEGER,
    deadline      INTEGER,
    published     INTEGER,          -- NULL: no message was seen
    copies        INTEGER NOT NULL,
    dead_lettered INTEGER,
    left_at       INTEGER,
    ended         INTEGER NOT NULL,
    stuck         INTEGER NOT NULL,
    PRIMARY KEY (order_id, handoff, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_minute ON ledger (minute, handoff);
CREATE INDEX ledger_unsettled ON ledger (handoff) WHERE left_at IS NULL;
