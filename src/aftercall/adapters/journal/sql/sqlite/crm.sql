-- The statements of the CRM's outbox.

-- name: add_events
-- Due at once, unless an earlier event of the contact still waits for the same endpoint.
WITH told (event_id, endpoint, row, body, now_ms) AS (VALUES (?, ?, ?, ?, ?))
INSERT OR FAIL INTO outbox (event_id, endpoint, run, row, campaign, contact, body, due_ms, created_ms)
SELECT t.event_id, t.endpoint, r.run, r.id, r.campaign, r.contact, t.body,
    CASE WHEN EXISTS (
        SELECT 1 FROM outbox o
        WHERE o.endpoint = t.endpoint AND o.campaign = r.campaign AND o.contact = r.contact
            AND o.state = 'waiting') THEN NULL ELSE t.now_ms END,
    t.now_ms
FROM told t CROSS JOIN row r ON r.id = t.row;

-- name: due_events
SELECT o.number, o.event_id, o.body, o.step + 1 AS attempt FROM outbox o
WHERE o.endpoint = :endpoint AND o.due_ms <= :now_ms AND NOT EXISTS (
    SELECT 1 FROM crm_endpoint e WHERE e.name = :endpoint AND e.disabled_ms IS NOT NULL)
ORDER BY o.due_ms, o.number LIMIT :events_max;

-- name: owes_events
-- A contact with a waiting event has one that is due some time.
SELECT EXISTS (SELECT 1 FROM outbox o WHERE o.endpoint = :endpoint AND o.due_ms IS NOT NULL)
    AND NOT EXISTS (
        SELECT 1 FROM crm_endpoint e WHERE e.name = :endpoint AND e.disabled_ms IS NOT NULL);

-- name: waiting_events
SELECT json_group_array(number) FROM outbox
WHERE state = 'waiting' AND number IN (SELECT value FROM json_each(:numbers));

-- name: record_deliveries
WITH tried (number, state, due_ms, words, at_ms) AS (VALUES (?, ?, ?, ?, ?))
UPDATE OR FAIL outbox SET state = t.state, due_ms = t.due_ms, attempts = attempts + 1, step = step + 1,
    words = t.words, delivered_ms = CASE WHEN t.state = 'delivered' THEN t.at_ms END
FROM tried t WHERE outbox.number = t.number AND outbox.state = 'waiting';

-- name: add_attempts
WITH tried (number, at_ms, latency_ms, status, words, answer) AS (VALUES (?, ?, ?, ?, ?, ?))
INSERT OR FAIL INTO delivery (event, attempt, at_ms, latency_ms, status, words, answer)
SELECT o.number, o.attempts, t.at_ms, t.latency_ms, t.status, t.words, t.answer
FROM tried t CROSS JOIN outbox o ON o.number = t.number;

-- name: release_next
-- Of the contact of each of these events the first that waits is due now, unless it has a time.
UPDATE outbox SET due_ms = :now_ms
WHERE due_ms IS NULL AND number IN (
    SELECT (
        SELECT n.number FROM outbox n
        WHERE n.endpoint = o.endpoint AND n.campaign = o.campaign AND n.contact = o.contact
            AND n.state = 'waiting'
        ORDER BY n.number LIMIT 1)
    FROM outbox o WHERE o.number IN (SELECT value FROM json_each(:numbers)));

-- name: disable_endpoint
INSERT INTO crm_endpoint (name, disabled_ms, words)
SELECT endpoint, :at_ms, :words FROM outbox WHERE number = :number
ON CONFLICT (name) DO UPDATE SET
    words = CASE WHEN disabled_ms IS NULL THEN excluded.words ELSE words END,
    disabled_ms = coalesce(disabled_ms, excluded.disabled_ms);

-- name: enable_endpoint
UPDATE crm_endpoint SET disabled_ms = NULL, words = '' WHERE name = :endpoint;

-- name: hurry_events
UPDATE outbox SET due_ms = :now_ms WHERE endpoint = :endpoint AND due_ms > :now_ms;

-- name: requeue_event
UPDATE outbox SET state = 'waiting', step = 0, due_ms = NULL, words = '', delivered_ms = NULL
WHERE number = :number AND state <> 'waiting';

-- name: hold_later
-- Later events of the contact wait for one that is sent again.
UPDATE outbox SET due_ms = NULL
WHERE state = 'waiting' AND number > :number AND (endpoint, campaign, contact) = (
    SELECT o.endpoint, o.campaign, o.contact FROM outbox o WHERE o.number = :number);

-- name: events_of_run
SELECT state, count(*) AS events FROM outbox WHERE run = :run GROUP BY endpoint, state;

-- name: events_of_all
SELECT state, count(*) AS events FROM outbox GROUP BY run, endpoint, state;

-- name: list_events
SELECT o.number, o.event_id, o.endpoint, u.id AS run, o.campaign, o.contact, r.outcome, o.state,
    o.attempts, o.due_ms, o.words, o.created_ms, o.delivered_ms
FROM outbox o JOIN row r ON r.id = o.row JOIN run u ON u.number = o.run
WHERE (:state IS NULL OR o.state = :state) AND (:endpoint IS NULL OR o.endpoint = :endpoint)
    AND (:run IS NULL OR u.id = :run)
    AND (:from_ms IS NULL OR o.created_ms >= :from_ms)
    AND (:until_ms IS NULL OR o.created_ms < :until_ms)
