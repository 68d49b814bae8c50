"""`kill -9` while entries are sealed: the journal holds, and the next process goes on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aftercall.adapters.signing import Ed25519Signer, load_signer, write_key

from .rig import NAME, Copy, desk, trust

WORK = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.signing import load_signer
from tests.audit.rig import Clock, Desk

class Killing:
    '''The journal's writer, which dies within a seal's transaction.'''
    def __init__(self, writer, passage):
        self.writer, self.passage = writer, passage
    async def run(self, operation, *, patient=False):
        self.passage -= 1
        def dying(db):
            result = operation(db)
            if not self.passage:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return await self.writer.run(dying, patient=patient)

async def settle(desk):
    for number in range(10_000):
        await desk.settle(f"P{number}")
        print("settled", flush=True)

async def seal(desk):
    sealer = desk.sealer
    while True:
        await sealer.seal()
        print("sealed", desk.journal.audit.sealed(), flush=True)

async def main():
    path = Path(sys.argv[1])
    journal = SqliteJournal(path)
    journal.audit._writer = Killing(journal.audit._writer, int(sys.argv[3]))
    desk = Desk(path, journal, load_signer(path.with_name("key")), Clock())
    await asyncio.gather(settle(desk), seal(desk))

asyncio.run(main())
"""


@pytest.mark.parametrize(("passage", "lines"), [(1, 0), (2, 0), (5, 0), (0, 9), (0, 60), (0, 151)])
async def test_a_sealer_that_is_killed_leaves_a_trail_that_fits(
    tmp_path: Path, passage: int, lines: int
) -> None:
    path = tmp_path / "journal.db"
    write_key(tmp_path / "key", Ed25519Signer.generate(NAME))
    signer = load_signer(tmp_path / "key")
    assert signer is not None
    settled = sealed = 0
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else is to go on meanwhile
        [sys.executable, "-c", WORK, str(path), root, str(passage)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, 1):
            if line.startswith("settled\n"):
                settled += 1
            elif line.endswith("\n"):
                sealed = int(line.split()[1])
            if number == lines:
                process.kill()
    assert process.returncode == -signal.SIGKILL

    with desk(path, signer) as again:
        # It may have died when it had sealed, but not introduced its key yet.
        before = Copy(path, trust()).verified()
        kept = before.entries - before.unsealed
        assert before.entries >= settled
        assert kept >= sealed
        await again.sealer.seal()
        after = Copy(path, trust(signer.key)).verified()
        assert after.unsealed == 0
        assert after.entries >= before.entries
