-- The latest time of day at which something was stored in the audit log, or up to a second less:
-- one page more in every commit would cost more than it tells.

-- A process that dies before it seals anything leaves here how late its clock was. What an entry
-- says itself could not tell a clock that was set back from an entry that was back-dated.
CREATE TABLE audit_clock (latest_ms INTEGER NOT NULL);

INSERT INTO audit_clock (latest_ms)
SELECT coalesce((SELECT at_ms FROM audit_checkpoint ORDER BY number DESC LIMIT 1), 0);

CREATE TRIGGER audit_clock_goes_on AFTER INSERT ON audit
WHEN new.at_ms > (SELECT latest_ms FROM audit_clock) + 1000
BEGIN
    UPDATE audit_clock SET latest_ms = new.at_ms;
END;
