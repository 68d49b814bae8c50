-- Opt-outs with a clock, and the call records that the law asks for.

-- When the clock of an opt-out started; NULL for every other row, and for a duplicate whose clock
-- is the one of the row that holds its key.
ALTER TABLE row ADD COLUMN opt_out_received_ms INTEGER;
UPDATE row SET opt_out_received_ms = timestamp_ms
WHERE category = 'opt_out' AND status <> 'duplicate';

-- What is known of the call, as JSON: what audit entries hold in clear, and what they only commit
-- to, which is erased with the person.
ALTER TABLE row ADD COLUMN call_record TEXT;
ALTER TABLE row ADD COLUMN call_personal TEXT;

-- Call records of rows that were fed again: they complete the record of the first one.
CREATE INDEX row_repeat ON row (key) WHERE status = 'duplicate' AND call_record IS NOT NULL;

-- All opt-outs, the nearest deadline first.
CREATE INDEX row_opt_out ON row (opt_out_received_ms, id) WHERE opt_out_received_ms IS NOT NULL;

-- Those of one run.
CREATE INDEX row_opt_out_run ON row (run, status) WHERE opt_out_received_ms IS NOT NULL;

-- Append-only: the latest word about a row counts.
CREATE TABLE opt_out_acknowledgement (
    number INTEGER PRIMARY KEY,
    row INTEGER NOT NULL REFERENCES row (id),
    at_ms INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX acknowledgement_row ON opt_out_acknowledgement (row, number);
