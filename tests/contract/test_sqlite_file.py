"""What a journal is as a file: who may read it, who may have it, what is refused and how."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal, copy_journal, open_archive
from aftercall.adapters.journal.sqlite.connection import is_held
from aftercall.domain.opt_outs import OptOutFilter
from aftercall.domain.status import OPEN, Status
from aftercall.errors import JournalBusy, JournalError

from .rig import RUN, WRITTEN, Rig, candidate
from .sqlite_store import SqliteStore

OPEN_AND_SAY = """
import os, sys
from pathlib import Path
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.errors import AftercallError
if sys.argv[2] == "nobody":
    os.chdir(sys.argv[1])
    sys.argv[1] = "journal.db"
    if os.getuid() == 0:  # Root may write anywhere.
        os.setgid(65534)
        os.setuid(65534)
try:
    SqliteJournal(Path(sys.argv[1])).close()
except AftercallError as trouble:
    print(type(trouble).__name__, trouble.exit_code, trouble.message, trouble.fix, sep="|")
else:
    print("opened")
"""


def open_elsewhere(path: Path, who: str = "me") -> str:
    """Open the journal at `path` in another process; `nobody` is given its directory."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_SAY, str(path), who],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def moved(path: Path) -> Path:
    return path.rename(path.with_name("moved.db"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_second_process_is_told_who_has_the_journal(path: Path) -> None:
    journal = SqliteJournal(path)
    said = open_elsewhere(path)
    assert said.startswith("JournalBusy|75|")
    assert f"process {os.getpid()}" in said
    assert "--journal" in said
    journal.close()
    assert open_elsewhere(path) == "opened"


def test_the_same_process_cannot_open_it_twice_either(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(JournalBusy):
        SqliteJournal(path)
    journal.close()


def test_a_journal_with_two_names_is_refused(path: Path) -> None:
    SqliteJournal(path).close()
    other = path.with_name("other.db")
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(JournalError, match=r"has 2 names \(hard links\)") as refusal:
            SqliteJournal(name)
        assert "make a copy" in refusal.value.fix
    other.unlink()
    SqliteJournal(path).close()


@pytest.mark.parametrize("renamed", [False, True])
def test_a_deleted_lock_file_lets_nobody_in(path: Path, *, renamed: bool) -> None:
    journal = SqliteJournal(path)
    if renamed:
        path = path.rename(path.with_name("moved.db"))
    else:
        path.with_name("journal.db.lock").unlink()
    said = open_elsewhere(path)
    assert said.startswith("JournalBusy|75|")
    assert f"process {os.getpid()}" in said
    journal.close()


def test_a_lock_by_identity_is_left_behind_by_nobody(path: Path) -> None:
    directory = Path(tempfile.gettempdir()) / f"aftercall-{os.getuid()}"
    journal = SqliteJournal(path)
    facts = path.stat()
    file = directory / f"{facts.st_dev}-{facts.st_ino}.lock"
    assert file.is_file()
    assert directory.stat().st_mode & 0o777 == 0o700
    journal.close()
    assert not file.exists()


def test_a_directory_of_locks_that_others_can_write_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent))
    directory = path.parent / f"aftercall-{os.getuid()}"
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(JournalError, match="is not a directory of yours alone"):
        SqliteJournal(path)
    directory.rmdir()
    SqliteJournal(path).close()


def test_it_can_be_asked_whether_a_journal_is_worked_on(path: Path) -> None:
    assert not is_held(path)
    journal = SqliteJournal(path)
    assert is_held(path)
    journal.close()
    assert not is_held(path)


def test_a_lock_file_that_is_replaced_meanwhile_is_taken_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = path.with_name("journal.db.lock")
    real = fcntl.flock
    deleted: list[int] = []

    def flock(handle: int, how: int) -> None:
        if not deleted:
            deleted.append(handle)
            beside.unlink()
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    journal = SqliteJournal(path)
    assert is_held(path)
    journal.close()


async def test_an_archive_names_the_campaigns_that_are_paused(path: Path) -> None:
    journal = SqliteJournal(path)
    rig = Rig(journal)
    await rig.admit(candidate())
    await journal.pacing.pause("C1", 5_000)
    assert journal.archive.paused(4_999) == {"C1": 5_000}
    assert journal.archive.paused(5_000) == {}
    journal.close()


def test_a_journal_that_could_not_be_opened_is_not_left_locked(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(JournalError):
        SqliteJournal(path)
    path.unlink()
    SqliteJournal(path).close()
    assert path.stat().st_size > 0


async def test_all_files_of_a_journal_are_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = SqliteJournal(path)
        await Rig(journal).admit(candidate())
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert modes == {
        "journal.db": 0o600,
        "journal.db-wal": 0o600,
        "journal.db-shm": 0o600,
        "journal.db.lock": 0o600,
    }


async def test_a_closed_journal_is_whole_in_its_one_file(path: Path) -> None:
    journal = SqliteJournal(path)
    await Rig(journal).bring(WRITTEN)
    journal.close()
    assert {file.name for file in path.parent.iterdir()} == {"journal.db", "journal.db.lock"}
    with open_archive(moved(path)) as archive:
        assert [row.status for row in archive.rows(RUN, tuple(Status))] == [Status.APPLIED]


def test_a_symbolic_link_is_refused(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere.db"))
    with pytest.raises(JournalError) as refusal:
        SqliteJournal(path)
    assert refusal.value.fix == "It is a symbolic link: give the file itself."
    assert not path.with_name("elsewhere.db").exists()


def test_a_lock_that_is_a_symbolic_link_is_refused(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_text("precious")
    path.with_name("journal.db.lock").symlink_to(victim)
    with pytest.raises(JournalError):
        SqliteJournal(path)
    assert victim.read_text() == "precious"


def test_a_directory_and_a_missing_directory_are_refused_with_a_fix(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError) as refusal:
        SqliteJournal(path)
    assert refusal.value.fix == "It is a directory: give the path of a file."
    with pytest.raises(JournalError) as refusal:
        SqliteJournal(path / "no" / "journal.db")
    assert refusal.value.fix.startswith("Make that directory")


@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_that_cannot_be_written_is_refused_with_a_fix(
    tmp_path: Path, *, exists: bool
) -> None:
    place = tmp_path / "readonly"
    place.mkdir()
    if exists:
        (place / "journal.db").touch()
        (place / "journal.db").chmod(0o666)
    place.chmod(0o555)
    said = open_elsewhere(place, "nobody")
    place.chmod(0o700)
    assert said.startswith("JournalError|1|")
    assert "Check who owns the directory" in said


READ_AND_SAY = """
import os, sys
from contextlib import closing
from pathlib import Path
from aftercall.adapters.journal.sqlite import SqliteJournal, open_archive, open_audit
from aftercall.errors import AftercallError

def read(path):
    try:
        with open_archive(path) as archive, closing(open_audit(path)) as audit:
            return *(run.run for run in archive.runs()), audit.stored()
    except AftercallError as trouble:
        return trouble.message, trouble.fix

elsewhere = Path(sys.argv[2])
SqliteJournal(elsewhere).close()
read(elsewhere)  # All modules are there now: nobody may not read where they are.
if os.getuid() == 0:  # Root may write anywhere.
    os.setgid(65534)
    os.setuid(65534)
print(*read(Path(sys.argv[1])))
"""


@pytest.fixture
async def shelved() -> AsyncIterator[Path]:
    """A journal where nothing can be written by whoever is not root, but everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "shelf" / "journal.db"
        path.parent.mkdir()
        path.parent.parent.chmod(0o755)
        journal = SqliteJournal(path)
        await Rig(journal).bring(WRITTEN, "P1")
        journal.close()
        for file in path.parent.iterdir():
            file.chmod(0o644)
        yield path
        path.parent.chmod(0o755)


def read_elsewhere(path: Path) -> str:
    path.parent.chmod(0o555)
    elsewhere = path.parents[1] / "elsewhere.db"
    told = subprocess.run(
        [sys.executable, "-c", READ_AND_SAY, str(path), str(elsewhere)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not told.stderr
    return told.stdout


async def test_a_journal_on_a_medium_that_cannot_be_written_is_read(shelved: Path) -> None:
    assert not list(shelved.parent.glob("*-wal"))
    assert read_elsewhere(shelved) == f"{RUN} 1\n"


async def test_nothing_is_read_past_changes_that_lie_beside_the_journal(shelved: Path) -> None:
    shelved.with_name("journal.db-wal").write_bytes(b"changes")
    said = read_elsewhere(shelved)
    assert "are in journal.db-wal, and nothing can be written there." in said
    assert "Copy both files" in said


def test_garbage_is_no_journal_and_stays_as_it_is(path: Path) -> None:
    garbage = b"campaign,contact\n" * 500
    path.write_bytes(garbage)
    with pytest.raises(JournalError, match="is not a journal or is damaged") as refusal:
        SqliteJournal(path)
    assert "--journal" in refusal.value.fix
    assert path.read_bytes() == garbage


@pytest.mark.parametrize("version", [0, 1, 99])
def test_another_programs_database_is_no_journal_and_stays_as_it_is(
    path: Path, version: int
) -> None:
    with SqliteStore(path).beside() as db:
        db.execute("CREATE TABLE customer (name TEXT)")
        db.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="is a SQLite file, but no journal") as refusal:
        SqliteJournal(path)
    assert refusal.value.fix == "Give another path with --journal."
    assert path.read_bytes() == before


def test_a_journal_of_a_later_aftercall_is_refused(path: Path) -> None:
    SqliteJournal(path).close()
    with SqliteStore(path).beside() as db:
        db.execute("PRAGMA user_version = 99")
        before = [*db.iterdump()]
    with pytest.raises(JournalError, match=r"later aftercall \(schema 99\)") as refusal:
        SqliteJournal(path)
    assert "install the later one" in refusal.value.fix
    with SqliteStore(path).beside() as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 99
        assert [*db.iterdump()] == before


def test_the_schema_is_recorded_and_made_only_once(path: Path) -> None:
    SqliteJournal(path).close()
    with SqliteStore(path).beside() as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        before = db.execute("SELECT * FROM sqlite_schema").fetchall()
    assert version >= 1
    SqliteJournal(path).close()
    with SqliteStore(path).beside() as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == version
        assert db.execute("SELECT * FROM sqlite_schema").fetchall() == before
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_opt_outs_of_an_older_schema_get_their_clock(path: Path) -> None:
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite" / "migrations"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript((folder / "0001_start.sql").read_text(encoding="utf-8"))
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO run (id, on_conflict, started_ms) VALUES ('r', 'newest', 0)")
        db.execute("INSERT INTO source (run, name, options, columns) VALUES (1, 'a', '{}', '[]')")
        for number, status, category in (
            (1, "applied", "opt_out"),
            (2, "duplicate", "opt_out"),
            (3, "rejected", "opt_out"),
            (4, "applied", "positive"),
            (5, "invalid", None),
        ):
            db.execute(
                "INSERT INTO row (id, run, source, line, cells, campaign, contact, outcome, agent,"
                " category, timestamp_ms, status, lane, settled_ms)"
                " VALUES (?, 1, 1, 2, '[]', 'C', 'P', 'DNC', 'A', ?, ?, ?, 0, 99)",
                (number, category, 70 + number, status),
            )
    journal = SqliteJournal(path)
    listed = list(journal.archive.opt_outs(OptOutFilter()))
    journal.close()
    assert [(one.row, one.received_ms) for one in listed] == [(1, 71), (3, 73)]


def test_commits_are_synced_to_disk(path: Path) -> None:
    journal = SqliteJournal(path)
    db = journal._writer._db
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    journal.close()


async def test_another_programs_lock_is_told_as_busy(path: Path) -> None:
    journal = SqliteJournal(path)
    # It is waited for, but not here.
    assert journal._writer._db.execute("PRAGMA busy_timeout").fetchone()[0] == 10_000
    journal._writer._db.execute("PRAGMA busy_timeout = 0")
    with SqliteStore(path).beside() as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalBusy, match="locked by another program"):
            await journal.intake.begin(RUN, "newest", [], 0)
        db.execute("ROLLBACK")
    await journal.intake.begin(RUN, "newest", [], 0)
    assert [run.run for run in journal.archive.runs()] == [RUN]
    journal.close()


async def test_a_full_disk_is_told_with_what_to_do(path: Path) -> None:
    journal = SqliteJournal(path)
    rig = Rig(journal)
    await rig.admit(candidate())
    db = journal._writer._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="could not be written") as refusal:
        await rig.admit(candidate("P2", notes="n" * 100_000))
    assert "Make room" in refusal.value.fix
    assert refusal.value.next_command == "aftercall resume"
    assert rig.statuses() == [Status.PENDING]
    db.execute("PRAGMA max_page_count = 1000000")
    await rig.admit(candidate("P2", notes="n" * 100_000))
    assert rig.statuses() == [Status.PENDING, Status.PENDING]
    journal.close()


async def test_an_archive_reads_while_another_process_works(path: Path) -> None:
    journal = SqliteJournal(path)
    rig = Rig(journal)
    await rig.admit(candidate())
    with open_archive(path) as archive:
        assert len(list(archive.rows(RUN, OPEN))) == 1
        await rig.admit(candidate("P2"))
        assert len(list(archive.rows(RUN, OPEN))) == 2
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            archive._db.execute("DELETE FROM row")
    journal.close()


def test_an_archive_of_nothing_says_what_to_type(path: Path) -> None:
    with pytest.raises(JournalError, match="There is no journal") as refusal:
        open_archive(path)
    assert refusal.value.next_command == "aftercall sync calls.csv"
    assert list(path.parent.iterdir()) == []


async def test_a_copy_is_a_journal_of_its_own(path: Path) -> None:
    journal = SqliteJournal(path)
    rig = Rig(journal)
    await rig.bring(WRITTEN)
    copy = path.with_name("copy.db")
    copy_journal(path, copy)
    await rig.admit(candidate("P2"))
    other = SqliteJournal(copy)
    assert Rig(other).statuses() == [Status.APPLIED]
    assert copy.stat().st_mode & 0o777 == 0o600
    other.close()
    journal.close()


def test_a_copy_of_no_journal_is_an_empty_one(path: Path) -> None:
    copy = path.with_name("copy.db")
    copy_journal(path, copy)
    assert not path.exists()
    journal = SqliteJournal(copy)
    assert journal.archive.runs() == []
    journal.close()
