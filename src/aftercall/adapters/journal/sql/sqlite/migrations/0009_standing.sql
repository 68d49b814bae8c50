-- Whether a row holds its key, and whether it counts against older ones of its contact.

-- Both follow from the status. As columns of their own they change only where the answer does, and
-- so do the entries of the two indexes below, which lie far apart: with the status in their
-- conditions each claim and each settlement moved them, a page of the file for every one.
ALTER TABLE row ADD COLUMN holds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE row ADD COLUMN counts INTEGER NOT NULL DEFAULT 0;

UPDATE row SET
    holds = status IN (
        'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'superseded'),
    counts = status IN (
        'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
        'missing', 'rejected', 'failed');

DROP INDEX row_holder;
CREATE UNIQUE INDEX row_holder ON row (key) WHERE holds;

DROP INDEX row_contact;
CREATE INDEX row_contact ON row (campaign, contact, timestamp_ms, id) WHERE counts;
