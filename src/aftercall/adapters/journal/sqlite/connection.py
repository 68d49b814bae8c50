"""Opening the journal's file: its mode, its lock, its schema, and errors that a user can act on."""

import errno
import fcntl
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from importlib import resources
from pathlib import Path

from aftercall.errors import JournalBusy, JournalError

MODE = 0o600
"""The journal holds personal data: nobody but its owner reads it."""

VERSION_MIN = (3, 35, 0)
WRITER_CACHE_KIB = 16_384
READER_CACHE_KIB = 2_048
"""Readers go through a table once, from one end to the other: a cache would only cost memory."""

LOCK_ATTEMPTS = 5
LOCK_PAUSE_SECONDS = 0.02

MORE_HANDLES = "Raise the limit (ulimit -n), or lower limits.concurrency."

BACKUP_MARK = ".backup-schema-"
"""Follows the journal's name in the name of the copy that is made before its schema changes."""

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
    mode = "rw" if write else "ro&immutable=1" if _stands_still(path) else "ro"
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
            # What is replaced or erased is overwritten at once, not left in the file.
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA journal_size_limit = 67108864")
    return db


def _stands_still(path: Path) -> bool:
    """Say whether a journal lies where nothing can be written, and nobody is at work on it.

    Only then can it be read without the files beside it that readers of a journal share
    (sqlite.org/wal.html#read_only_databases).

    Raises:
        JournalError: its last changes are in a file beside it that only a writer can take in.
    """
    if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-shm").exists():
        return False
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        message = f"The last changes of {path} are in {log.name}, and nothing can be written there."
        raise JournalError(
            message, fix="Copy both files to where you may write, and read the copy."
        )
    return True


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


@dataclass(frozen=True, slots=True)
class Lock:
    """What says that this process works on a journal: two files that it has locked.

    One lies beside the journal. The other is named by what the journal is, not by where, so that
    it counts when the journal was moved, or the file beside it deleted.

    Attributes:
        handles: the files.
        identity: the path of the second one, which is removed at the end.
    """

    handles: tuple[int, int]
    identity: Path


def lock(path: Path) -> Lock:
    """Take the lock which says that this process works on the journal.

    The system lets go of it when the process ends, however it ends. The journal itself is not
    opened for it: to close it would drop the locks of SQLite (sqlite.org/howtocorrupt.html).

    Raises:
        JournalBusy: another process has it.
        JournalError: a lock file cannot be made, or the journal has a second name.
    """
    beside = _lock_file(_beside(path), path)
    try:
        identity = _identity(path)
        return Lock((beside, _lock_file(identity, path)), identity)
    except BaseException:
        os.close(beside)
        raise


def unlock(held: Lock) -> None:
    """Let go of the lock."""
    with suppress(OSError):
        held.identity.unlink()
    for handle in held.handles:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Say whether a process works on the journal at `path` now."""
    try:
        handle = os.open(_beside(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _identity(path: Path) -> Path:
    """Return the lock file that is named by what the journal is."""
    try:
        facts = path.stat(follow_symlinks=False)
    except OSError as trouble:
        raise _refusal(path, trouble) from None
    if facts.st_nlink > 1:
        # SQLite's log lies beside the name by which the file was opened.
        message = f"The journal {path} has {facts.st_nlink} names (hard links)."
        fix = "Under two names it would be destroyed: remove the others, or make a copy."
        raise JournalError(message, fix=fix)
    return _identities() / f"{facts.st_dev}-{facts.st_ino}.lock"


def _identities() -> Path:
    """Return the directory of the locks by identity: ours, and closed to everybody else."""
    uid = os.getuid()
    try:
        directory = Path(tempfile.gettempdir()) / f"aftercall-{uid}"
        directory.mkdir(mode=0o700, exist_ok=True)
        facts = directory.stat(follow_symlinks=False)
    except OSError as trouble:
        message = f"The directory for locks cannot be used: {trouble.strerror}."
        fix = "Name a directory that you can write in TMPDIR."
        raise JournalError(message, fix=fix) from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != uid or facts.st_mode & 0o077:
        message = f"{directory} is for locks, but is not a directory of yours alone."
        raise JournalError(message, fix="Remove it, or name another directory in TMPDIR.")
    return directory


def _lock_file(file: Path, path: Path) -> int:
    """Make a file and lock it; who has it is written into it."""
    owner = b""
    for _ in range(LOCK_ATTEMPTS):
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        except OSError as trouble:
            raise _refusal(file, trouble) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _names(file, handle):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
                return handle
        except BlockingIOError:
            owner = os.pread(handle, 32, 0)
        except OSError as trouble:
            os.close(handle)
            raise _refusal(file, trouble) from None
        os.close(handle)
        time.sleep(LOCK_PAUSE_SECONDS)  # It may be one who only asked, see `is_held`.
    raise _busy(path, owner)


def _names(file: Path, handle: int) -> bool:
    """Say whether a path still leads to an open file, which somebody may have deleted."""
    try:
        return os.path.samestat(file.stat(follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def _busy(path: Path, owner: bytes) -> JournalBusy:
    number = owner.decode(errors="replace").strip()
    who = f"process {number}" if number.isdigit() else "another process"
    message = f"The journal {path} is being worked on by {who}."
    fix = "Wait until it has ended, or give another journal with --journal."
    return JournalBusy(message, fix=fix, next_command="aftercall runs")


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date: all steps in one transaction, after a copy of the journal.

    Interrupted, it leaves the journal as it was; the next process that opens it begins again.

    Raises:
        JournalError: a later aftercall has written the file, it is no journal, or a step failed.
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
        if version == len(steps):
            return
        copy = back_up(db, path, version) if version else None
        _take_steps(db, path, steps[version:], copy)


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Check that what reads only finds the tables that it knows.

    Raises:
        JournalError: an earlier aftercall has written the file, and nothing was worked on since.
    """
    with told(path):
        version = db.execute("PRAGMA user_version").fetchone()[0]
    if 0 < version < len(_steps()):
        message = f"The journal {path} was written by an earlier aftercall (schema {version})."
        fix = "Go on with a run, which brings it up to date; a copy is kept beside it."
        raise JournalError(message, fix=fix, next_command="aftercall resume")


