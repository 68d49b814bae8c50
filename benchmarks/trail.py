"""What the audit trail costs: sealing against the cost of a row, checking it, proving a row.

Processor time of this process, so that others on the machine do not count.
"""

import asyncio
import atexit
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal, open_audit
from aftercall.adapters.signing import Ed25519Signer, verify
from aftercall.domain import instant
from aftercall.domain.audit import Exchange, Finding, Origin, Subject, audit_entry
from aftercall.domain.commitment import canonical_json
from aftercall.domain.status import Status
from aftercall.engine.checkpoints import Trust
from aftercall.engine.proving import prove_row
from aftercall.engine.sealing import Sealer
from aftercall.engine.verifying import verify_log
from aftercall.engine.watched_clock import WatchedClock
from benchmarks.peers import fast_server
from benchmarks.rig import ours

PROOFS = 50
ROW = (
    "INSERT INTO row (id, run, source, line, cells, notes, salt, campaign, contact, outcome, agent,"
    " status, lane) VALUES (?, 1, 1, ?, '[]', ?, ?, ?, ?, 'INTERESTED', 'a-1', 'applied', 1)"
)
ENTRY = "INSERT INTO audit (at_ms, run, row, campaign, contact, entry) VALUES (?, 1, ?, ?, ?, ?)"


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
    path = directory / "journal.db"
    journal = SqliteJournal(path)
    _fill(path, size)
    signer = Ed25519Signer.generate("aftercall/bench")
    started = time.process_time()
    asyncio.run(Sealer(journal.audit, signer, WatchedClock(SystemClock())).seal())
    took = time.process_time() - started
    journal.close()
    return path, signer, took


def _fill(path: Path, size: int) -> None:
    now_ms = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO run (id, started_ms, on_conflict) VALUES ('bench', 0, 'newest')")
        db.execute(
            "INSERT INTO source (run, name, options, columns) VALUES (1, 'calls.csv', '{}', '[]')"
        )
        for subject in _subjects(size, now_ms):
            place = (subject.campaign, subject.contact)
            notes = subject.personal["notes"]
            db.execute(ROW, (subject.row, subject.row, notes, subject.salt, *place))
            exchange = Exchange(read_ms=41.5, write_ms=44.25, wait_ms=90.0, http_status=204)
            finding = Finding(Status.APPLIED, "written")
            entry = canonical_json(audit_entry(subject, finding, exchange, now_ms))
            db.execute(ENTRY, (now_ms, subject.row, *place, entry))


def _subjects(size: int, now_ms: int) -> Iterator[Subject]:
    for row in range(1, size + 1):
        yield Subject(
            row=row,
            origin=Origin("bench", "calls.csv", row, "ab" * 32),
            campaign=f"campaign-{row % 20}",
            contact=f"contact-{row}",
            outcome="INTERESTED",
            agent="a-1",
            category="positive",
            timestamp_ms=now_ms,
            attempt=1,
            salt=os.urandom(32),
            personal={"notes": f"Spoke about the renewal of {instant.text(row)}."},
        )
