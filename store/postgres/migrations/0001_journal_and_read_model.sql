-- Instants are Unix nanoseconds in UTC, NULL where there is none. Columns that say "name" hold a
-- number of names; 0 is the empty text.

CREATE TABLE names (
    id   integer PRIMARY KEY,
    text text COLLATE "C" NOT NULL UNIQUE
);

-- One row: where the journal and the read model stand.
CREATE TABLE progress (
    id         integer PRIMARY KEY CHECK (id = 1),
    journal    bigint NOT NULL,
    applied    bigint NOT NULL,
    last_order bigint NOT NULL,
    lease      bigint NOT NULL -- of the instance that may write; grows by 1 with each that opens
);
INSERT INTO progress VALUES (1, 0, 0, 0, 0);

-- The journal.
CREATE TABLE events (
    seq         bigint PRIMARY KEY,
    order_id    bigint NOT NULL,   -- as resolved at commit; 0: about no order
    received    bigint,
    time        bigint,            -- by the source's clock, never rewritten
    observed    bigint,
    offset_ns   bigint NOT NULL,   -- corrected time is time - offset_ns
    kind        smallint NOT NULL, -- 1 status, 2 message, 3 job, 4 watermark, 5 gap
    source      integer NOT NULL,  -- name
    epoch       bigint NOT NULL,
    source_seq  bigint NOT NULL,   -- 0: a sender without sequence
    event_id    text,
    service     integer NOT NULL,  -- name
    environment integer NOT NULL,  -- name
    system      integer NOT NULL,  -- name
    status      integer NOT NULL,  -- name
    inferred    boolean NOT NULL,
    keys        json,              -- JSON object
    attrs       json,              -- JSON object
    detail      json,              -- JSON object: message, watermark, gap
    link        json               -- JSON object: what the event did to identities
);
CREATE INDEX events_order ON events (order_id, seq);
CREATE UNIQUE INDEX events_id ON events (source, event_id) WHERE event_id IS NOT NULL AND source_seq = 0;

-- Which surviving order a key belongs to.
CREATE TABLE order_keys (
    name     integer NOT NULL,
    value    text COLLATE "C" NOT NULL,
    order_id bigint NOT NULL,
    PRIMARY KEY (name, value)
);
CREATE INDEX order_keys_value ON order_keys (value, order_id);
CREATE INDEX order_keys_order ON order_keys (order_id);

-- Absorbed orders; into_id is always a survivor.
CREATE TABLE merges (
    order_id bigint PRIMARY KEY,
    into_id  bigint NOT NULL
);
CREATE INDEX merges_into ON merges (into_id);

CREATE TABLE sources (
    name       integer PRIMARY KEY, -- name
    watermark  bigint,
    last_seen  bigint,
    offset_ns  bigint NOT NULL,
    gaps_total bigint NOT NULL,
    duplicates bigint NOT NULL,
    rejected   bigint NOT NULL,
    state      json NOT NULL        -- JSON object: all of it
);

-- The read model. stage .. cause are of the most pressing open visit; rank and due sort lists.
CREATE TABLE orders (
    id        bigint PRIMARY KEY,
    keys      json,              -- JSON object
    attrs     json,              -- JSON object
    state     integer NOT NULL,  -- name
    created   bigint,
    updated   bigint,
    ended     bigint,
    channel   text NOT NULL,
    partner   text NOT NULL,
    stage     integer NOT NULL,  -- name
    entered   bigint,
    deadline  bigint,
    verdict   integer NOT NULL,  -- name
    cause     integer NOT NULL,  -- name
    rank      smallint NOT NULL, -- 0 stuck, 1 unknown, 2 at risk, 3 open, 4 no open visit, 5 closed
    due       bigint NOT NULL,   -- deadline, or the greatest number
    late      boolean NOT NULL,  -- open, with a stuck visit or a breached promise
    flow_hash integer NOT NULL,  -- name
    doc       json NOT NULL      -- JSON object: statuses, counts, absorbed, refused
);
CREATE INDEX orders_list ON orders (rank, due, id);
CREATE INDEX orders_state ON orders (state, rank, due, id, late);
CREATE INDEX orders_channel ON orders (channel, rank, due, id) WHERE channel <> '';
CREATE INDEX orders_partner ON orders (partner, rank, due, id) WHERE partner <> '';

CREATE TABLE visits (
    order_id    bigint NOT NULL,
    pos         integer NOT NULL, -- in order of entering, from 0
    stage       integer NOT NULL, -- name
    n           integer NOT NULL,
    entered     bigint,
    left_at     bigint,           -- NULL: open
    deadline    bigint,
    verdict     integer NOT NULL, -- name
    cause       integer NOT NULL, -- name
    evidence    json,             -- JSON array
    rework      boolean NOT NULL,
    inferred    boolean NOT NULL,
    stuck_at    bigint,
    approximate boolean NOT NULL,
    rank        smallint NOT NULL,
    due         bigint NOT NULL,
    PRIMARY KEY (order_id, pos)
);
CREATE INDEX visits_open ON visits (stage, rank, due, order_id) WHERE left_at IS NULL;

CREATE TABLE promises (
    order_id bigint NOT NULL,
    pos      integer NOT NULL, -- in the flow's order, from 0
    name     integer NOT NULL, -- name
    start    bigint,
    due      bigint,
    stop     bigint,
    verdict  integer NOT NULL, -- name
    paused   boolean NOT NULL,
    PRIMARY KEY (order_id, pos)
);

-- What was said, and when; appended only.
CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint,
    kind     integer NOT NULL, -- name
    order_id bigint NOT NULL,
    stage    integer NOT NULL, -- name
    n        integer NOT NULL,
    deadline bigint,
    cause    integer NOT NULL, -- name
    detail   text NOT NULL
);
CREATE INDEX audit_order ON audit (order_id, id);
