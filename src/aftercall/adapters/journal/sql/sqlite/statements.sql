-- Every statement of the SQLite journal, by name. Parameters only; nothing is pasted in.

-- A `VALUES (?, ...)` may be executed for many rows at once. Such a statement says OR FAIL: whoever
-- runs it undoes the whole of what it belongs to when it fails, so SQLite need not write down what
-- it changes, to undo that alone. It would also do so for a function in SET, which may fail.

-- name: begin_run
INSERT INTO run (id, on_conflict, started_ms) VALUES (:run, :on_conflict, :now_ms);

-- name: intake_of_run
-- An input that cannot be read again (it has no path) is as complete as it will ever be.
SELECT number, on_conflict, intake_complete, NOT EXISTS (
    SELECT 1 FROM source WHERE run = run.number AND NOT complete AND path IS NOT NULL
    ) AS all_read
FROM run WHERE id = :run;

-- name: release_rows
-- Rows of a run whose conflicts are settled, which were held back until then.
UPDATE row SET due_ms = :now_ms WHERE run = :run AND status = 'pending' AND due_ms IS NULL;

-- name: run_number
SELECT number FROM run WHERE id = :run;

-- name: add_source
INSERT INTO source (run, name, path, sha256, options, columns)
VALUES (:run, :name, :path, :sha256, :options, :columns);

-- name: count_read
UPDATE run SET rows_read = rows_read + :rows WHERE number = :run;

-- name: advance_source
UPDATE source SET rows_read = rows_read + :rows WHERE number = :source;

-- name: close_source
UPDATE source SET complete = 1 WHERE number = :source;

-- name: finish_intake
UPDATE run SET intake_complete = 1 WHERE number = :run;

-- name: last_row
SELECT coalesce(max(id), 0) FROM row;

-- name: holder
SELECT id, opt_out_received_ms FROM row WHERE key = :key AND holds;

-- name: add_row
INSERT INTO row (
    id, run, source, line, cells, key, salt, campaign, contact, outcome, agent, category, notes,
    custom_fields, timestamp_ms, event_id, problems, status, holds, counts, reason, words, lane,
    due_ms, settled_ms, opt_out_received_ms, call_record, call_personal)
VALUES (
    :id, :run, :source, :line, :cells, :key, :salt, :campaign, :contact, :outcome, :agent, :category,
    :notes, :custom_fields, :timestamp_ms, :event_id, :problems, :status, :holds, :counts, :reason,
    :words, :lane, :due_ms, :settled_ms, :opt_out_received_ms, :call_record, :call_personal);

-- name: add_campaign
INSERT OR IGNORE INTO campaign (id) VALUES (:campaign);

-- name: add_entries
INSERT OR FAIL INTO audit (at_ms, run, row, campaign, contact, entry)
VALUES (?, ?, ?, ?, ?, ?);

-- name: later_in_run
-- Rows of a run whose contact has an earlier row in the same run.
SELECT r.id FROM row r
WHERE r.run = :run AND r.status = 'pending' AND EXISTS (
    SELECT 1 FROM row o
    WHERE o.campaign = r.campaign AND o.contact = r.contact AND o.run = r.run AND o.id < r.id
        AND o.counts)
ORDER BY r.id;

-- name: conflicting_in_run
-- Rows of a run whose contact has another row in the same run.
SELECT r.id FROM row r
WHERE r.run = :run AND r.status = 'pending' AND EXISTS (
    SELECT 1 FROM row o
    WHERE o.campaign = r.campaign AND o.contact = r.contact AND o.run = r.run AND o.id <> r.id
        AND o.counts)
ORDER BY r.id;

-- name: row_facts
SELECT r.*, u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.id = :id;

-- name: settle_waiting
UPDATE row SET status = :status, holds = :holds, counts = :counts, reason = :reason,
    words = :words, problems = :problems, due_ms = NULL, settled_ms = :now_ms
WHERE id = :id AND status = :was;

-- name: due_campaigns
-- A loose index scan: one seek per campaign, however many rows wait.
WITH RECURSIVE waiting (campaign) AS (
    SELECT min(campaign) FROM row WHERE due_ms IS NOT NULL
    UNION ALL
    SELECT (SELECT min(r.campaign) FROM row r
            WHERE r.campaign > w.campaign AND r.due_ms IS NOT NULL)
    FROM waiting w WHERE w.campaign IS NOT NULL)
