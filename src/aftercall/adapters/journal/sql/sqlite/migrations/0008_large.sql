-- What is counted and listed of large journals stands in indexes, or is counted as it comes.

-- A report's counts of rows: the index is read from end to end, and no row. It also takes the place
-- of the index of open rows, whose entries every change of a status moved as well.
DROP INDEX row_open;
CREATE INDEX row_standing ON row (run, status, reason, campaign, outcome);

CREATE INDEX source_run ON source (run, number);

-- How long the tenant took for the rows of a run, by phase: how many took so many milliseconds, to
-- three digits. Counted in the transaction that changes what the rows say. It checks no values: for
-- a statement that may fail halfway SQLite keeps a journal, which costs more than all that it does.
CREATE TABLE run_latency (
    run INTEGER NOT NULL REFERENCES run (number),
    phase TEXT NOT NULL,
    ms REAL NOT NULL,
    rows INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    max_ms REAL NOT NULL,
    PRIMARY KEY (run, phase, ms)
) WITHOUT ROWID;

INSERT INTO run_latency (run, phase, ms, rows, total_us, max_ms)
SELECT run, phase, CAST(printf('%.2e', took) AS REAL), count(*),
    sum(CAST(round(took * 1000) AS INTEGER)), max(took)
FROM (
    SELECT run, 'wait' AS phase, wait_ms AS took FROM row WHERE read_ms IS NOT NULL
    UNION ALL SELECT run, 'read', read_ms FROM row WHERE read_ms IS NOT NULL
    UNION ALL SELECT run, 'write', write_ms FROM row WHERE read_ms IS NOT NULL
    UNION ALL SELECT run, 'row', read_ms + coalesce(write_ms, 0) FROM row
        WHERE read_ms IS NOT NULL)
WHERE took IS NOT NULL
GROUP BY 1, 2, 3;

-- Set where an opt-out has reached the tenant, and so has a newer outcome of the contact that is
-- none: it may stand there no more.
ALTER TABLE row ADD COLUMN overwritten INTEGER NOT NULL DEFAULT 0;

UPDATE row SET overwritten = 1
WHERE opt_out_received_ms IS NOT NULL AND status IN ('applied', 'unchanged') AND EXISTS (
    SELECT 1 FROM row n
    WHERE n.campaign = row.campaign AND n.contact = row.contact
        AND (n.timestamp_ms, n.id) > (row.timestamp_ms, row.id)
        AND n.category <> 'opt_out' AND n.status IN ('applied', 'unchanged')
        AND n.status IN (
            'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
            'missing', 'rejected', 'failed'));

-- Opt-outs by how long they took to reach the tenant: those that have not, or may stand no more,
-- come after all others.
DROP INDEX row_opt_out_run;
CREATE INDEX row_opt_out_took ON row (run, CASE
    WHEN status IN ('applied', 'unchanged') AND NOT overwritten
    THEN settled_ms - opt_out_received_ms ELSE 1000000000000000 END, opt_out_received_ms)
WHERE opt_out_received_ms IS NOT NULL;

-- They are counted without a look at the rows.
DROP INDEX row_opt_out;
CREATE INDEX row_opt_out ON row (opt_out_received_ms, id, campaign, contact)
WHERE opt_out_received_ms IS NOT NULL;

-- Those whose call record was not taken over whole.
CREATE INDEX row_opt_out_partial ON row (run)
WHERE opt_out_received_ms IS NOT NULL AND problems IS NOT NULL AND status <> 'invalid';