def _take_steps(
    db: sqlite3.Connection, path: Path, steps: Sequence[str], copy: Path | None
) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0] + len(steps)
    script = "\n".join(["BEGIN IMMEDIATE;", *steps, f"PRAGMA user_version = {version};", "COMMIT;"])
    try:
        db.executescript(script)
    except sqlite3.Error as trouble:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if copy is None:
            raise
        message = f"The journal {path} could not be brought to schema {version}: {trouble}."
        fix = f"It is as it was before, and so is its copy {copy}: go on with the former aftercall."
        raise JournalError(message, fix=fix) from None


def back_up(db: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy a journal of an earlier schema beside itself, whole or not at all; return where.

    Raises:
        JournalError: the copy cannot be made.
    """
    whole = path.with_name(f"{path.name}{BACKUP_MARK}{version}")
    part = whole.with_name(f"{whole.name}.part")
    create(part)
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        db.backup(copy)
    part.replace(whole)
    return whole


def drop_backups(path: Path) -> None:
    """Remove the copies of earlier schemas beside a journal: they hold what is erased in it.

    Raises:
        JournalError: one cannot be removed.
    """
    for copy in backups_of(path):
        try:
            copy.unlink(missing_ok=True)
        except OSError as trouble:
            message = f"{copy} still holds what was erased: {trouble.strerror}."
            raise JournalError(message, fix="Remove it.") from None


def backups_of(path: Path) -> list[Path]:
    """Return the copies of earlier schemas beside a journal, the oldest first."""
    return sorted(path.parent.glob(f"{escape(path.name)}{BACKUP_MARK}*"))


def is_migrated(db: sqlite3.Connection) -> bool:
    """Say whether a journal has the newest schema."""
    return int(db.execute("PRAGMA user_version").fetchone()[0]) == len(_steps())


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
        copies = backups_of(path)
        if copies:
            fix += f" A copy from before the last change of its schema is {copies[-1]}."
        return JournalError(message, fix=fix)
    if "locked" in words or "busy" in words:
        message = f"The journal {path} is locked by another program."
        return JournalBusy(message, fix="Close the program that has it open and try again.")
    if "unable to open" in words and not _handle_left():
        message = f"The journal {path} cannot be opened: this process may open no more files."
        return JournalError(message, fix=MORE_HANDLES)
    if "readonly" in words or "unable to open" in words:
        message = f"The journal {path} cannot be written: {words}."
        return JournalError(message, fix="Check who owns the file and its directory.")
    return JournalError(f"The journal {path} cannot be used: {words}.", fix="")


def _handle_left() -> bool:
    """Say whether this process may open another file; SQLite does not tell."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as trouble:
        return trouble.errno not in {errno.EMFILE, errno.ENFILE}
    return True


def _refusal(path: Path, trouble: OSError) -> JournalError:
    fixes = {
        errno.ENOENT: "Make that directory, or give another path with --journal.",
        errno.EACCES: "Check who owns the directory, or give another path with --journal.",
        errno.EROFS: "The disk is read-only: give another path with --journal.",
        errno.ELOOP: "It is a symbolic link: give the file itself.",
        errno.EISDIR: "It is a directory: give the path of a file.",
        errno.ENOSPC: "The disk is full: make room.",
        errno.EMFILE: MORE_HANDLES,
    }
    message = f"The journal {path} cannot be opened: {trouble.strerror}."
    return JournalError(message, fix=fixes.get(trouble.errno or 0, "Check the path."))