SELECT campaign, (
    SELECT min(due) FROM (
        SELECT min(due_ms) AS due FROM row
            WHERE campaign = w.campaign AND lane = 0 AND due_ms IS NOT NULL
        UNION ALL SELECT min(due_ms) FROM row
            WHERE campaign = w.campaign AND lane = 1 AND due_ms IS NOT NULL
        UNION ALL SELECT min(due_ms) FROM row
            WHERE campaign = w.campaign AND lane = 2 AND due_ms IS NOT NULL)) AS due_ms
FROM waiting w WHERE campaign IS NOT NULL;

-- name: next_due
SELECT min(due) FROM (
    SELECT min(due_ms) AS due FROM row
        WHERE campaign = :campaign AND lane = 0 AND due_ms IS NOT NULL
    UNION ALL SELECT min(due_ms) FROM row
        WHERE campaign = :campaign AND lane = 1 AND due_ms IS NOT NULL
    UNION ALL SELECT min(due_ms) FROM row
        WHERE campaign = :campaign AND lane = 2 AND due_ms IS NOT NULL);

-- name: raise_epoch
UPDATE campaign SET epoch = epoch + 1, turn = turn + 1 WHERE id = :campaign;

-- name: campaign_epoch
SELECT epoch FROM campaign WHERE id = :campaign;

-- name: due_rows
-- With whether the contact has a newer row, and whether another row of it is on its way or is to be
-- read back. Of two that are to be read back the older one goes first: else each waits for the other.
SELECT r.*, u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256, EXISTS (
    SELECT 1 FROM row o
    WHERE o.campaign = r.campaign AND o.contact = r.contact
        AND (o.timestamp_ms, o.id) > (r.timestamp_ms, r.id) AND o.counts
) AS newer, EXISTS (
    SELECT 1 FROM row o
    WHERE o.campaign = r.campaign AND o.contact = r.contact AND o.id <> r.id AND o.counts
        AND (o.status = 'writing' OR (o.status = 'doubtful' AND o.due_ms IS NOT NULL
            AND (r.status <> 'doubtful' OR (o.timestamp_ms, o.id) < (r.timestamp_ms, r.id))))
) AS busy
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.campaign = :campaign AND r.lane = :lane AND r.due_ms <= :now_ms
ORDER BY r.due_ms, r.id LIMIT :rows_max;

-- name: look_again
UPDATE row SET due_ms = :due_ms WHERE id = :id;

-- name: claim_rows
UPDATE OR FAIL row SET status = 'writing', due_ms = NULL, serial = serial + 1,
    attempts = attempts + 1, lane = CASE WHEN lane > 1 THEN 1 ELSE lane END,
    first_tried_ms = coalesce(first_tried_ms, :now_ms)
WHERE id IN (SELECT value FROM json_each(:rows));

-- name: standing_claims
-- Those of some claims that nobody has claimed anew, with what their rows say of an earlier visit.
WITH claim (id, serial) AS (VALUES (?, ?))
SELECT json_group_array(json_array(r.id, r.serial, r.run, r.wait_ms, r.read_ms, r.write_ms))
FROM claim c CROSS JOIN row r ON r.id = c.id
WHERE r.status = 'writing' AND r.serial = c.serial;

-- name: settle_rows
WITH settled (
    id, serial, status, reason, words, due_ms, refund, doubt, deferred,
    wait_ms, read_ms, write_ms, now_ms, settled_ms
) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
UPDATE OR FAIL row SET status = s.status, reason = s.reason, words = s.words, due_ms = s.due_ms,
    attempts = attempts - s.refund, doubt = s.doubt,
    deferrals = deferrals + s.deferred,
    first_deferred_ms = CASE WHEN s.deferred THEN coalesce(first_deferred_ms, s.now_ms)
        ELSE first_deferred_ms END,
    wait_ms = s.wait_ms, read_ms = s.read_ms, write_ms = s.write_ms, settled_ms = s.settled_ms
FROM settled s WHERE row.id = s.id AND row.status = 'writing' AND row.serial = s.serial;

-- name: stand_aside
-- Only for a row that is settled and no longer holds its key, or no longer counts.
UPDATE row SET holds = :holds, counts = :counts WHERE id = :id;

