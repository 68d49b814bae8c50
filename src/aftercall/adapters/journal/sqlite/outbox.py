"""The events that the CRM is still to hear."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from aftercall.adapters.journal.sqlite.reading import ReadingBeside
from aftercall.adapters.journal.sqlite.statements import execute_for_all, statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.delivery import EventState
from aftercall.ports import Delivery, DeliveryResult


class SqliteOutbox(ReadingBeside):
    """Events that are due, and what became of the attempts to deliver them.

    Looking for due events has a connection and a thread of its own: on the writer's it would
    end the wait of settlements for company, and cost them a sync each.
    """

    def __init__(self, writer: Writer, db: sqlite3.Connection, path: Path) -> None:
        """Take the writer, and a connection for reading that is closed with the outbox."""
        super().__init__(writer, db, path, "outbox")

    async def due_events(self, endpoint: str, events_max: int, now_ms: int) -> Sequence[Delivery]:
        """Return up to `events_max` due events of an endpoint, the longest due first."""
        asked = {"endpoint": endpoint, "events_max": events_max, "now_ms": now_ms}

        def read(db: sqlite3.Connection) -> list[Delivery]:
            return [Delivery(*event) for event in db.execute(statement("due_events"), asked)]

        return await self._read(read)

    async def owes(self, endpoint: str) -> bool:
        """Say whether events wait for an endpoint that is not disabled."""

        def read(db: sqlite3.Connection) -> bool:
            found = db.execute(statement("owes_events"), {"endpoint": endpoint}).fetchone()
            return bool(found[0])

        return await self._read(read)

    async def record(self, result: DeliveryResult) -> None:
        """Store what became of an attempt."""
        await self._writer.join(record, result, patient=True)

    async def replay(self, numbers: Sequence[int], now_ms: int) -> int:
        """Have events that are dead or delivered delivered again; return how many."""
        return await self._writer.run(lambda db: _replay(db, numbers, now_ms))

    async def enable(self, endpoint: str, now_ms: int) -> int:
        """Let an endpoint be called again, all its waiting events at once."""

        def enable(db: sqlite3.Connection) -> int:
            asked = {"endpoint": endpoint, "now_ms": now_ms}
            db.execute(statement("enable_endpoint"), asked)
            return db.execute(statement("hurry_events"), asked).rowcount

        return await self._writer.run(enable)


def record(db: sqlite3.Connection, results: Sequence[DeliveryResult]) -> Sequence[None]:
    """Store what became of attempts, each at another event; not of events that wait no more."""
    asked = {"numbers": json.dumps([one.number for one in results])}
    waiting = set(json.loads(db.execute(statement("waiting_events"), asked).fetchone()[0]))
    told = [one for one in results if one.number in waiting]
    execute_for_all(
        db,
        "record_deliveries",
        [(one.number, one.state, one.due_ms, one.words, one.at_ms) for one in told],
    )
    execute_for_all(
        db,
        "add_attempts",
        [
            (one.number, one.at_ms, one.latency_ms, one.status, one.words, one.answer)
            for one in told
        ],
    )
    done = [one for one in told if one.state is not EventState.WAITING]
    if done:
        _release_next(db, [one.number for one in done], max(one.at_ms for one in done))
    for one in told:
        if one.gone:
            db.execute(statement("disable_endpoint"), asdict(one))
    return [None] * len(results)


def _release_next(db: sqlite3.Connection, numbers: Sequence[int], now_ms: int) -> None:
    asked = {"numbers": json.dumps(numbers), "now_ms": now_ms}
    db.execute(statement("release_next"), asked)


def _replay(db: sqlite3.Connection, numbers: Sequence[int], now_ms: int) -> int:
    queued = 0
    for number in numbers:
        asked = {"number": number, "now_ms": now_ms}
        if db.execute(statement("requeue_event"), asked).rowcount:
            db.execute(statement("hold_later"), asked)
            _release_next(db, [number], now_ms)
            queued += 1
    return queued
