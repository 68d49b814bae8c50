"""The journal's disk: SQLite itself, in memory, which outlives the process that dies on it.

The writer is the product's own; only its thread is replaced. A commit takes some virtual time, and
operations that come in meanwhile share it, as they do with the thread.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aftercall.adapters.journal.sqlite.connection import migrate
from aftercall.adapters.journal.sqlite.writer import GROUP_MAX, LINGER_SECONDS, Writer, _Job

from .virtual import Died, VirtualLoop

if TYPE_CHECKING:
    from asyncio import TimerHandle

PATH = Path("/simulated/journal.db")
COMMIT_SECONDS = 0.002

WATCHES = """
CREATE TEMP TABLE legal (was TEXT, becomes TEXT, PRIMARY KEY (was, becomes)) WITHOUT ROWID;
INSERT INTO legal VALUES
    ('pending', 'writing'), ('deferred', 'writing'), ('doubtful', 'writing'),
    ('pending', 'superseded'), ('deferred', 'superseded'), ('pending', 'invalid'),
    ('writing', 'applied'), ('writing', 'unchanged'), ('writing', 'superseded'),
    ('writing', 'missing'), ('writing', 'rejected'), ('writing', 'failed'),
    ('writing', 'deferred'), ('writing', 'pending'), ('writing', 'doubtful'),
    ('failed', 'pending'), ('rejected', 'pending'), ('missing', 'pending'),
    ('failed', 'duplicate'), ('rejected', 'duplicate'), ('missing', 'duplicate');
CREATE TEMP TRIGGER watch_status BEFORE UPDATE OF status ON main.row
    WHEN NOT EXISTS (SELECT 1 FROM legal WHERE was = OLD.status AND becomes = NEW.status)
    BEGIN SELECT raise(ABORT, 'G1: a status changed in a way that the table does not list'); END;
CREATE TEMP TRIGGER watch_rows BEFORE DELETE ON main.row
    BEGIN SELECT raise(ABORT, 'G1: a row was deleted'); END;
CREATE TEMP TRIGGER watch_entries BEFORE DELETE ON main.audit
    BEGIN SELECT raise(ABORT, 'G7: an audit entry was deleted'); END;
CREATE TEMP TRIGGER watch_entry BEFORE UPDATE OF entry ON main.audit
    BEGIN SELECT raise(ABORT, 'G7: an audit entry was changed'); END;
CREATE TEMP TRIGGER watch_events BEFORE DELETE ON main.outbox
    BEGIN SELECT raise(ABORT, 'G6: a CRM event was deleted'); END;
"""
"""Looks at every statement of every history; written from the documentation, not from the code."""


class Disk(sqlite3.Connection):
    """A connection that can fail, or let the process die, at a statement or a commit."""

    statements = 0
    commits = 0
    dies_at_statement = 0
    dies_after_commit = 0
    fails_at_commit = 0
    failure = ""

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        self.statements += 1
        if self.statements == self.dies_at_statement:
            raise Died("killed at a statement")
        if sql != "COMMIT":
            return super().execute(sql, *given)
        self.commits += 1
        if self.commits == self.fails_at_commit:
            raise sqlite3.OperationalError(self.failure)
        done = super().execute(sql, *given)
        if self.commits == self.dies_after_commit:
            raise Died("killed when a commit was on disk")
        return done

    def powered_up(self) -> None:
        """Begin anew, as a process does that opens the file: what was not committed is gone."""
        if self.in_transaction:
            self.rollback()
        self.statements = self.commits = 0
        self.dies_at_statement = self.dies_after_commit = self.fails_at_commit = 0

    def ask(self, sql: str, *given: object) -> list[sqlite3.Row]:
        """Look at what is stored, past the counting."""
        return super().execute(sql, given).fetchall()


_image: list[bytes] = []


def new_disk() -> Disk:
    """Return a migrated journal on a disk of its own, watched."""
    disk = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=Disk)
    disk.row_factory = sqlite3.Row
    if not _image:
        migrate(disk, PATH)
        _image.append(disk.serialize())
    else:
        disk.deserialize(_image[0])
    sqlite3.Connection.execute(disk, "PRAGMA foreign_keys = ON")
    disk.executescript(WATCHES)
    return disk


class SteppedWriter(Writer):
    """The journal's writer without its thread: commits happen on the virtual loop."""

    def __init__(self, disk: Disk, loop: VirtualLoop, latency: Callable[[], float]) -> None:
        self._db = disk
        self._path = PATH
        self._loop = loop
        self._latency = latency
        self._waiting: list[_Job] = []
        self._timer: TimerHandle | None = None
        self._busy = False

    def _put(self, job: _Job) -> None:
        self._waiting.append(job)
        self._plan(patient=job.patient)

    def close(self) -> None:
        """Finish what was handed over."""
        while self._waiting:
            self._flush()

    def _plan(self, *, patient: bool) -> None:
        if self._busy:
            return
        if self._timer is not None:
            if patient:
                return
            self._timer.cancel()
        wait = LINGER_SECONDS if patient else 0.0
        self._timer = self._loop.call_later(wait, self._begin)

    def _begin(self) -> None:
        self._timer, self._busy = None, True
        self._loop.call_later(COMMIT_SECONDS * (0.2 + self._latency()), self._flush)

    def _flush(self) -> None:
        self._busy = False
        group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
        if group:
            self._commit(group)
        if self._waiting:
            self._plan(patient=False)
