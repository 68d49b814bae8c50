-- The statements of the follow-ups.

-- name: add_follow_up
-- A row that is settled a second time has the follow-ups of the first time.
INSERT OR IGNORE INTO follow_up (run, row, campaign, contact, kind, target, told, state, reason,
    words, due_ms, created_ms, settled_ms)
SELECT r.run, r.id, r.campaign, r.contact, :kind, :target, :told, :state, :reason, :words, :due_ms,
    :now_ms, :settled_ms
FROM row r WHERE r.id = :row;

-- name: due_follow_ups
-- Once one is due, those that wait for company go with it.
SELECT f.number AS follow_up, f.kind, f.target, f.told, f.serial AS claims, f.attempts AS tries,
    f.first_tried_ms AS first_sent_ms, r.*, u.id AS run_id, s.name AS source_name,
    s.sha256 AS source_sha256, EXISTS (
        SELECT 1 FROM row o
        WHERE o.campaign = r.campaign AND o.contact = r.contact
            AND (o.timestamp_ms, o.id) > (r.timestamp_ms, r.id)
            AND o.counts) AS newer
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = r.run
    JOIN source s ON s.number = r.source
WHERE f.kind = :kind AND f.due_ms <= :fresh_ms AND (f.due_ms <= :now_ms OR (f.attempts = 0 AND EXISTS (
    SELECT 1 FROM follow_up e WHERE e.kind = :kind AND e.due_ms <= :now_ms)))
ORDER BY f.due_ms, f.number LIMIT :most;

-- name: next_follow_up
SELECT min(due) FROM (
    SELECT min(due_ms) AS due FROM follow_up WHERE kind = 'dnc_group' AND due_ms IS NOT NULL
    UNION ALL SELECT min(due_ms) FROM follow_up WHERE kind = 'tags' AND due_ms IS NOT NULL
    UNION ALL SELECT min(due_ms) FROM follow_up WHERE kind = 'callback' AND due_ms IS NOT NULL);

-- name: is_waiting
SELECT EXISTS (
        SELECT 1 FROM row o
        WHERE o.campaign = r.campaign AND o.contact = r.contact
            AND (o.timestamp_ms, o.id) > (r.timestamp_ms, r.id)
            AND o.counts) AS newer
FROM follow_up f JOIN row r ON r.id = f.row
WHERE f.number = :number AND f.serial = :serial AND f.state = 'waiting';

-- name: take_follow_up
UPDATE follow_up SET state = 'sending', due_ms = NULL, serial = serial + 1,
    attempts = attempts + 1, repeatable = :repeatable,
    first_tried_ms = coalesce(first_tried_ms, :now_ms)
WHERE number = :number;

-- name: delay_follow_up
UPDATE follow_up SET due_ms = max(due_ms, :due_ms)
WHERE number = :number AND due_ms IS NOT NULL;

-- name: settle_follow_up
UPDATE follow_up SET state = :state, reason = :reason, words = :words, due_ms = :due_ms,
    attempts = attempts - :refund, settled_ms = :settled_ms
WHERE number = :number AND serial = :serial AND state = 'sending';

-- name: run_of_follow_up
SELECT run FROM follow_up WHERE number = :number;

-- name: left_sending
SELECT f.number AS follow_up, f.kind, f.target, f.told, f.state, f.repeatable, r.*,
    u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = r.run
    JOIN source s ON s.number = r.source
WHERE f.state = 'sending' AND f.state IN ('waiting', 'sending') ORDER BY f.number;

-- name: left_behind
-- Those that wait for what the tenant's profile does not declare (any more).
SELECT f.number AS follow_up, f.kind, f.target, f.told, f.state, f.repeatable, r.*,
    u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = r.run
    JOIN source s ON s.number = r.source
WHERE f.state = 'waiting' AND f.state IN ('waiting', 'sending')
    AND f.kind NOT IN (SELECT value FROM json_each(:kinds)) ORDER BY f.number;

-- name: follow_up_facts
SELECT f.number AS follow_up, f.kind, f.target, f.told, f.state, f.repeatable, r.*,
    u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = r.run
    JOIN source s ON s.number = r.source
WHERE f.number = :number;

-- name: leave_follow_up
UPDATE follow_up SET state = :state, reason = :reason, words = :words, due_ms = :due_ms,
    attempts = max(0, attempts - 1), first_tried_ms = NULL, settled_ms = :settled_ms
WHERE number = :number;

-- name: unpark_follow_ups
UPDATE follow_up SET due_ms = :now_ms, first_tried_ms = NULL
WHERE state = 'waiting' AND state IN ('waiting', 'sending') AND due_ms IS NULL;

