"""`kill -9` in the midst of admits and settlements: what was acknowledged is there afterwards."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.domain.status import Status

from .rig import NOW, RUN, Rig
from .sqlite_store import SqliteStore

WORK = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from aftercall.adapters.journal.sqlite import SqliteJournal
from contract.rig import NOW, WRITTEN, Rig, candidate

async def settle(rig, claim):
    if await rig.settle(claim, WRITTEN):
        print("settled", claim.disposition.contact, flush=True)

async def main():
    rig = Rig(SqliteJournal(Path(sys.argv[1])))
    for batch in range(10_000):
        names = [f"P{batch}-{each}" for each in range(20)]
        await rig.admit(*(candidate(name) for name in names))
        print("admitted", *names, flush=True)
        claims = (await rig.turn(rows_max=10)).claims
        print("claimed", *(claim.disposition.contact for claim in claims), flush=True)
        await asyncio.gather(*(settle(rig, claim) for claim in claims))

asyncio.run(main())
"""


def work_until_killed(path: Path, lines: int) -> dict[str, set[str]]:
    """Start a process that works on the journal, kill it after so many lines; return its words."""
    tests = Path(__file__).parent.parent
    told: dict[str, set[str]] = {"admitted": set(), "claimed": set(), "settled": set()}
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(path), str(tests)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, 1):
            # The last line may be cut: it was never acknowledged.
            if line.endswith("\n"):
                what, *names = line.split()
                told[what].update(names)
            if number == lines:
                process.kill()
    assert process.returncode == -signal.SIGKILL
    return told


@pytest.mark.parametrize("lines", [1, 2, 7, 40, 111])
async def test_what_was_acknowledged_before_kill_9_is_in_the_journal(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "journal.db"
    told = work_until_killed(path, lines)
    assert sum(map(len, told.values())) >= lines

    journal = SqliteJournal(path)
    rig = Rig(journal)
    stored = {row.contact: row.status for row in rig.rows()}
    assert told["admitted"] <= set(stored)
    assert {stored[name] for name in told["settled"]} <= {Status.APPLIED}
    assert {stored[name] for name in told["claimed"]} <= {Status.WRITING, Status.APPLIED}
    assert journal.archive.runs(RUN)[0].read == len(stored)

    # Each applied row has its entry and its event, and nothing else has one: all or nothing.
    applied = sorted(name for name, status in stored.items() if status is Status.APPLIED)
    events = await rig.due(events_max=10_000)
    assert len(events) == len(applied)
    with SqliteStore(path).beside() as db:
        entries = [row[0] for row in db.execute("SELECT contact FROM audit ORDER BY contact")]
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert entries == applied

    left = sum(status is Status.WRITING for status in stored.values())
    assert await journal.claims.recover(NOW) == left
    assert rig.statuses().count(Status.DOUBTFUL) == left
    journal.close()
