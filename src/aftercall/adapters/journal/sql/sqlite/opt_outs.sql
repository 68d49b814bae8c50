-- The statements about opt-outs.

-- name: mark_overwritten
-- Of the contacts of rows that have landed, opt-outs that landed and have a newer outcome above them.
UPDATE row SET overwritten = 1
WHERE id IN (
    SELECT o.id FROM row r JOIN row o ON o.campaign = r.campaign AND o.contact = r.contact
    WHERE r.id IN (SELECT value FROM json_each(:rows)) AND o.opt_out_received_ms IS NOT NULL
        AND o.status IN ('applied', 'unchanged') AND o.counts
        AND EXISTS (
            SELECT 1 FROM row n
            WHERE n.campaign = o.campaign AND n.contact = o.contact
                AND (n.timestamp_ms, n.id) > (o.timestamp_ms, o.id)
                AND n.category <> 'opt_out' AND n.status IN ('applied', 'unchanged')
                AND n.counts));

-- part: opt_out_facts
-- What is told of an opt-out: r is its row, u its run, s its source.
SELECT r.id, u.id AS run, s.name AS source, r.line, r.campaign, r.contact, r.outcome, r.status,
    r.reason, r.words, r.opt_out_received_ms AS received_ms, r.timestamp_ms, r.settled_ms,
    EXISTS (
        SELECT 1 FROM row o
        WHERE o.campaign = r.campaign AND o.contact = r.contact
            AND o.status IN ('applied', 'unchanged')
            AND o.counts) AS is_held,
    EXISTS (SELECT 1 FROM opt_out_acknowledgement k WHERE k.row = r.id) AS is_acknowledged

-- name: opt_outs
-- The nearest deadline first: it follows from when the opt-out was received.
:opt_out_facts:
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.opt_out_received_ms >= :since_ms AND r.opt_out_received_ms < :until_ms
    AND (:campaign IS NULL OR r.campaign = :campaign)
    AND (:contact IS NULL OR r.contact = :contact)
ORDER BY r.opt_out_received_ms, r.id;

-- name: slow_opt_outs
-- Without those that reached the tenant in less than so much time, and were not overwritten, unless
-- a DNC record that follows them was not made.
:opt_out_facts:
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.id IN (
        SELECT t.id FROM run v CROSS JOIN row t INDEXED BY row_opt_out_took
        WHERE t.run = v.number AND t.opt_out_received_ms IS NOT NULL AND CASE
            WHEN t.status IN ('applied', 'unchanged') AND NOT t.overwritten
            THEN t.settled_ms - t.opt_out_received_ms ELSE 1000000000000000 END >= :slow_ms
        UNION
        SELECT f.row FROM run v CROSS JOIN follow_up f
        WHERE f.run = v.number AND f.kind = 'dnc_group'
            AND f.state IN ('waiting', 'sending', 'refused', 'failed', 'unknown', 'impossible'))
    AND +r.opt_out_received_ms >= :since_ms AND +r.opt_out_received_ms < :until_ms
    AND (:campaign IS NULL OR r.campaign = :campaign)
    AND (:contact IS NULL OR r.contact = :contact)
ORDER BY r.opt_out_received_ms, r.id;

-- name: count_opt_outs
SELECT count(*) FROM row r INDEXED BY row_opt_out
WHERE r.opt_out_received_ms >= :since_ms AND r.opt_out_received_ms < :until_ms
    AND (:campaign IS NULL OR r.campaign = :campaign)
    AND (:contact IS NULL OR r.contact = :contact);

-- name: opt_out
:opt_out_facts:
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.id = :row AND r.opt_out_received_ms IS NOT NULL;

-- name: opt_outs_to_judge
-- Of one run, those that it did not bring to the tenant itself, or so slowly that it may be late.
:opt_out_facts:
FROM row r INDEXED BY row_opt_out_took
    JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.run = :run AND r.opt_out_received_ms IS NOT NULL AND CASE
        WHEN r.status IN ('applied', 'unchanged') AND NOT r.overwritten
        THEN r.settled_ms - r.opt_out_received_ms ELSE 1000000000000000 END >= :slow_ms
    AND (NOT r.status IN ('applied', 'unchanged')
        OR r.settled_ms - r.opt_out_received_ms >= :slow_ms)
ORDER BY r.opt_out_received_ms, r.id;

-- name: count_opt_outs_of_run
SELECT
    (SELECT count(*) FROM row WHERE run = :run AND opt_out_received_ms IS NOT NULL) AS opt_outs,
    (SELECT count(*) FROM row WHERE run = :run AND opt_out_received_ms IS NOT NULL
        AND problems IS NOT NULL AND status <> 'invalid') AS partial;

-- name: held_of_contact
-- What reached the tenant of one contact.
SELECT o.timestamp_ms, o.id, o.outcome, o.category = 'opt_out' AS opt_out, o.settled_ms AS at_ms
FROM row o
WHERE o.campaign = :campaign AND o.contact = :contact
    AND o.status IN ('applied', 'unchanged')
    AND o.counts;

-- name: entries_of_row
SELECT entry FROM audit WHERE contact = :contact AND row = :row ORDER BY number DESC;

-- name: add_acknowledgement
INSERT INTO opt_out_acknowledgement (row, at_ms, withdrawn, by, reason)
VALUES (:row, :at_ms, :withdrawn, :by, :reason);

-- name: acknowledgement_of
SELECT by, reason, at_ms, withdrawn FROM opt_out_acknowledgement
WHERE row = :row ORDER BY number DESC LIMIT 1;