-- name: latencies_of_visits
-- Of some visits, each to be counted once (1) or no more (-1), what is to be added to the counts.
WITH visit (run, wait_ms, read_ms, write_ms, times) AS (VALUES (?, ?, ?, ?, ?)),
took (run, phase, ms, times) AS (
    SELECT run, 'wait', wait_ms, times FROM visit
    UNION ALL SELECT run, 'read', read_ms, times FROM visit
    UNION ALL SELECT run, 'write', write_ms, times FROM visit
    UNION ALL SELECT run, 'row', read_ms + coalesce(write_ms, 0), times FROM visit),
added (run, phase, ms, rows, total_us, max_ms) AS (
    SELECT run, phase, CAST(printf('%.2e', ms) AS REAL), sum(times),
        sum(times * CAST(round(ms * 1000) AS INTEGER)), max(CASE WHEN times > 0 THEN ms ELSE 0 END)
    FROM took WHERE ms IS NOT NULL GROUP BY 1, 2, 3)
SELECT json_group_array(json_array(run, phase, ms, rows, total_us, max_ms)) FROM added;

-- name: begin_latencies
INSERT OR IGNORE INTO run_latency (run, phase, ms, rows, total_us, max_ms)
SELECT column1, column2, column3, 0, 0, 0 FROM (VALUES (?, ?, ?));

-- name: add_latencies
WITH added (run, phase, ms, rows, total_us, max_ms) AS (VALUES (?, ?, ?, ?, ?, ?))
UPDATE OR FAIL run_latency SET rows = run_latency.rows + t.rows,
    total_us = run_latency.total_us + t.total_us,
    max_ms = CASE WHEN t.max_ms > run_latency.max_ms THEN t.max_ms ELSE run_latency.max_ms END
FROM added t
WHERE run_latency.run = t.run AND run_latency.phase = t.phase AND run_latency.ms = t.ms;

-- name: left_writing
SELECT r.*, u.id AS run_id, s.name AS source_name, s.sha256 AS source_sha256
FROM row r JOIN run u ON u.number = r.run JOIN source s ON s.number = r.source
WHERE r.id IN (
    SELECT id FROM row WHERE due_ms IS NULL AND status = 'writing'
        AND status IN ('pending', 'writing', 'deferred', 'doubtful'))
ORDER BY r.id;

-- name: doubt_left
UPDATE row SET status = :status, holds = :holds, counts = :counts, doubt = 1, due_ms = :due_ms, crashes = crashes + 1,
    attempts = max(0, attempts - 1), reason = 'process_died',
    settled_ms = :settled_ms, first_tried_ms = NULL
WHERE id = :id;

-- name: unpark
UPDATE row SET due_ms = :now_ms, first_tried_ms = NULL, first_deferred_ms = NULL, deferrals = 0
WHERE due_ms IS NULL AND status IN ('pending', 'deferred', 'doubtful')
    AND status IN ('pending', 'writing', 'deferred', 'doubtful')
    AND run NOT IN (
        SELECT number FROM run WHERE NOT intake_complete AND on_conflict <> 'newest');

-- name: reopenable
SELECT r.id, r.key, r.status FROM row r
WHERE r.run = :run AND r.status = :status AND r.erased_ms IS NULL ORDER BY r.id;

-- name: reopen
UPDATE row SET status = 'pending', holds = 1, counts = 1, due_ms = :now_ms, attempts = 0, crashes = 0, deferrals = 0,
    first_tried_ms = NULL, first_deferred_ms = NULL, settled_ms = NULL, lane = min(lane, 1)
WHERE id = :id;

-- name: campaign_pace
SELECT tat_us, paused_until_us, epoch FROM campaign WHERE id = :campaign;

-- name: set_tat
UPDATE campaign SET tat_us = :tat_us WHERE id = :campaign AND epoch = :epoch;

-- name: set_pause
UPDATE campaign SET paused_until_us = max(paused_until_us, :until_us) WHERE id = :campaign;

-- name: note_pace
INSERT INTO run_pace (
    run, campaign, requests, throttled, peak_per_second, active_seconds, limit_per_second)
VALUES (
    :run, :campaign, :requests, :throttled, :peak_per_second, :active_seconds, :limit_per_second)
ON CONFLICT (run, campaign) DO UPDATE SET
    requests = requests + excluded.requests,
    throttled = throttled + excluded.throttled,
    peak_per_second = max(peak_per_second, excluded.peak_per_second),
    active_seconds = active_seconds + excluded.active_seconds,
    limit_per_second = excluded.limit_per_second;

