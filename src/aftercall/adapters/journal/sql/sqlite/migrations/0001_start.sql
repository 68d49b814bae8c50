-- The journal's first schema. Times are milliseconds since the epoch unless the name says us.

-- "aftc": whose file it is, so that another program's is never taken for a journal.
PRAGMA application_id = 0x61667463;

CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_ms INTEGER NOT NULL,
    worked_ms INTEGER NOT NULL DEFAULT 0,
    rows_read INTEGER NOT NULL DEFAULT 0,
    on_conflict TEXT NOT NULL CHECK (on_conflict IN ('newest', 'first', 'error')),
    intake_complete INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE source (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    name TEXT NOT NULL,
    path TEXT,
    sha256 TEXT,
    options TEXT NOT NULL,
    columns TEXT NOT NULL,
    rows_read INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0
);

-- One row of an input. It waits to be claimed while due_ms is set; an open row without one is
-- being written, or is parked until the next run.
CREATE TABLE row (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    source INTEGER NOT NULL REFERENCES source (number),
    line INTEGER NOT NULL,
    cells TEXT NOT NULL,
    key BLOB,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    outcome TEXT NOT NULL,
    agent TEXT NOT NULL,
    category TEXT,
    notes TEXT,
    custom_fields TEXT,
    timestamp_ms INTEGER,
    event_id TEXT,
    problems TEXT,
    status TEXT NOT NULL CHECK (status IN (
        'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'duplicate',
        'superseded', 'missing', 'invalid', 'rejected', 'failed')),
    reason TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    lane INTEGER NOT NULL,
    due_ms INTEGER,
    serial INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    deferrals INTEGER NOT NULL DEFAULT 0,
    doubt INTEGER NOT NULL DEFAULT 0,
    first_tried_ms INTEGER,
    first_deferred_ms INTEGER,
    wait_ms REAL,
    read_ms REAL,
    write_ms REAL,
    settled_ms INTEGER
);

-- What a turn takes: the campaign's due rows, opt-outs (lane 0) first, then what was begun
-- (lane 1), then the rest (lane 2) in the order of the input.
CREATE INDEX row_due ON row (campaign, lane, due_ms, id) WHERE due_ms IS NOT NULL;

-- One row holds a key; the same disposition fed again is a duplicate of it.
CREATE UNIQUE INDEX row_holder ON row (key) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'superseded');

-- The other dispositions of a contact that count against an older one.
CREATE INDEX row_contact ON row (campaign, contact, timestamp_ms, id) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
    'missing', 'rejected', 'failed');

-- What a process that died has left behind, and what waits for the next run.
CREATE INDEX row_left ON row (status, id) WHERE due_ms IS NULL AND status IN (
    'pending', 'writing', 'deferred', 'doubtful');

CREATE INDEX row_run ON row (run, id);

-- Which runs have something left to do.
CREATE INDEX row_open ON row (run) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful');

-- tat_us is the limiter (GCRA), epoch the fence. The campaign '' is the tenant as a whole.
CREATE TABLE campaign (
    id TEXT PRIMARY KEY,
    tat_us INTEGER NOT NULL DEFAULT 0,
    paused_until_us INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE run_pace (
    run INTEGER NOT NULL REFERENCES run (number),
    campaign TEXT NOT NULL,
    requests INTEGER NOT NULL,
    throttled INTEGER NOT NULL,
    peak_per_second INTEGER NOT NULL,
    active_seconds REAL NOT NULL,
    limit_per_second REAL NOT NULL,
    PRIMARY KEY (run, campaign)
) WITHOUT ROWID;

-- Append-only: nothing updates or deletes an entry.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    run INTEGER NOT NULL,
    row INTEGER NOT NULL,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    entry TEXT NOT NULL
);
CREATE INDEX audit_run ON audit (run, number);
CREATE INDEX audit_contact ON audit (contact, number);

CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL,
    row INTEGER NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER,
    words TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    delivered_ms INTEGER
);
CREATE INDEX outbox_due ON outbox (due_ms, number) WHERE due_ms IS NOT NULL;
CREATE INDEX outbox_run ON outbox (run, state);
