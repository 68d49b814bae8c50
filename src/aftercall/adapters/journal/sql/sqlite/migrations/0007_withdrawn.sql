-- Follow-ups that a newer disposition has overtaken: one more state, so the table is made anew.

CREATE TABLE follow_up_now (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number),
    row INTEGER NOT NULL REFERENCES row (id),
    campaign TEXT NOT NULL,
    contact TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('dnc_group', 'tags', 'callback')),
    target TEXT NOT NULL,
    -- Ids of the contact that the tenant told, as JSON.
    told TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'waiting', 'sending', 'done', 'refused', 'failed', 'unknown', 'impossible',
        'withdrawn')),
    reason TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    -- Whether what is being sent may be sent again if the process dies over it.
    repeatable INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER,
    serial INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_tried_ms INTEGER,
    created_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    UNIQUE (row, kind, target)
);

INSERT INTO follow_up_now SELECT * FROM follow_up;
DROP TABLE follow_up;
ALTER TABLE follow_up_now RENAME TO follow_up;

-- One that waits without a time is parked until the next run.
CREATE INDEX follow_up_due ON follow_up (kind, due_ms, number) WHERE due_ms IS NOT NULL;
CREATE INDEX follow_up_open ON follow_up (state, run, number) WHERE state IN ('waiting', 'sending');
CREATE INDEX follow_up_run ON follow_up (run, kind, state);
CREATE INDEX follow_up_contact ON follow_up (contact);