-- name: note_work
UPDATE run SET worked_ms = worked_ms + :worked_ms WHERE number = :run;

-- name: runs
SELECT * FROM run ORDER BY number DESC LIMIT :most;

-- name: count_runs
SELECT count(*) FROM run;

-- name: one_run
SELECT * FROM run WHERE id = :run;

-- name: newest_open_run
SELECT id FROM run u
WHERE NOT intake_complete
    OR EXISTS (SELECT 1 FROM row WHERE run = u.number AND status IN (
        'pending', 'writing', 'deferred', 'doubtful'))
    OR EXISTS (
        SELECT 1 FROM follow_up WHERE run = u.number AND state IN ('waiting', 'sending'))
ORDER BY number DESC LIMIT 1;

-- name: sources
SELECT * FROM source WHERE run = :run ORDER BY number;

-- name: tallies
SELECT status, reason, campaign, outcome, count(*) AS rows
FROM row WHERE run = :run GROUP BY status, reason, campaign, outcome;

-- name: standings
SELECT status, count(*) AS rows FROM row WHERE run = :run GROUP BY status;

-- name: open_rows
-- Two counts over indexes; the rows that wait are not read.
SELECT campaign, count(*) AS rows FROM row WHERE due_ms IS NOT NULL GROUP BY campaign
UNION ALL
SELECT campaign, count(*) AS rows FROM row WHERE due_ms IS NULL AND status IN (
    'pending', 'writing', 'deferred', 'doubtful') GROUP BY campaign;

-- name: latencies
SELECT phase, ms, rows, total_us, max_ms FROM run_latency
WHERE run = :run AND rows > 0 ORDER BY phase, ms;

-- name: rows_of_run
SELECT id, source, line, cells, campaign, contact, outcome, status, reason, words, problems,
    attempts, settled_ms, (
        SELECT group_concat(told, '; ') FROM (
            SELECT f.kind || CASE f.target WHEN '' THEN '' ELSE ' ' || f.target END || ': '
                || f.state AS told
            FROM follow_up f WHERE f.row = row.id ORDER BY f.kind, f.target)) AS follow_ups
FROM row WHERE run = :run ORDER BY id;

-- name: first_rows
-- Which rows they are is told by the index; only they are read.
SELECT id, source, line, cells, campaign, contact, outcome, status, reason, words, problems,
    attempts, settled_ms, (
        SELECT group_concat(told, '; ') FROM (
            SELECT f.kind || CASE f.target WHEN '' THEN '' ELSE ' ' || f.target END || ': '
                || f.state AS told
            FROM follow_up f WHERE f.row = row.id ORDER BY f.kind, f.target)) AS follow_ups
FROM row WHERE id IN (
    SELECT id FROM row INDEXED BY row_standing
    WHERE run = :run AND status IN (SELECT value FROM json_each(:statuses))
    ORDER BY id LIMIT :most)
ORDER BY id;

-- name: pace
SELECT * FROM run_pace WHERE run = :run ORDER BY campaign;

-- name: paused
SELECT id, paused_until_us FROM campaign WHERE paused_until_us > :now_us ORDER BY id;

-- name: entries
SELECT entry FROM audit WHERE TRUE
    AND (:campaign IS NULL OR campaign = :campaign)
    AND (:contact IS NULL OR contact = :contact)
    AND (:from_ms IS NULL OR at_ms >= :from_ms)
    AND (:until_ms IS NULL OR at_ms < :until_ms)
ORDER BY number;

-- name: entries_of_run
SELECT entry FROM audit WHERE run = :run
    AND (:campaign IS NULL OR campaign = :campaign)
    AND (:contact IS NULL OR contact = :contact)
    AND (:from_ms IS NULL OR at_ms >= :from_ms)
    AND (:until_ms IS NULL OR at_ms < :until_ms)
ORDER BY number;

-- name: entries_of_contact
SELECT entry FROM audit WHERE contact = :contact
    AND (:campaign IS NULL OR campaign = :campaign)
    AND (:contact IS NULL OR contact = :contact)
    AND (:from_ms IS NULL OR at_ms >= :from_ms)
    AND (:until_ms IS NULL OR at_ms < :until_ms)
