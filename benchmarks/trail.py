"""What the audit trail costs: sealing against the cost of a row, checking it, proving a row.

Processor time of this process, so that others on the machine do not count.
"""

import asyncio
import atexit
import json
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal, open_audit
from aftercall.adapters.signing import Ed25519Signer, verify
from aftercall.engine.checkpoints import Trust
from aftercall.engine.proving import prove_row
from aftercall.engine.sealing import Sealer
from aftercall.engine.verifying import verify_log
from aftercall.engine.watched_clock import WatchedClock
from benchmarks.filling import filled
from benchmarks.peers import fast_server
from benchmarks.rig import CAMPAIGNS, ours

PROOFS = 50


def sealing(size: int) -> dict[str, float]:
    """Return what sealing adds to the cost of a row: a share of all that else is done for it."""
    with fast_server() as one:
        row = ours(one, size).cpu_seconds / size
    spent = _sealed(size)[2] / size
    return {
        "sealing, share of the cost of a row": spent / (row - spent),
        "sealing, microseconds an entry": spent * 1e6,
    }


def checking(size: int) -> dict[str, float]:
    """Return what it takes to check a whole trail, and to prove rows of it."""
    path, signer, _ = _sealed(size)
    started = time.process_time()
    with open_audit(path) as archive:
        found = verify_log(archive, Trust([signer.key], [], verify))
    took = time.process_time() - started
    if found.entries != size + 1 or found.opened != size:
        message = f"{found.entries} entries, {found.opened} opened"
        raise RuntimeError(message)
    slowest, largest = _proofs(path, size)
    return {
        "audit verify, CPU seconds": took,
        "audit prove, slowest, ms": slowest,
        "audit prove, largest, bytes": largest,
    }


def _proofs(path: Path, size: int) -> tuple[float, int]:
    slowest, largest = 0.0, 0
    with open_audit(path) as archive:
        for number in range(PROOFS):
            started = time.perf_counter()
            proof = prove_row(archive, 1 + number * (size - 1) // PROOFS)
            slowest = max(slowest, time.perf_counter() - started)
            largest = max(largest, len(json.dumps(proof, indent=2).encode()))
    return slowest * 1000, largest


@cache
def _sealed(size: int) -> tuple[Path, Ed25519Signer, float]:
    """Make a sealed trail; return where, who signed it, and the seconds that sealing took."""
    directory = Path(tempfile.mkdtemp(prefix="aftercall-bench-"))
    atexit.register(shutil.rmtree, directory)
    path = filled(directory, size, CAMPAIGNS, settled=True)
    journal = SqliteJournal(path)
    signer = Ed25519Signer.generate("aftercall/bench")
    started = time.process_time()
    asyncio.run(Sealer(journal.audit, signer, WatchedClock(SystemClock())).seal())
    took = time.process_time() - started
    journal.close()
    return path, signer, took