-- name: reopenable_follow_ups
SELECT f.number AS follow_up, f.kind, f.target, f.told, f.state, f.repeatable, r.*,
    u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = r.run
    JOIN source s ON s.number = r.source
WHERE f.run = :run AND f.state = :state AND r.erased_ms IS NULL ORDER BY f.number;

-- name: reopen_follow_up
UPDATE follow_up SET state = 'waiting', due_ms = :now_ms, attempts = 0, first_tried_ms = NULL,
    reason = '', words = '', settled_ms = NULL
WHERE number = :number;

-- name: records_lack
-- Whether any DNC record was not made (yet), of whichever row.
SELECT EXISTS (
    SELECT 1 FROM run u CROSS JOIN follow_up f
    WHERE f.run = u.number AND f.kind = 'dnc_group'
        AND f.state IN ('waiting', 'sending', 'refused', 'failed', 'unknown', 'impossible'));

-- name: lacking_records_of_row
-- Those that no later row of the contact has made good.
SELECT f.target AS dnc_group, f.state, f.reason, coalesce(f.settled_ms, f.created_ms) AS since_ms
FROM follow_up f
WHERE f.row = :row AND f.kind = 'dnc_group' AND NOT f.state IN ('done', 'withdrawn')
    AND NOT EXISTS (
        SELECT 1 FROM follow_up n
        WHERE n.contact = f.contact AND n.campaign = f.campaign AND n.kind = f.kind
            AND n.target = f.target AND n.state = 'done' AND n.number > f.number)
ORDER BY f.target;

-- name: count_follow_ups
SELECT kind, state, count(*) AS follow_ups FROM follow_up WHERE run = :run GROUP BY kind, state;

-- name: list_follow_ups
SELECT f.number, f.kind, f.target, f.state, f.reason, f.words, f.attempts, f.due_ms, f.created_ms,
    f.settled_ms, u.id AS run, f.row, s.name AS source, r.line, f.campaign, f.contact, r.outcome,
    r.status AS row_status
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = f.run
    JOIN source s ON s.number = r.source
WHERE (:run IS NULL OR f.run = :run) AND (:contact IS NULL OR f.contact = :contact)
    AND (:kind IS NULL OR f.kind = :kind)
    AND (:states = '[]' OR f.state IN (SELECT value FROM json_each(:states)))
ORDER BY f.number DESC LIMIT :most;

-- name: tally_follow_ups
SELECT f.kind, f.state, count(*) AS follow_ups FROM follow_up f
WHERE (:run IS NULL OR f.run = :run) AND (:contact IS NULL OR f.contact = :contact)
    AND (:kind IS NULL OR f.kind = :kind)
    AND (:states = '[]' OR f.state IN (SELECT value FROM json_each(:states)))
GROUP BY f.kind, f.state;

-- name: one_follow_up
SELECT f.number, f.kind, f.target, f.state, f.reason, f.words, f.attempts, f.due_ms, f.created_ms,
    f.settled_ms, u.id AS run, f.row, s.name AS source, r.line, f.campaign, f.contact, r.outcome,
    r.status AS row_status
FROM follow_up f JOIN row r ON r.id = f.row JOIN run u ON u.number = f.run
    JOIN source s ON s.number = r.source
WHERE f.number = :number;

-- name: follow_ups_of_person
SELECT count(*) FROM follow_up f WHERE f.contact = :contact
    AND (:campaign = '' OR f.campaign = :campaign) AND f.state IN ('waiting', 'sending');

-- name: forget_follow_ups
-- The tenant's words may quote what it was told.
UPDATE follow_up SET words = '', told = '{}'
WHERE row IN (SELECT id FROM row WHERE erased_ms IS NOT NULL
    AND contact = :contact AND (:campaign = '' OR campaign = :campaign));

-- name: forget_follow_ups_of_row
UPDATE follow_up SET words = '', told = '{}' WHERE row = :row;

-- name: forecast_outcomes
-- The rows of a run that the next turns would write, by what their follow-ups depend on.
SELECT r.campaign, r.category, r.outcome, count(*) AS rows FROM row r
WHERE r.run = :run AND r.status = 'pending' AND NOT EXISTS (
    SELECT 1 FROM row o
    WHERE o.campaign = r.campaign AND o.contact = r.contact
        AND (o.timestamp_ms, o.id) > (r.timestamp_ms, r.id)
        AND o.counts)
GROUP BY r.campaign, r.category, r.outcome ORDER BY r.campaign, r.category, r.outcome;
