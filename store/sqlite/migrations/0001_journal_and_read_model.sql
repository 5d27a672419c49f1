-- Instants are Unix nanoseconds in UTC, NULL where there is none. Columns that say "name" hold a
-- number of names; 0 is the empty text.

CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- One row: where the journal and the read model stand.
CREATE TABLE progress (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    journal    INTEGER NOT NULL,
    applied    INTEGER NOT NULL,
    last_order INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES (1, 0, 0, 0);

-- The journal.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL, -- as resolved at commit; 0: about no order
    received    INTEGER,
    time        INTEGER,          -- by the source's clock, never rewritten
    observed    INTEGER,
    offset_ns   INTEGER NOT NULL, -- corrected time is time - offset_ns
    kind        INTEGER NOT NULL, -- 1 status, 2 message, 3 job, 4 watermark, 5 gap
    source      INTEGER NOT NULL, -- name
    epoch       INTEGER NOT NULL,
    source_seq  INTEGER NOT NULL, -- 0: a sender without sequence
    event_id    TEXT,
    service     INTEGER NOT NULL, -- name
    environment INTEGER NOT NULL, -- name
    system      INTEGER NOT NULL, -- name
    status      INTEGER NOT NULL, -- name
    inferred    INTEGER NOT NULL,
    keys        TEXT,             -- JSON object
    attrs       TEXT,             -- JSON object
    detail      TEXT,             -- JSON object: message, watermark, gap
    link        TEXT              -- JSON object: what the event did to identities
) STRICT;
CREATE INDEX events_order ON events (order_id, seq);
CREATE UNIQUE INDEX events_id ON events (source, event_id) WHERE event_id IS NOT NULL AND source_seq = 0;

-- Which surviving order a key belongs to.
CREATE TABLE order_keys (
    name     INTEGER NOT NULL,
    value    TEXT NOT NULL,
    order_id INTEGER NOT NULL,
    PRIMARY KEY (name, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_keys_value ON order_keys (value, order_id);
CREATE INDEX order_keys_order ON order_keys (order_id);

-- Absorbed orders; into_id is always a survivor.
CREATE TABLE merges (
    order_id INTEGER PRIMARY KEY,
    into_id  INTEGER NOT NULL
) STRICT;
CREATE INDEX merges_into ON merges (into_id);

CREATE TABLE sources (
    name       INTEGER PRIMARY KEY, -- name
    watermark  INTEGER,
    last_seen  INTEGER,
    offset_ns  INTEGER NOT NULL,
    gaps_total INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    rejected   INTEGER NOT NULL,
    state      TEXT NOT NULL        -- JSON object: all of it
) STRICT;

-- The read model. stage .. cause are of the most pressing open visit; rank and due sort lists.
CREATE TABLE orders (
    id        INTEGER PRIMARY KEY,
    keys      TEXT,             -- JSON object
    attrs     TEXT,             -- JSON object
    state     INTEGER NOT NULL, -- name
    created   INTEGER,
    updated   INTEGER,
    ended     INTEGER,
    channel   TEXT NOT NULL,
    partner   TEXT NOT NULL,
    stage     INTEGER NOT NULL, -- name
    entered   INTEGER,
    deadline  INTEGER,
    verdict   INTEGER NOT NULL, -- name
    cause     INTEGER NOT NULL, -- name
    rank      INTEGER NOT NULL, -- 0 stuck, 1 unknown, 2 at risk, 3 open, 4 no open visit, 5 closed
    due       INTEGER NOT NULL, -- deadline, or the greatest number
    late      INTEGER NOT NULL, -- open, with a stuck visit or a breached promise
    flow_hash INTEGER NOT NULL, -- name
    doc       TEXT NOT NULL     -- JSON object: statuses, counts, absorbed, refused
) STRICT;
CREATE INDEX orders_list ON orders (rank, due, id);
CREATE INDEX orders_state ON orders (state, rank, due, id, late);
CREATE INDEX orders_channel ON orders (channel, rank, due, id) WHERE channel <> '';
CREATE INDEX orders_partner ON orders (partner, rank, due, id) WHERE partner <> '';

CREATE TABLE visits (
    order_id    INTEGER NOT NULL,
    pos         INTEGER NOT NULL, -- in order of entering, from 0
    stage       INTEGER NOT NULL, -- name
    n           INTEGER NOT NULL,
    entered     INTEGER,
    left_at     INTEGER,          -- NULL: open
    deadline    INTEGER,
    verdict     INTEGER NOT NULL, -- name
    cause       INTEGER NOT NULL, -- name
    evidence    TEXT,             -- JSON array
    rework      INTEGER NOT NULL,
    inferred    INTEGER NOT NULL,
    stuck_at    INTEGER,
    approximate INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    PRIMARY KEY (order_id, pos)
) STRICT, WITHOUT ROWID;
CREATE INDEX visits_open ON visits (stage, rank, due, order_id) WHERE left_at IS NULL;

CREATE TABLE promises (
    order_id INTEGER NOT NULL,
    pos      INTEGER NOT NULL, -- in the flow's order, from 0
    name     INTEGER NOT NULL, -- name
    start    INTEGER,
    due      INTEGER,
    stop     INTEGER,
    verdict  INTEGER NOT NULL, -- name
    paused   INTEGER NOT NULL,
    PRIMARY KEY (order_id, pos)
) STRICT, WITHOUT ROWID;

-- What was said, and when; appended only.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    at       INTEGER,
    kind     INTEGER NOT NULL, -- name
    order_id INTEGER NOT NULL,
    stage    INTEGER NOT NULL, -- name
    n        INTEGER NOT NULL,
    deadline INTEGER,
    cause    INTEGER NOT NULL, -- name
    detail   TEXT NOT NULL
) STRICT;
CREATE INDEX audit_order ON audit (order_id, id);