ORDER BY number;

-- name: audit_last
-- The number of the last entry, which is the leaf of the next one.
SELECT coalesce(max(number), 0) FROM audit;

-- name: audit_sealed
SELECT coalesce((SELECT size FROM audit_checkpoint ORDER BY number DESC LIMIT 1), 0);

-- name: audit_clock
SELECT CAST(coalesce(max(latest_ms), 0) AS INTEGER) FROM audit_clock;

-- name: set_audit_clock
UPDATE audit_clock
SET latest_ms = CASE WHEN :step THEN :at_ms ELSE max(latest_ms, :at_ms) END;

-- name: audit_times
SELECT min(at_ms), max(at_ms) FROM audit WHERE number > :first AND number <= :last;

-- name: audit_texts
SELECT number, CAST(entry AS BLOB) AS entry FROM audit
WHERE number > :first ORDER BY number LIMIT :most;

-- name: audit_tile
SELECT hashes FROM audit_tile WHERE level = :level AND place = :place;

-- name: audit_tile_keys
SELECT level, place FROM audit_tile ORDER BY level, place;

-- name: put_audit_tile
INSERT INTO audit_tile (level, place, hashes) VALUES (:level, :place, :hashes)
ON CONFLICT (level, place) DO UPDATE SET hashes = excluded.hashes;

-- name: add_audit_checkpoint
INSERT INTO audit_checkpoint (size, at_ms, note) VALUES (:size, :at_ms, :note);

-- name: audit_checkpoints
SELECT number, size, at_ms, note FROM audit_checkpoint ORDER BY number;

-- name: audit_latest_checkpoint
SELECT number, size, at_ms, note FROM audit_checkpoint ORDER BY number DESC LIMIT 1;

-- name: audit_acts
-- Entries about the log itself belong to no run.
SELECT number, entry FROM audit WHERE run = 0 ORDER BY number;

-- name: audit_entries
SELECT a.number, a.at_ms, CASE WHEN a.run = 0 THEN '' ELSE coalesce(u.id, '?') END AS run_id,
    a.row, a.campaign, a.contact, a.entry, r.notes, r.custom_fields, r.call_personal,
    r.salt
FROM audit a LEFT JOIN run u ON u.number = a.run LEFT JOIN row r ON r.id = a.row
ORDER BY a.number;

-- name: audit_entries_of_row
SELECT a.number, a.at_ms, CASE WHEN a.run = 0 THEN '' ELSE coalesce(u.id, '?') END AS run_id,
    a.row, a.campaign, a.contact, a.entry, r.notes, r.custom_fields, r.call_personal,
    r.salt
FROM row r JOIN audit a ON a.contact = r.contact AND a.row = r.id JOIN run u ON u.number = a.run
WHERE r.id = :row ORDER BY a.number;

-- name: audit_chosen
SELECT number, entry FROM audit WHERE number <= :size
    AND (:run IS NULL OR run = :run)
    AND (:campaign IS NULL OR campaign = :campaign)
    AND (:contact IS NULL OR contact = :contact)
    AND (:from_ms IS NULL OR at_ms >= :from_ms)
    AND (:until_ms IS NULL OR at_ms < :until_ms)
ORDER BY number;

-- name: rows_of_person
SELECT r.run, r.line, r.campaign, r.erased_ms, s.name AS source_name,
    r.status IN ('pending', 'writing', 'deferred', 'doubtful') AS open
FROM row r JOIN source s ON s.number = r.source
WHERE r.contact = :contact AND (:campaign = '' OR r.campaign = :campaign) ORDER BY r.id;

-- name: events_of_person
SELECT o.number, o.body FROM outbox o JOIN row r ON r.id = o.row
WHERE r.contact = :contact AND (:campaign = '' OR r.campaign = :campaign);

-- name: events_of_row
SELECT number, body FROM outbox WHERE row = :row;

-- name: strip_event
UPDATE outbox SET body = :body WHERE number = :number;

-- name: forget_answers
-- What the CRM said of an event may repeat what it was told.
UPDATE delivery SET answer = '' WHERE event = :number;

-- name: erase_rows
UPDATE row SET cells = '[]', notes = NULL, custom_fields = NULL, call_personal = NULL,
    words = '', salt = NULL, erased_ms = :now_ms
WHERE contact = :contact AND (:campaign = '' OR campaign = :campaign) AND erased_ms IS NULL;

