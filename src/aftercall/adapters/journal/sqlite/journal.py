"""The whole journal in a SQLite file: its ports, opened and closed together."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from aftercall.adapters.journal.sqlite.archive import SqliteArchive
from aftercall.adapters.journal.sqlite.audit_log import SqliteAuditArchive, SqliteAuditLog
from aftercall.adapters.journal.sqlite.claims import SqliteClaims
from aftercall.adapters.journal.sqlite.connection import (
    check_schema,
    connect,
    create,
    is_migrated,
    lock,
    migrate,
    told,
    unlock,
)
from aftercall.adapters.journal.sqlite.follow_ups import SqliteFollowUps
from aftercall.adapters.journal.sqlite.intake import SqliteIntake
from aftercall.adapters.journal.sqlite.keeping import SqliteKeeping
from aftercall.adapters.journal.sqlite.opt_outs import SqliteOptOuts
from aftercall.adapters.journal.sqlite.outbox import SqliteOutbox
from aftercall.adapters.journal.sqlite.pacing import SqlitePacing
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.errors import JournalError


class SqliteJournal:
    """A journal that this process alone works on."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, made if there is none, and take its lock.

        Raises:
            JournalBusy: another process works on it.
            JournalError: it cannot be opened.
        """
        create(path)
        self._lock = lock(path)
        try:
            db = connect(path, write=True)
            migrate(db, path)
            self.archive = SqliteArchive(connect(path, write=False), path)
            reading = connect(path, write=False)
            audit = connect(path, write=False)
            follow_ups = connect(path, write=False)
        except BaseException:
            unlock(self._lock)
            raise
        self._writer = Writer(db, path)
        self.intake = SqliteIntake(self._writer)
        self.claims = SqliteClaims(self._writer)
        self.pacing = SqlitePacing(self._writer)
        self.outbox = SqliteOutbox(self._writer, reading, path)
        self.follow_ups = SqliteFollowUps(self._writer, follow_ups, path)
        self.audit = SqliteAuditLog(self._writer, audit, path)
        self.keeping = SqliteKeeping(self._writer, audit, path)
        self.opt_outs = SqliteOptOuts(self._writer)

    def close(self) -> None:
        """Finish what was handed over, then let go of the file."""
        # The writer goes last: the last to close brings the log into the file, which the archive,
        # read-only, may not. What is copied then as one file is the whole journal.
        self.outbox.close()
        self.follow_ups.close()
        self.archive.close()
        self.audit.close()
        self._writer.close()
        unlock(self._lock)


@contextmanager
def outbox_beside(path: Path) -> Iterator[SqliteOutbox]:
    """Give the outbox of a journal that another process works on, which it goes on with.

    Only for what is one short transaction: to replay events, to enable an endpoint.

    Raises:
        JournalError: it cannot be opened.
    """
    writer = Writer(connect(path, write=True), path)
    outbox = SqliteOutbox(writer, connect(path, write=False), path)
    try:
        yield outbox
    finally:
        outbox.close()
        writer.close()


@contextmanager
def opt_outs_beside(path: Path) -> Iterator[SqliteOptOuts]:
    """Give what acknowledges opt-outs in a journal that another process works on.

    Raises:
        JournalError: it cannot be opened.
    """
    writer = Writer(connect(path, write=True), path)
    try:
        yield SqliteOptOuts(writer)
    finally:
        writer.close()


def open_archive(path: Path) -> SqliteArchive:
    """Open the journal at `path` for reading only; a process that works on it goes on.

    Raises:
        JournalError: there is none, or it cannot be read.
    """
    return SqliteArchive(_readable(path), path)


def open_audit(path: Path) -> SqliteAuditArchive:
    """Open the audit log of the journal at `path` for reading only.

    Raises:
        JournalError: there is none, it cannot be read, or an earlier aftercall has written it.
    """
    db = _readable(path)
    if not is_migrated(db):
        db.close()
        message = f"The journal {path} was written by an earlier aftercall."
        raise JournalError(
            message,
            fix="Let this one bring it up to date, which seals its entries, too.",
            next_command="aftercall audit seal",
        )
    # One instant for all that is read, while a run goes on.
    db.execute("BEGIN")
    return SqliteAuditArchive(db, path)


def _readable(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        message = f"There is no journal at {path}."
        fix = "Run a sync first, or say where the journal is with --journal."
        raise JournalError(message, fix=fix, next_command="aftercall sync calls.csv")
    db = connect(path, write=False)
    try:
        check_schema(db, path)
    except BaseException:
        db.close()
        raise
    return db


def note_results(path: Path, run: str, directory: Path) -> None:
    """Note in the journal at `path` that result files of a run are written to a directory.

    A process that works on the journal goes on; this waits for its turn like any of its commits.

    Raises:
        JournalError: it cannot be written.
    """
    with told(path), closing(connect(path, write=True)) as db:
        if is_migrated(db):
            values = {"run": run, "directory": os.fsencode(directory)}
            db.execute(statement("note_result_file"), values)


def copy_journal(path: Path, copy: Path) -> None:
    """Copy the journal at `path`, if there is one, as it stands at one instant.

    A process that works on it goes on meanwhile (sqlite.org/backup.html).

    Raises:
        JournalError: it cannot be read.
    """
    create(copy)
    if not path.is_file():
        return
    with (
        told(path),
        closing(connect(path, write=False)) as kept,
        closing(connect(copy, write=True)) as fresh,
    ):
        kept.backup(fresh)
