"""A journal of each released schema opens, goes on and loses nothing; a copy of it is kept."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal, connection, open_archive
from aftercall.adapters.journal.sqlite.connection import BACKUP_MARK
from aftercall.domain.status import Status
from aftercall.engine.overview import report_of
from aftercall.errors import JournalError
from aftercall.settings import OptOuts
from aftercall.wiring.opt_outs import terms_of
from tests.contract.rig import NOW, WRITTEN, Rig
from tests.fault.deaths import as_toml
from tests.fault.nursery import NURSERY, later_schemas
from tests.fault.rig import quick

HERE = Path(__file__).parent
SCHEMAS = sorted(HERE.glob("schema_*.sql"))
TERMS = terms_of(OptOuts(), {})
STEP = "ALTER TABLE run ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';"
STATUSES = {
    "applied": 1, "unchanged": 1, "rejected": 1, "missing": 1, "doubtful": 1, "pending": 2,
    "deferred": 1, "duplicate": 1, "invalid": 1, "writing": 1,
}  # fmt: skip


@pytest.fixture(params=SCHEMAS, ids=lambda path: path.stem)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A journal as an earlier aftercall left it."""
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(request.param.read_text())
    return path


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def statuses_of(path: Path) -> Counter[str]:
    with closing(sqlite3.connect(path)) as db:
        return Counter(row[0] for row in db.execute("SELECT status FROM row"))


def with_step(monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    """Have this aftercall know one schema more than it does; return its number."""
    steps = [*connection._steps(), *more]
    monkeypatch.setattr(connection, "_steps", lambda: steps)
    return len(steps)


async def test_a_journal_of_each_schema_opens_and_goes_on(journal: Path) -> None:
    assert statuses_of(journal) == STATUSES
    opened = SqliteJournal(journal)
    try:
        assert await opened.claims.recover(NOW) == 1
        report = report_of(opened.archive, "run-1", TERMS)
        assert report.reconciles
        assert report.read == sum(STATUSES.values())
        rig = Rig(opened)
        turn = await rig.turn(at_ms=NOW + 10**7)
        assert len(turn.claims) == 5
        for claim in turn.claims:
            assert await rig.settle(claim, WRITTEN, NOW + 10**7)
        assert report_of(opened.archive, "run-1", TERMS).count(Status.APPLIED) == 6
    finally:
        opened.close()
    assert version_of(journal) == len(connection._steps())


def test_a_copy_is_made_before_the_schema_changes(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_of(journal)
    after = with_step(monkeypatch, STEP)
    SqliteJournal(journal).close()

    copy = journal.with_name(f"{journal.name}{BACKUP_MARK}{before}")
    assert version_of(journal) == after
    assert version_of(copy) == before
    assert statuses_of(copy) == statuses_of(journal) == STATUSES
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_step_that_fails_changes_nothing_and_says_where_the_copy_is(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_of(journal)
    with_step(monkeypatch, STEP, "INSERT INTO no_such_table VALUES (1);")
    with pytest.raises(JournalError, match="could not be brought to schema") as caught:
        SqliteJournal(journal)

    copy = journal.with_name(f"{journal.name}{BACKUP_MARK}{before}")
    assert str(copy) in caught.value.fix
    assert version_of(journal) == before
    with closing(sqlite3.connect(journal)) as db:
        assert "colour" not in {row[1] for row in db.execute("PRAGMA table_info(run)")}
    monkeypatch.undo()
    SqliteJournal(journal).close()
    assert statuses_of(journal) == STATUSES


def test_a_journal_that_is_new_or_up_to_date_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    SqliteJournal(path).close()

    assert not list(tmp_path.glob(f"*{BACKUP_MARK}*"))


def test_a_link_in_the_place_of_the_copy_is_not_followed(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    part = journal.with_name(f"{journal.name}{BACKUP_MARK}{version_of(journal)}.part")
    part.symlink_to(victim)
    with_step(monkeypatch, STEP)
    with pytest.raises(JournalError, match=r"symbolic link|Too many"):
        SqliteJournal(journal)

    assert victim.read_text() == "mine"


def test_a_damaged_journal_is_told_with_the_copy_to_restore(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_step(monkeypatch, STEP)
    SqliteJournal(journal).close()
    journal.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(JournalError, match="damaged") as caught:
        SqliteJournal(journal)

    assert BACKUP_MARK in caught.value.fix


def test_a_journal_of_an_earlier_schema_is_not_read_as_if_it_were_of_this_one(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_step(monkeypatch, STEP)
    with pytest.raises(JournalError, match="earlier aftercall") as caught:
        open_archive(journal)

    assert caught.value.next_command == "aftercall resume"


DIES = """
import os, signal, sys
from pathlib import Path
from aftercall.adapters.journal.sqlite import connection, journal

def connect(path, *, write):
    db = kept(path, write=write)
    db.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return db

kept, journal.connect = journal.connect, connect
steps = [*connection._steps(), sys.argv[2], "SELECT die();"]
connection._steps = lambda: steps
journal.SqliteJournal(Path(sys.argv[1]))
"""


def test_a_process_that_dies_while_the_schema_changes_loses_nothing(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_of(journal)
    done = subprocess.run([sys.executable, "-c", DIES, journal, STEP], check=False)

    assert done.returncode == -signal.SIGKILL
    copy = journal.with_name(f"{journal.name}{BACKUP_MARK}{before}")
    assert version_of(journal) == version_of(copy) == before
    assert statuses_of(journal) == statuses_of(copy) == STATUSES
    after = with_step(monkeypatch, STEP)
    SqliteJournal(journal).close()
    assert version_of(journal) == after
    assert statuses_of(journal) == STATUSES


def test_a_death_at_each_step_of_an_upgrade_can_be_gone_on_from_and_taken_back(
    journal: Path, tmp_path: Path
) -> None:
    """At each SQL statement and each change of a file: the journal opens, and so does its copy."""
    released = journal.read_bytes()
    before = version_of(journal)
    config = quick("http://127.0.0.1:9", None, journal)
    (tmp_path / "aftercall.toml").write_text(as_toml(config))
    task = {"words": ["audit", "seal"], "directory": str(tmp_path), "later_schemas": 1}
    restored = 0
    looked_at: set[bytes] = set()

    def put(content: bytes) -> None:
        for file in tmp_path.glob("journal.db*"):
            file.unlink()
        journal.write_bytes(content)

    for step in range(1, 120):
        put(released)
        life = asyncio.run(NURSERY.live({**task, "step": step}))
        if not life.killed:
            break
        left = b"".join(file.read_bytes() for file in sorted(tmp_path.glob("journal.db*")))
        if left in looked_at:
            continue  # Most statements change nothing.
        looked_at.add(left)
        copy = journal.with_name(f"{journal.name}{BACKUP_MARK}{before}")
        kept = copy.read_bytes() if copy.exists() else None
        with later_schemas(1):
            assert version_of(journal) in {before, len(connection._steps())}
            SqliteJournal(journal).close()
            assert version_of(journal) == len(connection._steps())
        assert statuses_of(journal) == STATUSES, life.place
        if kept is not None:
            restored += 1
            put(kept)
            assert (version_of(journal), statuses_of(journal)) == (before, STATUSES), life.place
            SqliteJournal(journal).close()
            assert statuses_of(journal) == STATUSES, life.place
    assert (life.code, restored > 2) == (0, True), life.err
