-- The statements of the CRM's outbox.

-- name: add_event
-- Due at once, unless an earlier event of the contact still waits for the same endpoint.
INSERT INTO outbox (event_id, endpoint, run, row, campaign, contact, body, due_ms, created_ms)
SELECT :event_id, :endpoint, r.run, r.id, r.campaign, r.contact, :body,
    CASE WHEN EXISTS (
        SELECT 1 FROM outbox o
        WHERE o.endpoint = :endpoint AND o.campaign = r.campaign AND o.contact = r.contact
            AND o.state = 'waiting') THEN NULL ELSE :now_ms END,
    :now_ms
FROM row r WHERE r.id = :row;

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

-- name: record_delivery
UPDATE outbox SET state = :state, due_ms = :due_ms, attempts = attempts + 1, step = step + 1,
    words = :words, delivered_ms = CASE WHEN :state = 'delivered' THEN :at_ms END
WHERE number = :number AND state = 'waiting';

-- name: add_attempt
INSERT INTO delivery (event, attempt, at_ms, latency_ms, status, words, answer)
SELECT number, attempts, :at_ms, :latency_ms, :status, :words, :answer
FROM outbox WHERE number = :number;

-- name: release_next
-- The first event of the same contact that waits is due now, unless it has a time already.
UPDATE outbox SET due_ms = :now_ms
WHERE due_ms IS NULL AND number = (
    SELECT n.number FROM outbox o JOIN outbox n
        ON n.endpoint = o.endpoint AND n.campaign = o.campaign AND n.contact = o.contact
        AND n.state = 'waiting'
    WHERE o.number = :number
    ORDER BY n.number LIMIT 1);

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
            AND c.status IN (
                'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
                'missing', 'rejected', 'failed'))
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
            AND c.status IN (
                'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
                'missing', 'rejected', 'failed'))
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
