"""A journal with a sealed and signed audit trail, and ways to do it harm."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.journal.sqlite.audit_log import SqliteAuditArchive
from aftercall.adapters.signing import Ed25519Signer, verify
from aftercall.domain.acts import Act, Deed, Scope
from aftercall.domain.note import Note, VerifierKey
from aftercall.engine.checkpoints import Misfit, Trust, Verified
from aftercall.engine.sealing import Sealer
from aftercall.engine.verifying import verify_log
from aftercall.engine.watched_clock import WatchedClock
from tests.contract.rig import GONE, LOST, NOW, WRITTEN, Rig, broken, candidate, concluded

NAME = "log.example/test"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now_ms: int = NOW

    def now_us(self) -> int:
        return self.now_ms * 1000

    def seconds(self) -> float:
        return self.now_ms / 1000


@dataclass
class Desk:
    """A journal at work, with its sealer."""

    path: Path
    journal: SqliteJournal
    signer: Ed25519Signer | None
    clock: Clock = field(default_factory=Clock)

    @property
    def sealer(self) -> Sealer:
        """A sealer of a process that has just begun."""
        return Sealer(self.journal.audit, self.signer, WatchedClock(self.clock))

    @property
    def rig(self) -> Rig:
        return Rig(self.journal, self.sources)

    sources: dict[str, Any] = field(default_factory=dict)

    async def settle(self, contact: str, **given: Any) -> None:
        """Bring a row in and settle it."""
        rig = self.rig
        await rig.admit(candidate(contact, **given), at_ms=self.clock.now_ms)
        claim = await rig.claim(at_ms=self.clock.now_ms)
        assert await rig.settle(claim, WRITTEN, self.clock.now_ms)

    async def small(self) -> None:
        """Fill the trail: rows of all kinds, several checkpoints, acts, personal data."""
        await self.sealer.seal()
        await self.settle("P1", notes="Called Zoë back.", custom_fields={"phone": "0555"})
        await self.sealer.seal()
        self.clock.now_ms += 5000
        rig = self.rig
        await rig.admit(broken(contact="P2"), at_ms=self.clock.now_ms)
        await rig.admit(candidate("P3", notes="x"), at_ms=self.clock.now_ms)
        claim = await rig.claim(at_ms=self.clock.now_ms)
        await rig.journal.claims.settle(concluded(claim, LOST, self.clock.now_ms), ())
        await self.sealer.seal()
        self.clock.now_ms += 5000
        claim = await rig.claim(at_ms=self.clock.now_ms + 60_000)
        await rig.settle(claim, GONE, self.clock.now_ms)
        await self.sealer.seal()
        self.clock.now_ms += 5000
        await self.sealer.record(Deed(Act.HOLD_PLACED, Scope("P1"), "case 7", "carol"))


@contextmanager
def desk(path: Path, signer: Ed25519Signer | None = None) -> Iterator[Desk]:
    journal = SqliteJournal(path)
    try:
        yield Desk(path, journal, signer)
    finally:
        journal.close()


def trust(*keys: VerifierKey, pinned: Sequence[str] = ()) -> Trust:
    return Trust(keys, [Note.parse(one) for one in pinned], verify)


class Copy:
    """A journal's copy in memory, which can be harmed and checked."""

    def __init__(self, path: Path, trusted: Trust) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        with closing(sqlite3.connect(path)) as kept:
            kept.backup(self.db)
        self.archive = SqliteAuditArchive(self.db, path)
        self.trust = trusted

    def verified(self) -> Verified:
        return verify_log(self.archive, self.trust)

    def misfit(self) -> str | None:
        """Return what does not fit; None if everything does."""
        try:
            self.verified()
        except Misfit as found:
            return str(found)
        return None

    def do(self, sql: str, *values: object) -> None:
        self.db.execute(sql, values)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()


def flips(value: object) -> Iterator[object]:
    """Yield a stored value with each of its bits flipped: integers, texts and blobs."""
    if isinstance(value, int):
        for bit in range(63):
            yield value ^ (1 << bit)
        return
    raw = value.encode() if isinstance(value, str) else value
    assert isinstance(raw, bytes)
    for at in range(len(raw)):
        for bit in range(8):
            yield raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
