"""Follow-ups: taken right before they are sent, settled, and read for listings."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aftercall.adapters.journal.sqlite.connection import told
from aftercall.adapters.journal.sqlite.reading import ReadingBeside
from aftercall.adapters.journal.sqlite.rows import (
    add_entry,
    disposition_from,
    run_number,
    subject_from,
)
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.follow_ups import (
    OPEN,
    Action,
    EntryKind,
    FollowUp,
    FollowUpEvent,
    FollowUpKind,
    FollowUpSettlement,
    FollowUpState,
    NewFollowUp,
    Told,
    advance,
    follow_up_entry,
)
from aftercall.domain.status import Status
from aftercall.ports.follow_ups import FollowUpCounts, FollowUpFilter, FollowUpRecord

DIED = "The process ended while it was sent"
REPEATED = f"{DIED}; it is sent again."
DOUBTED = f"{DIED}: look at the tenant whether it was done, and retry it only if it was not."
UNDECLARED = "The tenant's profile declares no follow-up of this kind."


class SqliteFollowUps(ReadingBeside):
    """Follow-ups that are due, and what becomes of them.

    Looking for due ones has a connection and a thread of its own, like the CRM's outbox.
    """

    def __init__(self, writer: Writer, db: sqlite3.Connection, path: Path) -> None:
        """Take the writer, and a connection for reading that is closed with this."""
        super().__init__(writer, db, path, "follow-ups")

    async def due(
        self, kind: FollowUpKind, most: int, now_ms: int, fresh_ms: int
    ) -> list[FollowUp]:
        """Return up to `most` due follow-ups of a kind, the longest due first."""
        asked = {"kind": kind, "most": most, "now_ms": now_ms, "fresh_ms": fresh_ms}

        def read(db: sqlite3.Connection) -> list[FollowUp]:
            return [_follow_up(facts) for facts in db.execute(statement("due_follow_ups"), asked)]

        return await self._read(read)

    async def next_due(self) -> int | None:
        """Return when the next one is due (ms); None if none has a time."""

        def read(db: sqlite3.Connection) -> int | None:
            due: int | None = db.execute(statement("next_follow_up")).fetchone()[0]
            return due

        return await self._read(read)

    async def take(self, several: Sequence[FollowUp], now_ms: int, *, repeatable: bool) -> bool:
        """Claim follow-ups, durably, right before their request leaves: all or none."""
        return await self._writer.run(lambda db: _take(db, several, now_ms, repeatable))

    async def delay(self, several: Sequence[FollowUp], due_ms: int) -> None:
        """Look at follow-ups that wait not before `due_ms`; nothing was sent."""
        values = [{"number": one.number, "due_ms": due_ms} for one in several]
        await self._writer.run(lambda db: db.executemany(statement("delay_follow_up"), values))

    async def give_up(self, several: Sequence[tuple[FollowUp, Told]], now_ms: int) -> None:
        """Store that waiting follow-ups are impossible or withdrawn, with their audit entries."""
        await self._writer.run(lambda db: _give_up(db, several, now_ms))

    async def store(self, settlements: Sequence[FollowUpSettlement]) -> None:
        """Store what became of claimed follow-ups, with their audit entries."""
        await self._writer.run(lambda db: _store(db, settlements), patient=True)

    async def recover(self, kinds: Collection[FollowUpKind], now_ms: int) -> None:
        """Say what becomes of follow-ups that a dead process or a former run left."""
        await self._writer.run(lambda db: _recover(db, kinds, now_ms))

    async def reopen(self, run: str, states: Collection[FollowUpState], now_ms: int) -> int:
        """Make settled follow-ups of a run due again; return how many."""
        return await self._writer.run(lambda db: _reopen(db, run, states, now_ms))


def add_follow_up(
    db: sqlite3.Connection, row: int, run: int, new: NewFollowUp, now_ms: int
) -> None:
    """Store a follow-up of a row that is settled in this transaction."""
    values = {
        "row": row,
        "kind": new.action.kind,
        "target": new.action.target,
        "told": json.dumps(dict(new.told)),
        "state": new.state,
        "reason": new.reason,
        "words": new.words,
        "due_ms": new.due_ms,
        "now_ms": now_ms,
        "settled_ms": None if new.state in OPEN else now_ms,
    }
    added = db.execute(statement("add_follow_up"), values).rowcount
    if added and new.entry is not None:
        add_entry(db, run, new.entry, now_ms)


def _take(
    db: sqlite3.Connection,
    several: Sequence[FollowUp],
    now_ms: int,
    repeatable: bool,  # noqa: FBT001 - one call
) -> bool:
    advance(FollowUpState.WAITING, FollowUpEvent.CLAIM)
    for one in several:
        asked = {"number": one.number, "serial": one.serial}
        found = db.execute(statement("is_waiting"), asked).fetchone()
        if found is None or replace(one, newer=bool(found["newer"])).overtaken:
            return False
    values = [
        {"number": one.number, "now_ms": now_ms, "repeatable": int(repeatable)} for one in several
    ]
    db.executemany(statement("take_follow_up"), values)
    return True


def _give_up(db: sqlite3.Connection, several: Sequence[tuple[FollowUp, Told]], now_ms: int) -> None:
    for one, found in several:
        asked = {"number": one.number, "serial": one.serial}
        if db.execute(statement("is_waiting"), asked).fetchone() is not None:
            facts = db.execute(statement("follow_up_facts"), asked).fetchone()
            withdrawn = found.state is FollowUpState.WITHDRAWN
            event = FollowUpEvent.WITHDRAW if withdrawn else FollowUpEvent.LACK
            _leave(db, facts, event, found, now_ms)


def _store(db: sqlite3.Connection, settlements: Sequence[FollowUpSettlement]) -> None:
    for one in settlements:
        values = {
            "number": one.number,
            "serial": one.serial,
            "state": one.state,
            "reason": one.reason,
            "words": one.words,
            "due_ms": one.due_ms,
            "refund": int(one.refund),
            "settled_ms": None if one.state in OPEN else one.now_ms,
        }
        if db.execute(statement("settle_follow_up"), values).rowcount and one.entry is not None:
            found = db.execute(statement("run_of_follow_up"), {"number": one.number}).fetchone()
            add_entry(db, found["run"], one.entry, one.now_ms)


def _recover(db: sqlite3.Connection, kinds: Collection[FollowUpKind], now_ms: int) -> None:
    for facts in db.execute(statement("left_sending")).fetchall():
        if facts["repeatable"]:
            _leave(
                db,
                facts,
                FollowUpEvent.POSTPONE,
                Told(FollowUpState.WAITING, "process_died", REPEATED),
                now_ms,
            )
        else:
            _leave(
                db,
                facts,
                FollowUpEvent.LOSE,
                Told(FollowUpState.UNKNOWN, "process_died", DOUBTED),
                now_ms,
            )
    asked = {"kinds": json.dumps(sorted(kinds))}
    for facts in db.execute(statement("left_behind"), asked).fetchall():
        lacking = Told(FollowUpState.IMPOSSIBLE, "no_such_follow_up", UNDECLARED)
        _leave(db, facts, FollowUpEvent.LACK, lacking, now_ms)
    db.execute(statement("unpark_follow_ups"), {"now_ms": now_ms})


def _leave(
    db: sqlite3.Connection, facts: sqlite3.Row, event: FollowUpEvent, found: Told, now_ms: int
) -> None:
    """Bring a follow-up that was left to where it stands from now on, with its audit entry."""
    if advance(FollowUpState(facts["state"]), event) is not found.state:
        message = f"{event} does not lead from {facts['state']} to {found.state}"
        raise ValueError(message)
    is_open = found.state in OPEN
    values = {
        "number": facts["follow_up"],
        "state": found.state,
        "reason": found.reason,
        "words": found.words,
        "due_ms": now_ms if is_open else None,
        "settled_ms": None if is_open else now_ms,
    }
    db.execute(statement("leave_follow_up"), values)
    _note(db, facts, found, EntryKind.IN_DOUBT if is_open else EntryKind.SETTLED, now_ms)


def _note(
    db: sqlite3.Connection, facts: sqlite3.Row, found: Told, kind: EntryKind, now_ms: int
) -> None:
    action, status = _action(facts), Status(facts["status"])
    entry = follow_up_entry(subject_from(facts), status, action, found, (kind, now_ms))
    add_entry(db, facts["run"], entry, now_ms)


def _reopen(
    db: sqlite3.Connection, run: str, states: Collection[FollowUpState], now_ms: int
) -> int:
    opened = 0
    for state in states:
        to = advance(state, FollowUpEvent.REOPEN)
        asked = {"run": run_number(db, run), "state": state}
        for facts in db.execute(statement("reopenable_follow_ups"), asked).fetchall():
            values = {"number": facts["follow_up"], "now_ms": now_ms}
            db.execute(statement("reopen_follow_up"), values)
            found = Told(to, f"was_{state}")
            _note(db, facts, found, EntryKind.REOPENED, now_ms)
            opened += 1
    return opened


def _action(facts: sqlite3.Row) -> Action:
    return Action(FollowUpKind(facts["kind"]), facts["target"])


def _follow_up(facts: sqlite3.Row) -> FollowUp:
    return FollowUp(
        number=facts["follow_up"],
        serial=facts["claims"],
        action=_action(facts),
        row=disposition_from(facts),
        status=Status(facts["status"]),
        subject=subject_from(facts),
        told=json.loads(facts["told"]),
        attempt=facts["tries"] + 1,
        first_tried_ms=facts["first_sent_ms"],
        newer=bool(facts["newer"]),
    )


class SqliteFollowUpArchive:
    """What listings and reports say of follow-ups."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def count(self, run: str) -> FollowUpCounts:
        """Count the follow-ups of a run."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            return _counted(self._db.execute(statement("count_follow_ups"), asked))

    def tally(self, asked: FollowUpFilter) -> FollowUpCounts:
        """Count those that are asked for."""
        with told(self._path):
            values = self._values(asked)
            return _counted(self._db.execute(statement("tally_follow_ups"), values))

    def find(self, asked: FollowUpFilter, most: int) -> Sequence[FollowUpRecord]:
        """Return follow-ups, the newest first."""
        with told(self._path):
            values = self._values(asked) | {"most": most}
            found = self._db.execute(statement("list_follow_ups"), values)
            return [FollowUpRecord(*row) for row in found]

    def one(self, number: int) -> FollowUpRecord | None:
        """Return one follow-up; None if there is none of that number."""
        with told(self._path):
            row = self._db.execute(statement("one_follow_up"), {"number": number}).fetchone()
            return None if row is None else FollowUpRecord(*row)

    def _values(self, asked: FollowUpFilter) -> dict[str, object]:
        return {
            "run": None if asked.run is None else run_number(self._db, asked.run),
            "contact": asked.contact,
            "kind": asked.kind,
            "states": json.dumps(list(asked.states)),
        }


def _counted(found: sqlite3.Cursor) -> FollowUpCounts:
    """Return counts in the order in which reports list them."""
    counts = {(row["kind"], row["state"]): row["follow_ups"] for row in found}
    told_of: dict[str, Mapping[str, int]] = {}
    for kind in FollowUpKind:
        states = {one.value: counts[kind, one] for one in FollowUpState if (kind, one) in counts}
        if states:
            told_of[kind.value] = states
    return told_of
