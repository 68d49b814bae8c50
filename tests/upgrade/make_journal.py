"""Writes a small journal of the schema that this version of aftercall has, as SQL text.

`python -m tests.upgrade.make_journal tests/upgrade/schema_N.sql`, once for each released schema;
what was written is never written again: it stands for the journals that users have.
"""

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from aftercall.adapters.journal.sqlite import SqliteJournal
from tests.contract.rig import (
    BROKEN,
    BUSY,
    GONE,
    HELD,
    LOST,
    REFUSED,
    WRITTEN,
    Rig,
    broken,
    candidate,
)


async def fill(journal: SqliteJournal) -> None:
    """Bring rows of every kind in."""
    rig = Rig(journal)
    verdicts = {"P1": WRITTEN, "P2": HELD, "P3": REFUSED, "P4": GONE, "P5": LOST, "P6": BROKEN}
    for contact, verdict in (verdicts | {"P7": BUSY}).items():
        await rig.bring(verdict, contact)
    await rig.admit(candidate("P1", line=9), broken(10))
    await rig.admit(candidate("P8", line=11), candidate("P9", line=12))
    source = await rig.source()
    await journal.intake.close_source(source)
    await journal.intake.finish(source.run, 1)
    # A process that dies here leaves P8 in mid-write.
    await rig.turn(rows_max=1)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal.db"
        journal = SqliteJournal(path)
        asyncio.run(fill(journal))
        journal.close()
        with closing(sqlite3.connect(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            owner = db.execute("PRAGMA application_id").fetchone()[0]
            pragmas = [f"PRAGMA application_id = {owner};", f"PRAGMA user_version = {version};"]
            Path(sys.argv[1]).write_text("\n".join([*db.iterdump(), *pragmas, ""]))


if __name__ == "__main__":
    main()
