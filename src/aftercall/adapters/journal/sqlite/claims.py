"""Where rows are taken and settled."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aftercall.adapters.journal.sqlite.rows import (
    add_entry,
    claim_from,
    run_number,
    settle_waiting,
    standing,
    subject_from,
)
from aftercall.adapters.journal.sqlite.settling import Conclusion, settle
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.audit import Exchange, Finding, Settled, audit_entry
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.settlement import Claim, Settlement
from aftercall.domain.status import Event, Status, advance
from aftercall.ports import Announcement, Turn

LANES = (0, 1, 2)
"""Opt-outs, what was begun before, the rest."""

BUSY_MS = 250
"""When to look again at a row whose contact another row is being written to."""

CRASHES_MAX = 100
"""A row during whose writing the process has died this often is taken to be the cause."""

SUPERSEDED_PER_TURN_MAX = 2000

NEWER = Finding(Status.SUPERSEDED, "newer_in_journal", "A newer disposition of the contact exists.")


class SqliteClaims:
    """Claims and settlements, each in one transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def due(self) -> Mapping[str, int]:
        """Return for each campaign with waiting rows when its next one is due (ms)."""

        def read(db: sqlite3.Connection) -> dict[str, int]:
            found = db.execute(statement("due_campaigns"))
            return {row["campaign"]: row["due_ms"] for row in found}

        return await self._writer.run(read)

    async def recover(self, now_ms: int) -> int:
        """Make rows due again that a dead process held or a former run left."""
        return await self._writer.run(lambda db: _recover(db, now_ms))

    async def take_turn(self, campaign: str, rows_max: int, now_ms: int) -> Turn:
        """Raise the campaign's epoch and claim up to `rows_max` due rows, opt-outs first."""
        return await self._writer.run(lambda db: _take_turn(db, campaign, rows_max, now_ms))

    async def settle(
        self,
        settlement: Settlement,
        announcements: Sequence[Announcement],
        follow_ups: Sequence[NewFollowUp] = (),
    ) -> bool:
        """Store a settlement with its audit entry, its CRM events and its follow-ups."""
        conclusion = Conclusion(settlement, announcements, follow_ups)
        return await self._writer.join(settle, conclusion, patient=True)

    async def reopen(self, run: str, statuses: tuple[Status, ...], now_ms: int) -> int:
        """Make settled rows of a run due again; return how many."""
        return await self._writer.run(lambda db: _reopen(db, run, statuses, now_ms))


def _take_turn(db: sqlite3.Connection, campaign: str, rows_max: int, now_ms: int) -> Turn:
    db.execute(statement("raise_epoch"), {"campaign": campaign})
    epoch = db.execute(statement("campaign_epoch"), {"campaign": campaign}).fetchone()["epoch"]
    taken = _Taken(rows_max, now_ms)
    for block in _due_blocks(db, campaign, rows_max, now_ms):
        taken.take(db, block)
        if taken.is_full:
            break
    due = db.execute(statement("next_due"), {"campaign": campaign}).fetchone()[0]
    return Turn(epoch, tuple(taken.claims), tuple(taken.superseded), due)


def _due_blocks(
    db: sqlite3.Connection, campaign: str, rows_max: int, now_ms: int
) -> Iterator[Sequence[sqlite3.Row]]:
    """Yield due rows lane by lane, in blocks; each is to be changed before the next one is read."""
    for lane in LANES:
        asked = {"campaign": campaign, "lane": lane, "now_ms": now_ms, "rows_max": rows_max}
        while block := db.execute(statement("due_rows"), asked).fetchall():
            yield block
            if len(block) < rows_max:
                break


@dataclass(slots=True)
class _Taken:
    """What one turn takes."""

    rows_max: int
    now_ms: int
    claims: list[Claim] = field(default_factory=list)
    superseded: list[Settled] = field(default_factory=list)
    contacts: set[str] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether no more rows are to be taken."""
        many = len(self.superseded) >= SUPERSEDED_PER_TURN_MAX
        return many or len(self.claims) >= self.rows_max

    def take(self, db: sqlite3.Connection, block: Sequence[sqlite3.Row]) -> None:
        """Claim rows of a block, or settle those that a newer one of their contact makes idle."""
        claimed: list[int] = []
        for facts in block:
            newer = bool(facts["newer"])
            if newer and not facts["doubt"]:
                settled = settle_waiting(db, facts, Event.SUPERSEDE, NEWER, self.now_ms)
                self.superseded.append(settled)
            elif facts["busy"] or facts["contact"] in self.contacts:
                later = {"id": facts["id"], "due_ms": self.now_ms + BUSY_MS}
                db.execute(statement("look_again"), later)
            else:
                advance(Status(facts["status"]), Event.CLAIM)
                claimed.append(facts["id"])
                # What the block says of other rows of the contact was read before this one.
                self.contacts.add(facts["contact"])
                self.claims.append(claim_from(facts, self.now_ms, newer=newer))
            if self.is_full:
                break
        values = {"rows": json.dumps(claimed), "now_ms": self.now_ms}
        db.execute(statement("claim_rows"), values)


def _recover(db: sqlite3.Connection, now_ms: int) -> int:
    due = 0
    for facts in db.execute(statement("left_writing")).fetchall():
        blamed = facts["crashes"] + 1 >= CRASHES_MAX
        event = Event.EXHAUST if blamed else Event.DOUBT
        status = advance(Status.WRITING, event)
        values = {
            "id": facts["id"],
            "status": status,
            **standing(status),
            "due_ms": None if blamed else now_ms,
            "settled_ms": now_ms if blamed else None,
        }
        db.execute(statement("doubt_left"), values)
        finding = Finding(status, "process_died", "The process ended while the row was written.")
        entry = audit_entry(subject_from(facts), finding, Exchange(), now_ms)
        add_entry(db, facts["run"], entry, now_ms)
        due += int(not blamed)
    return due + db.execute(statement("unpark"), {"now_ms": now_ms}).rowcount


def _reopen(db: sqlite3.Connection, run: str, statuses: tuple[Status, ...], now_ms: int) -> int:
    opened = 0
    for status in statuses:
        asked = {"run": run_number(db, run), "status": status}
        for row in db.execute(statement("reopenable"), asked).fetchall():
            holder = db.execute(statement("holder"), {"key": row["key"]}).fetchone()
            if holder is not None:
                facts = db.execute(statement("row_facts"), {"id": row["id"]}).fetchone()
                again = Finding(
                    Status.DUPLICATE, "fed_again", "The same disposition was fed again meanwhile."
                )
                settle_waiting(db, facts, Event.REPEAT, again, now_ms)
                continue
            advance(status, Event.REOPEN)
            db.execute(statement("reopen"), {"id": row["id"], "now_ms": now_ms})
            opened += 1
    return opened
