"""The read side of the CRM's outbox."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from aftercall.adapters.journal.sqlite.connection import told
from aftercall.adapters.journal.sqlite.rows import run_number
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.domain.delivery import EventState
from aftercall.ports import (
    AttemptRecord,
    DisabledEndpoint,
    EventFilter,
    EventHistory,
    EventRecord,
    EventTally,
)


class SqliteEvents:
    """What listings of the CRM's events are made of."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def count(self, run: str | None = None) -> Mapping[str, int]:
        """Count events by state, of one run or of all."""
        with told(self._path):
            if run is None:
                found = self._db.execute(statement("events_of_all"))
            else:
                asked = {"run": run_number(self._db, run)}
                found = self._db.execute(statement("events_of_run"), asked)
            return {row["state"]: row["events"] for row in found}

    def tally(self, asked: EventFilter) -> Sequence[EventTally]:
        """Count events by endpoint and state."""
        with told(self._path):
            found = self._db.execute(statement("tally_events"), asdict(asked))
            return [EventTally(*row) for row in found]

    def find(self, asked: EventFilter, events_max: int) -> Sequence[EventRecord]:
        """Return events, the newest first."""
        name = "list_dead_events" if asked.state is EventState.DEAD else "list_events"
        values = asdict(asked) | {"events_max": events_max}
        with told(self._path):
            return [EventRecord(*row) for row in self._db.execute(statement(name), values)]

    def history(self, event_id: str) -> EventHistory | None:
        """Return one event and its attempts; None if there is none of that id."""
        with told(self._path):
            row = self._db.execute(statement("one_event"), {"event_id": event_id}).fetchone()
            if row is None:
                return None
            asked = {"number": row["number"]}
            body = self._db.execute(statement("event_body"), asked).fetchone()["body"]
            attempts = self._db.execute(statement("attempts_of_event"), asked)
            told_of = tuple(AttemptRecord(*attempt) for attempt in attempts)
            return EventHistory(EventRecord(*row), body, told_of)

    def disabled(self) -> Sequence[DisabledEndpoint]:
        """Return the endpoints that are disabled."""
        with told(self._path):
            return [DisabledEndpoint(*row) for row in self._db.execute(statement("endpoints"))]
