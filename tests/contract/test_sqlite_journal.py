from collections.abc import Iterator
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.ports import WaitingRows

from .journal_contract import JournalContract
from .rig import BROKEN, NOON, RUN, WRITTEN, Rig, Store, broken, candidate
from .sqlite_store import SqliteStore


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path / "journal.db")


class TestSqliteArchive:
    """What the archive of a SQLite journal tells beyond its port."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(tmp_path / "journal.db")
        yield journal
        journal.close()

    async def test_open_rows_are_counted_by_campaign(self, journal: SqliteJournal) -> None:
        rig = Rig(journal)
        await rig.bring(WRITTEN, "P0")
        await rig.bring(BROKEN, "P1")
        await rig.admit(candidate("P2"), candidate("P3", campaign="C2"), broken(), run="run-2")
        await rig.turn("C2")
        assert journal.archive.open_rows() == {"C1": 2, "C2": 1}

    async def test_it_tells_what_turns_would_make_of_a_run(self, journal: SqliteJournal) -> None:
        rig = Rig(journal)
        await rig.admit(
            candidate(timestamp=NOON),
            candidate(timestamp=NOON.replace(hour=13)),
            candidate("P2", outcome="DO_NOT_CALL"),
            candidate("P3", campaign="C2"),
            broken(),
        )
        await rig.admit(candidate("P4"), run="run-2")
        assert journal.archive.waiting(RUN) == [
            WaitingRows("C1", superseded=1, to_write=2, opt_outs=1),
            WaitingRows("C2", superseded=0, to_write=1, opt_outs=0),
        ]
        assert len((await rig.turn()).settled) == 1
