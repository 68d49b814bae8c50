"""The whole journal in a SQLite file: its four ports, opened and closed together."""

from contextlib import closing
from pathlib import Path

from aftercall.adapters.journal.sqlite.archive import SqliteArchive
from aftercall.adapters.journal.sqlite.claims import SqliteClaims
from aftercall.adapters.journal.sqlite.connection import (
    check_schema,
    connect,
    create,
    lock,
    migrate,
    told,
    unlock,
)
from aftercall.adapters.journal.sqlite.intake import SqliteIntake
from aftercall.adapters.journal.sqlite.outbox import SqliteOutbox
from aftercall.adapters.journal.sqlite.pacing import SqlitePacing
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
        except BaseException:
            unlock(self._lock)
            raise
        self._writer = Writer(db, path)
        self.intake = SqliteIntake(self._writer)
        self.claims = SqliteClaims(self._writer)
        self.pacing = SqlitePacing(self._writer)
        self.outbox = SqliteOutbox(self._writer)

    def close(self) -> None:
        """Finish what was handed over, then let go of the file."""
        # The writer goes last: the last to close brings the log into the file, which the archive,
        # read-only, may not. What is copied then as one file is the whole journal.
        self.archive.close()
        self._writer.close()
        unlock(self._lock)


def open_archive(path: Path) -> SqliteArchive:
    """Open the journal at `path` for reading only; a process that works on it goes on.

    Raises:
        JournalError: there is none, or it cannot be read.
    """
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
    return SqliteArchive(db, path)


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
