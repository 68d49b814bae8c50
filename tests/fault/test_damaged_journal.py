"""A journal that was damaged: told in words with what to restore, or worked on rightly."""

import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from aftercall.domain.status import Status
from aftercall.errors import JournalError

from .rig import SEED, Rig, names, row, rows_for

PLACES = 16
PAGE = 4096


def damaged(journal: Path, dice: random.Random) -> None:
    """Overwrite a piece of the file, or cut it off."""
    content = bytearray(journal.read_bytes())
    if dice.random() < 0.25:
        journal.write_bytes(content[: dice.randrange(1, len(content))])
        return
    first = dice.randrange(len(content))
    length = dice.choice((1, 16, PAGE, 3 * PAGE))
    content[first : first + length] = dice.randbytes(len(content[first : first + length]))
    journal.write_bytes(content)


async def test_damage_anywhere_is_told_or_harmless(rig: Rig) -> None:
    """It is never a traceback, and never a row that is lost without a word."""
    await rig.sync([row(name, notes="n" * 300) for name in names(80)])
    whole = rig.journal.with_name("whole.db")
    shutil.copy(rig.journal, whole)
    dice = random.Random(SEED)
    told = 0
    for number in range(PLACES):
        for file in rig.directory.glob("journal.db*"):
            file.unlink()
        shutil.copy(whole, rig.journal)
        damaged(rig.journal, dice)
        report, refusal = None, None
        try:
            report = await rig.sync(rows_for([f"new{number}"]))
        except JournalError as trouble:
            refusal = trouble
        if refusal is not None:
            told += 1
            assert refusal.fix
            assert refusal.message.splitlines() == [refusal.message]
            assert "damaged" not in refusal.message or "Restore it from a backup" in refusal.fix
        assert report is None or report.statuses == {Status.APPLIED: 1}
    assert told, "no damage was seen"
    landed = [change["contact"] for change in rig.ledger()]
    assert len(landed) == len(set(landed)), "something was written twice"


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
async def test_rubbish_in_the_place_of_the_log_loses_nothing(rig: Rig, suffix: str) -> None:
    """What a crash of the machine may leave: SQLite takes no log whose checksums do not fit."""
    await rig.sync(rows_for(["p1"]))
    log = rig.journal.with_name(f"{rig.journal.name}{suffix}")
    log.write_bytes(random.Random(SEED).randbytes(5 * PAGE))
    report = await rig.sync(rows_for(["p1", "p2"]))

    assert report.statuses == {Status.APPLIED: 1, Status.DUPLICATE: 1}
    with closing(sqlite3.connect(rig.journal)) as db, suppress(sqlite3.OperationalError):
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
