"""Opening the journal's file: its mode, its lock, its schema, and errors that a user can act on."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from aftercall.errors import JournalBusy, JournalError

MODE = 0o600
"""The journal holds personal data: nobody but its owner reads it."""

VERSION_MIN = (3, 35, 0)
WRITER_CACHE_KIB = 16_384
READER_CACHE_KIB = 2_048
"""Readers go through a table once, from one end to the other: a cache would only cost memory."""

APPLICATION = 0x61667463
"""What the file's header says of whose it is ("aftc", sqlite.org/pragma.html)."""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the file at `path`, which exists.

    A writer commits durably: WAL (see `migrate`) with ``synchronous = FULL`` syncs the log at
    every commit (sqlite.org/pragma.html#pragma_synchronous).

    Raises:
        JournalError: it is no journal, or cannot be opened.
    """
    if sqlite3.sqlite_version_info < VERSION_MIN:
        message = f"This Python has SQLite {sqlite3.sqlite_version}, which is too old."
        raise JournalError(message, fix="Use a Python with SQLite 3.35 or later.")
    mode = "rw" if write else "ro"
    with told(path):
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=10.0,
        )
        db.row_factory = sqlite3.Row
        db.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB if write else READER_CACHE_KIB}")
        if write:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA journal_size_limit = 67108864")
    return db


def create(path: Path) -> None:
    """Make an empty file at `path` unless there is one, readable by its owner alone.

    Raises:
        JournalError: it cannot be made, is no plain file, or is a link.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    except OSError as trouble:
        raise _refusal(path, trouble) from None
    os.close(handle)


def lock(path: Path) -> int:
    """Take the lock which says that this process works on the journal; return its handle.

    The system lets go of it when the process ends, however it ends.

    Raises:
        JournalBusy: another process has it.
        JournalError: the lock file cannot be made.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    except OSError as trouble:
        raise _refusal(beside, trouble) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
        os.close(handle)
        who = f"process {owner}" if owner.isdigit() else "another process"
        message = f"The journal {path} is being worked on by {who}."
        fix = "Wait until it has ended, or give another journal with --journal."
        raise JournalBusy(message, fix=fix, next_command="aftercall runs") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def unlock(handle: int) -> None:
    """Let go of the lock."""
    os.close(handle)


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, each step in one transaction with the record of it.

    Raises:
        JournalError: a later aftercall has written the file, or it is no journal.
    """
    with told(path):
        steps = _steps()
        owner = db.execute("PRAGMA application_id").fetchone()[0]
        if owner != APPLICATION and db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            message = f"{path} is a SQLite file, but no journal."
            raise JournalError(message, fix="Give another path with --journal.")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(steps):
            message = f"The journal {path} was written by a later aftercall (schema {version})."
            fix = f"This one knows schemas up to {len(steps)}: install the later one."
            raise JournalError(message, fix=fix)
        # Not before it is known to be ours: the mode stays with the file.
        db.execute("PRAGMA journal_mode = WAL")
        for number, step in enumerate(steps[version:], version + 1):
            db.executescript(f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;")


def _steps() -> list[str]:
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite" / "migrations"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql")]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into an error that says what to do."""
    try:
        yield
    except sqlite3.Error as trouble:
        raise journal_error(path, trouble) from None


def journal_error(path: Path, trouble: sqlite3.Error) -> JournalError:
    """Return the error that a user is shown for what SQLite raised."""
    words = str(trouble)
    if "disk is full" in words or "disk I/O error" in words:
        message = f"The journal {path} could not be written: {words}."
        fix = "Make room on that disk. Nothing is lost: what was settled before is on disk."
        return JournalError(message, fix=fix, next_command="aftercall resume")
    if "not a database" in words or "malformed" in words:
        message = f"{path} is not a journal or is damaged: {words}."
        fix = "Restore it from a backup, or give another path with --journal."
        return JournalError(message, fix=fix)
    if "locked" in words or "busy" in words:
        message = f"The journal {path} is locked by another program."
        return JournalBusy(message, fix="Close the program that has it open and try again.")
    if "readonly" in words or "unable to open" in words:
        message = f"The journal {path} cannot be written: {words}."
        return JournalError(message, fix="Check who owns the file and its directory.")
    return JournalError(f"The journal {path} cannot be used: {words}.", fix="")


def _refusal(path: Path, trouble: OSError) -> JournalError:
    fixes = {
        errno.ENOENT: "Make that directory, or give another path with --journal.",
        errno.EACCES: "Check who owns the directory, or give another path with --journal.",
        errno.EROFS: "The disk is read-only: give another path with --journal.",
        errno.ELOOP: "It is a symbolic link: give the file itself.",
        errno.EISDIR: "It is a directory: give the path of a file.",
        errno.ENOSPC: "The disk is full: make room.",
    }
    message = f"The journal {path} cannot be opened: {trouble.strerror}."
    return JournalError(message, fix=fixes.get(trouble.errno or 0, "Check the path."))
