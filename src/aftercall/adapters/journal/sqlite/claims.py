"""Where rows are taken and settled."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from aftercall.adapters.journal.sqlite.follow_ups import add_follow_up
from aftercall.adapters.journal.sqlite.rows import (
    add_entry,
    claim_from,
    run_number,
    settle_waiting,
    subject_from,
)
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.audit import Exchange, Finding, Settled, audit_entry
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.settlement import Claim, Settlement
from aftercall.domain.status import LANDED, SETTLED, Event, Status, advance
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
        return await self._writer.run(
            lambda db: _settle(db, settlement, announcements, follow_ups), patient=True
        )

    async def reopen(self, run: str, statuses: tuple[Status, ...], now_ms: int) -> int:
        """Make settled rows of a run due again; return how many."""
        return await self._writer.run(lambda db: _reopen(db, run, statuses, now_ms))


def _take_turn(db: sqlite3.Connection, campaign: str, rows_max: int, now_ms: int) -> Turn:
    db.execute(statement("raise_epoch"), {"campaign": campaign})
    epoch = db.execute(statement("campaign_epoch"), {"campaign": campaign}).fetchone()["epoch"]
    claims: list[Claim] = []
    superseded: list[Settled] = []
    for facts in _due_rows(db, campaign, rows_max, now_ms):
        contact = {
            "campaign": campaign,
            "contact": facts["contact"],
            "id": facts["id"],
            "timestamp_ms": facts["timestamp_ms"],
        }
        rivals = db.execute(statement("rivals_of_row"), contact).fetchone()
        newer = bool(rivals["newer"])
        if newer and not facts["doubt"]:
            superseded.append(settle_waiting(db, facts, Event.SUPERSEDE, NEWER, now_ms))
        elif rivals["busy"]:
            later = {"id": facts["id"], "due_ms": now_ms + BUSY_MS}
            db.execute(statement("look_again"), later)
        else:
            advance(Status(facts["status"]), Event.CLAIM)
            db.execute(statement("claim_row"), {"id": facts["id"], "now_ms": now_ms})
            claims.append(claim_from(facts, now_ms, newer=newer))
        if len(claims) >= rows_max or len(superseded) >= SUPERSEDED_PER_TURN_MAX:
            break
    due = db.execute(statement("next_due"), {"campaign": campaign}).fetchone()[0]
    return Turn(epoch, tuple(claims), tuple(superseded), due)


def _due_rows(
    db: sqlite3.Connection, campaign: str, rows_max: int, now_ms: int
) -> Iterator[sqlite3.Row]:
    """Yield due rows lane by lane, in blocks; a block is read before its rows are changed."""
    for lane in LANES:
        asked = {"campaign": campaign, "lane": lane, "now_ms": now_ms, "rows_max": rows_max}
        while block := db.execute(statement("due_rows"), asked).fetchall():
            yield from block
            if len(block) < rows_max:
                break


def _settle(
    db: sqlite3.Connection,
    settlement: Settlement,
    announcements: Sequence[Announcement],
    follow_ups: Sequence[NewFollowUp],
) -> bool:
    exchange = settlement.exchange
    values = {
        "id": settlement.row,
        "serial": settlement.serial,
        "status": settlement.status,
        "reason": settlement.reason,
        "words": settlement.words,
        "due_ms": settlement.due_ms,
        "refund": int(settlement.refund),
        "doubt": int(settlement.doubt),
        "deferred": int(settlement.event is Event.DEFER),
        "wait_ms": exchange.wait_ms,
        "read_ms": exchange.read_ms,
        "write_ms": exchange.write_ms,
        "now_ms": settlement.now_ms,
        "settled_ms": settlement.now_ms if settlement.status in SETTLED else None,
    }
    before = db.execute(statement("row_before"), {"row": settlement.row}).fetchone()
    if db.execute(statement("settle_row"), values).rowcount == 0:
        return False
    run = before["run"]
    _recount(db, before, values)
    if settlement.status in LANDED and before["others_landed"]:
        db.execute(statement("mark_overwritten"), {"row": settlement.row})
    if settlement.entry is not None:
        add_entry(db, run, settlement.entry, settlement.now_ms)
    for new in follow_ups:
        add_follow_up(db, settlement.row, run, new, settlement.now_ms)
    for announcement in announcements:
        event = {
            "event_id": announcement.event_id,
            "endpoint": announcement.endpoint,
            "row": settlement.row,
            "body": announcement.body,
            "now_ms": settlement.now_ms,
        }
        db.execute(statement("add_event"), event)
    return True


def _recount(db: sqlite3.Connection, before: sqlite3.Row, now: Mapping[str, object]) -> None:
    """Count how long a row took that was sent; if it was sent before, the last time counts."""
    if before["read_ms"] is not None:
        db.execute(statement("uncount_latency"), dict(before))
    if now["read_ms"] is not None:
        db.execute(statement("count_latency"), {**now, "run": before["run"]})


def _recover(db: sqlite3.Connection, now_ms: int) -> int:
    due = 0
    for facts in db.execute(statement("left_writing")).fetchall():
        blamed = facts["crashes"] + 1 >= CRASHES_MAX
        event = Event.EXHAUST if blamed else Event.DOUBT
        status = advance(Status.WRITING, event)
        values = {
            "id": facts["id"],
            "status": status,
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
