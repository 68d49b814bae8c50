-- Commitments in audit entries, and what makes the trail tamper-evident.

-- The opening of a row's commitments is its salt and its personal columns; to erase a person is to
-- destroy them. Rows that can still get an entry have their salt now; the others' entries are made.
ALTER TABLE row ADD COLUMN salt BLOB;
UPDATE row SET salt = randomblob(32) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'missing', 'rejected', 'failed');

-- The Merkle tree over the entries: tiles of up to 256 hashes of 32 bytes (c2sp.org/tlog-tiles).
-- The leaf of entry n is n - 1. Entries from before the first checkpoint are sealed with it.
CREATE TABLE audit_tile (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, place)
);

-- What the log was at one time, as a signed note. Its size is how many entries are sealed.
CREATE TABLE audit_checkpoint (
    number INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    note TEXT NOT NULL
);

-- Entries about the log itself (keys, holds, erasures, expiry) have run 0 and row 0.
-- What erasing needs to know: where result files were written, which rows hold nothing any more,
-- and whether the file may hold remains from before deleted content was overwritten at once.
CREATE TABLE result_file (
    run INTEGER NOT NULL REFERENCES run (number),
    directory BLOB NOT NULL, -- as the system spells it, which need not be text
    PRIMARY KEY (run, directory)
) WITHOUT ROWID;
ALTER TABLE row ADD COLUMN erased_ms INTEGER;
CREATE TABLE remains (present INTEGER NOT NULL);
INSERT INTO remains SELECT EXISTS (SELECT 1 FROM row);
