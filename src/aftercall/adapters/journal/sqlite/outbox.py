"""The events that the CRM is still to hear."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.ports import Delivery, DeliveryResult


class SqliteOutbox:
    """Events that are due, and what became of the attempts to deliver them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def due_events(self, events_max: int, now_ms: int) -> Sequence[Delivery]:
        """Return up to `events_max` due events, oldest first."""

        def read(db: sqlite3.Connection) -> list[Delivery]:
            asked = {"events_max": events_max, "now_ms": now_ms}
            found = db.execute(statement("due_events"), asked)
            return [Delivery(*event) for event in found]

        return await self._writer.run(read)

    async def record(self, result: DeliveryResult) -> None:
        """Store what became of an attempt."""
        values = asdict(result)
        await self._writer.run(
            lambda db: db.execute(statement("record_delivery"), values).rowcount, patient=True
        )