-- name: unnamed_rows
-- Rows that were never sent because they did not tell whose they are, with what they said.
SELECT r.id, r.run, r.line, r.campaign, r.erased_ms, r.cells, s.name AS source_name, 0 AS open
FROM row r JOIN source s ON s.number = r.source
WHERE r.contact = '' AND r.status = 'invalid' AND r.erased_ms IS NULL
    AND (:campaign = '' OR r.campaign IN ('', :campaign))
ORDER BY r.id;

-- name: erase_unnamed_row
UPDATE row SET cells = '[]', words = '', salt = NULL, erased_ms = :now_ms WHERE id = :id;

-- name: erase_row
UPDATE row SET cells = '[]', notes = NULL, custom_fields = NULL, call_personal = NULL,
    words = '', salt = NULL, erased_ms = :now_ms
WHERE id = :id AND erased_ms IS NULL
    AND status NOT IN ('pending', 'writing', 'deferred', 'doubtful')
    AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.contact = row.contact AND a.row = row.id)
    AND NOT EXISTS (
        SELECT 1 FROM follow_up f WHERE f.row = row.id AND f.state IN ('waiting', 'sending'));

-- name: result_files_of_run
SELECT f.directory, u.id FROM result_file f JOIN run u ON u.number = f.run WHERE f.run = :run;

-- name: note_result_file
INSERT OR IGNORE INTO result_file (run, directory)
SELECT number, :directory FROM run WHERE id = :run;

-- name: expirable
-- Entries about the log itself stay: they say what was taken out, and by whom.
SELECT number, row FROM audit
WHERE run <> 0 AND number <= :sealed AND at_ms < :before_ms AND NOT EXISTS (
    SELECT 1 FROM json_each(:holds) h
    WHERE (json_extract(h.value, '$[0]') IN ('', audit.contact))
        AND (json_extract(h.value, '$[1]') IN ('', audit.campaign)))
ORDER BY number LIMIT :most;

-- name: remove_entry
DELETE FROM audit WHERE number = :number;

-- name: remains_present
SELECT 1 FROM remains WHERE present;

-- name: remains_gone
UPDATE remains SET present = 0;

-- name: forecast
-- What the next turns would make of a run's waiting rows, by campaign.
SELECT campaign, sum(newer) AS superseded, sum(NOT newer) AS to_write,
    sum(NOT newer AND lane = 0) AS opt_outs
FROM (
    SELECT r.campaign, r.lane, EXISTS (
        SELECT 1 FROM row o
        WHERE o.campaign = r.campaign AND o.contact = r.contact
            AND (o.timestamp_ms, o.id) > (r.timestamp_ms, r.id)
            AND o.counts
        ) AS newer
    FROM row r WHERE r.run = :run AND r.status = 'pending')
GROUP BY campaign ORDER BY campaign;

-- name: call_entries
-- Entries of calls: a duplicate is no call of its own, and of an invalid row nothing is known.
SELECT a.row, a.entry FROM audit a JOIN row r ON r.id = a.row
WHERE r.status <> 'duplicate' AND r.status <> 'invalid'
    AND (:campaign IS NULL OR a.campaign = :campaign)
    AND (:contact IS NULL OR a.contact = :contact)
    AND (:from_ms IS NULL OR a.at_ms >= :from_ms)
    AND (:until_ms IS NULL OR a.at_ms < :until_ms)
ORDER BY a.number;

-- name: call_entries_of_run
SELECT a.row, a.entry FROM audit a JOIN row r ON r.id = a.row
WHERE a.run = :run AND r.status <> 'duplicate' AND r.status <> 'invalid'
    AND (:campaign IS NULL OR a.campaign = :campaign)
    AND (:contact IS NULL OR a.contact = :contact)
    AND (:from_ms IS NULL OR a.at_ms >= :from_ms)
    AND (:until_ms IS NULL OR a.at_ms < :until_ms)
ORDER BY a.number;

-- name: entries_of_repeats
-- Of the same disposition fed again with a call record, which completes the first one's.
SELECT a.entry FROM row r
JOIN row d ON d.key = r.key AND d.status = 'duplicate' AND d.call_record IS NOT NULL
JOIN audit a ON a.contact = d.contact AND a.row = d.id
WHERE r.id = :row ORDER BY a.number;
