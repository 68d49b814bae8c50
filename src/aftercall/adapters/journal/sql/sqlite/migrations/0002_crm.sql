-- Several endpoints, the order of a contact's events, and what each attempt came to.

CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    run INTEGER NOT NULL,
    row INTEGER NOT NULL,
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    -- All attempts ever, and those since the schedule began anew.
    attempts INTEGER NOT NULL DEFAULT 0,
    step INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER,
    words TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    delivered_ms INTEGER,
    UNIQUE (row, endpoint)
);

-- Of a contact's waiting events at an endpoint only the first has a due_ms: the others are not
-- looked at before it is delivered or dead, however many they are.
INSERT INTO event (number, event_id, endpoint, run, row, campaign, contact, body, state, attempts,
    step, due_ms, words, created_ms, delivered_ms)
SELECT o.number, o.event_id, 'crm', o.run, o.row, r.campaign, r.contact, o.body, o.state,
    o.attempts, o.attempts, CASE WHEN o.number = min(o.number) OVER (
        PARTITION BY r.campaign, r.contact, o.state) THEN o.due_ms END,
    o.words, o.created_ms, o.delivered_ms
FROM outbox o JOIN row r ON r.id = o.row;

DROP TABLE outbox;
ALTER TABLE event RENAME TO outbox;

CREATE INDEX outbox_due ON outbox (endpoint, due_ms, number) WHERE due_ms IS NOT NULL;
CREATE INDEX outbox_queue ON outbox (endpoint, campaign, contact, number)
    WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (number) WHERE state = 'dead';
CREATE INDEX outbox_run ON outbox (run, endpoint, state);

CREATE TABLE delivery (
    event INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    latency_ms REAL NOT NULL,
    status INTEGER,
    words TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (event, attempt)
) WITHOUT ROWID;

-- An endpoint that answered 410 is left alone until somebody enables it.
CREATE TABLE crm_endpoint (
    name TEXT PRIMARY KEY,
    disabled_ms INTEGER,
    words TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
