"""The read side of the CRM's outbox."""

import sqlite3
from collections import Counter
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

MAX_RUN = 2**63 - 1
"""No run has a higher number."""


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
            counted: Counter[str] = Counter()
            for state, events in found:
                counted[state] += events
            return counted

    def tally(self, asked: EventFilter) -> Sequence[EventTally]:
        """Count events by endpoint and state."""
        with told(self._path):
            name, values = self._chosen(asked)
            counted: Counter[tuple[str, str]] = Counter()
            for endpoint, state, events in self._db.execute(statement(f"tally_{name}"), values):
                counted[endpoint, state] += events
            return [EventTally(*which, events) for which, events in sorted(counted.items())]

    def find(self, asked: EventFilter, events_max: int) -> Sequence[EventRecord]:
        """Return events, the newest first."""
        with told(self._path):
            name, values = self._chosen(asked)
            if asked.state is EventState.DEAD:
                name = "dead_events"
            elif asked == EventFilter():
                name = "events"  # The newest of all need not be looked for.
            given = values | {"events_max": events_max}
            found = self._db.execute(statement(f"list_{name}"), given)
            return [EventRecord(*row) for row in found]

    def _chosen(self, asked: EventFilter) -> tuple[str, dict[str, object]]:
        """Return which statements find events the quickest way, and their values."""
        values = asdict(asked)
        if asked.contact is not None:
            return "events_of_contact", values
        if (asked.from_ms, asked.until_ms) != (None, None):
            return "events", values
        runs = (0, MAX_RUN)
        if asked.run is not None:
            found = self._db.execute(statement("run_number"), {"run": asked.run}).fetchone()
            runs = (-1, -1) if found is None else (found["number"], found["number"])
        return "standing_events", values | dict(zip(("first_run", "last_run"), runs, strict=True))

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
