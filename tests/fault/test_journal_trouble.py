"""The disk is full, the directory cannot be written, somebody else has the journal."""

import os
import resource
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import aftercall
from aftercall.adapters.journal.sqlite.connection import journal_error
from aftercall.domain.status import Status
from aftercall.errors import JournalBusy, JournalError
from aftercall.simulator import Simulator, SimulatorConfig

from .books import assert_books_balance
from .processes import drive, start, write_calls
from .rig import ENVIRONMENT, Rig, quick, row, rows_for, until

NOBODY = 65534
ROWS = 300
CANNOT_OPEN = "unable to open database file"


# The first two strike while the rows come in, the others while they are worked on.
@pytest.mark.parametrize("file_bytes", [250_000, 700_000, 2_000_000, 2_600_000])
async def test_a_full_disk_is_told_and_costs_nothing(
    rig: Rig, tmp_path: Path, file_bytes: int
) -> None:
    path = write_calls(tmp_path / "calls.csv", ROWS, 6)
    told = await drive(rig, [path], file_bytes=file_bytes)

    assert told is not None
    assert told["error"] == "JournalError"
    assert "could not be written" in told["message"]
    assert "Make room" in told["fix"]
    assert (rig.ledger() == []) == (file_bytes < 1_000_000)
    final = await drive(rig, [path])
    assert final is not None
    assert final["report"]["open"] == 0
    async with rig.session() as session:
        reports = [session.report(run.run) for run in session.journal.archive.runs()]
    assert sum(report.read for report in reports) >= ROWS
    assert_books_balance(reports, rig.ledger(), rig.crm())


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Let nobody write into a directory and its files for a while."""
    files = list(directory.iterdir())
    for file in files:
        file.chmod(0o444)
    directory.chmod(0o555)
    try:
        with without_privileges():
            yield
    finally:
        directory.chmod(0o755)


async def test_a_directory_that_cannot_be_written_is_told(rig: Rig) -> None:
    await rig.sync([])  # All modules are loaded, which nobody might not be allowed to do.
    with tempfile.TemporaryDirectory() as made:
        journal = {"url": f"sqlite:///{made}/journal.db"}
        with read_only(Path(made)), pytest.raises(JournalError) as caught:
            await rig.sync([row("p1")], journal=journal)

    assert "cannot be opened" in caught.value.message
    assert "--journal" in caught.value.fix
    assert rig.answers("TOKEN") == {"200": 1}


async def test_a_journal_that_was_made_read_only_is_told(rig: Rig) -> None:
    with tempfile.TemporaryDirectory() as made:
        journal = {"url": f"sqlite:///{made}/journal.db"}
        first = await rig.sync(rows_for(["p1"]), journal=journal)
        assert first.statuses == {Status.APPLIED: 1}
        with read_only(Path(made)), pytest.raises(JournalError) as caught:
            await rig.sync([row("p2")], journal=journal)

    assert made in caught.value.message
    assert len(rig.ledger()) == 1


async def test_a_file_that_is_no_journal_is_left_as_it_is(rig: Rig) -> None:
    rig.journal.write_text("my shopping list\n" * 100)
    with pytest.raises(JournalError, match="not a journal"):
        await rig.sync([row("p1")])

    assert rig.journal.read_text() == "my shopping list\n" * 100


async def test_a_second_process_is_turned_away(rig: Rig, tmp_path: Path) -> None:
    path = write_calls(tmp_path / "calls.csv", 300, 2)
    slow = {"limits": {"requests_per_second": 20.0}}
    process = await start(rig, {"config": rig.config(**slow), "files": [str(path)]})
    await until(lambda: rig.has_changed(3))
    with pytest.raises(JournalBusy) as caught:
        await rig.sync([row("p1")])
    told = await drive(rig, [path])

    assert f"process {process.pid}" in caught.value.message
    assert caught.value.exit_code == 75
    assert told is not None
    assert told["error"] == "JournalBusy"
    process.kill()
    await process.communicate()
    report = await rig.resume()
    assert report.open == 0
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_second_session_of_this_process_is_turned_away_too(rig: Rig) -> None:
    async with rig.session():
        with pytest.raises(JournalBusy):
            await rig.sync([row("p1")])
    report = await rig.sync([row("p1")])
    assert report.statuses == {Status.APPLIED: 1}


async def test_the_journal_is_private(rig: Rig) -> None:
    await rig.sync([row("p1")])

    modes = {file.stat().st_mode & 0o777 for file in rig.directory.glob("journal.db*")}
    assert modes == {0o600}


async def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    async with Simulator(SimulatorConfig()) as simulator:
        config = quick(simulator.url, None, tmp_path / "no" / "such" / "journal.db")
        with pytest.raises(JournalError, match="No such file"):
            async with aftercall.open(config, ENVIRONMENT):
                pass


def test_a_process_that_may_open_no_more_files_is_told_so(tmp_path: Path) -> None:
    held: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        trouble = journal_error(tmp_path / "a.db", sqlite3.OperationalError(CANNOT_OPEN))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for handle in held:
            os.close(handle)
    assert "may open no more files" in trouble.message
    assert "ulimit -n" in trouble.fix
    other = journal_error(tmp_path / "a.db", sqlite3.OperationalError(CANNOT_OPEN))
    assert "who owns" in other.fix
