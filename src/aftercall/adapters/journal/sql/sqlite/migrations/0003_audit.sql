-- Commitments in audit entries, and what makes the trail tamper-evident.

-- The opening of a row's commitments is its salt and its personal columns; to erase a person is to
-- destroy them. Rows that can still get an entry have their salt now; the others' entries are made.
ALTER TABLE row ADD COLUMN salt BLOB;
UPDATE row SET salt = randomblob(32) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'missing', 'rejected', 'failed');