ORDER BY o.number DESC LIMIT :events_max;

-- name: list_standing_events
-- The same for those of a run, a state or an endpoint: the index tells which they are.
SELECT o.number, o.event_id, o.endpoint, u.id AS run, o.campaign, o.contact, r.outcome, o.state,
    o.attempts, o.due_ms, o.words, o.created_ms, o.delivered_ms
FROM outbox o JOIN row r ON r.id = o.row JOIN run u ON u.number = o.run
WHERE o.number IN (
    SELECT number FROM outbox INDEXED BY outbox_run
    WHERE run BETWEEN :first_run AND :last_run
        AND (:state IS NULL OR state = :state) AND (:endpoint IS NULL OR endpoint = :endpoint)
    ORDER BY number DESC LIMIT :events_max)
ORDER BY o.number DESC;

-- name: list_events_of_contact
-- An event tells of a row that was applied; of those each contact has few in each campaign.
SELECT o.number, o.event_id, o.endpoint, u.id AS run, o.campaign, o.contact, r.outcome, o.state,
    o.attempts, o.due_ms, o.words, o.created_ms, o.delivered_ms
FROM outbox o JOIN row r ON r.id = o.row JOIN run u ON u.number = o.run
WHERE (:state IS NULL OR o.state = :state) AND (:endpoint IS NULL OR o.endpoint = :endpoint)
    AND (:run IS NULL OR u.id = :run)
    AND o.row IN (
        SELECT c.id FROM campaign g CROSS JOIN row c
        WHERE c.campaign = g.id AND c.contact = :contact AND c.status = 'applied'
            AND c.counts)
    AND (:from_ms IS NULL OR o.created_ms >= :from_ms)
    AND (:until_ms IS NULL OR o.created_ms < :until_ms)
ORDER BY o.number DESC LIMIT :events_max;

-- name: list_dead_events
-- The same for dead letters, which are few: only they are looked at.
SELECT o.number, o.event_id, o.endpoint, u.id AS run, o.campaign, o.contact, r.outcome, o.state,
    o.attempts, o.due_ms, o.words, o.created_ms, o.delivered_ms
FROM outbox o INDEXED BY outbox_dead JOIN row r ON r.id = o.row JOIN run u ON u.number = o.run
WHERE o.state = 'dead' AND (:endpoint IS NULL OR o.endpoint = :endpoint)
    AND (:run IS NULL OR u.id = :run) AND (:contact IS NULL OR o.contact = :contact)
    AND (:from_ms IS NULL OR o.created_ms >= :from_ms)
    AND (:until_ms IS NULL OR o.created_ms < :until_ms)
ORDER BY o.number DESC LIMIT :events_max;

-- name: tally_events
SELECT o.endpoint, o.state, count(*) AS events
FROM outbox o JOIN run u ON u.number = o.run
WHERE (:state IS NULL OR o.state = :state) AND (:endpoint IS NULL OR o.endpoint = :endpoint)
    AND (:run IS NULL OR u.id = :run)
    AND (:from_ms IS NULL OR o.created_ms >= :from_ms)
    AND (:until_ms IS NULL OR o.created_ms < :until_ms)
GROUP BY o.endpoint, o.state;

-- name: tally_standing_events
SELECT endpoint, state, count(*) AS events FROM outbox INDEXED BY outbox_run
WHERE run BETWEEN :first_run AND :last_run
    AND (:state IS NULL OR state = :state) AND (:endpoint IS NULL OR endpoint = :endpoint)
GROUP BY run, endpoint, state;

-- name: tally_events_of_contact
SELECT o.endpoint, o.state, count(*) AS events
FROM outbox o JOIN run u ON u.number = o.run
WHERE (:state IS NULL OR o.state = :state) AND (:endpoint IS NULL OR o.endpoint = :endpoint)
    AND (:run IS NULL OR u.id = :run)
    AND o.row IN (
        SELECT c.id FROM campaign g CROSS JOIN row c
        WHERE c.campaign = g.id AND c.contact = :contact AND c.status = 'applied'
            AND c.counts)
    AND (:from_ms IS NULL OR o.created_ms >= :from_ms)
    AND (:until_ms IS NULL OR o.created_ms < :until_ms)
GROUP BY o.endpoint, o.state;

-- name: one_event
SELECT o.number, o.event_id, o.endpoint, u.id AS run, o.campaign, o.contact, r.outcome, o.state,
    o.attempts, o.due_ms, o.words, o.created_ms, o.delivered_ms
FROM outbox o JOIN row r ON r.id = o.row JOIN run u ON u.number = o.run
WHERE o.event_id = :event_id;

-- name: event_body
SELECT body FROM outbox WHERE number = :number;

-- name: attempts_of_event
SELECT attempt, at_ms, latency_ms, status, words, answer FROM delivery
WHERE event = :number ORDER BY attempt;

-- name: endpoints
SELECT name, disabled_ms, words FROM crm_endpoint WHERE disabled_ms IS NOT NULL ORDER BY name;
