"""Where rows enter the journal."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from aftercall.adapters.journal.sqlite.rows import (
    add_entries,
    entry_values,
    run_number,
    settle_waiting,
    standing,
)
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain import instant
from aftercall.domain.audit import (
    Exchange,
    Finding,
    Origin,
    Settled,
    Subject,
    audit_entry,
    settled_as,
)
from aftercall.domain.cells import Problem
from aftercall.domain.commitment import SALT_BYTES
from aftercall.domain.disposition import Disposition
from aftercall.domain.outcomes import Category
from aftercall.domain.status import Event, Status
from aftercall.ports import Candidate, SourceRecord

CONFLICTS_AT_ONCE = 1000

FRESH_LANE = 2
OPT_OUT_LANE = 0


class SqliteIntake:
    """Rows enter in batches, each batch one transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def begin(
        self, run: str, on_conflict: str, sources: Sequence[SourceRecord], now_ms: int
    ) -> Sequence[SourceRecord]:
        """Record that `run` has started, with all of its inputs, in one transaction."""

        def store(db: sqlite3.Connection) -> list[SourceRecord]:
            started = {"run": run, "on_conflict": on_conflict, "now_ms": now_ms}
            number = db.execute(statement("begin_run"), started).lastrowid
            return [_add_source(db, number, source) for source in sources]

        return await self._writer.run(store)

    async def admit(
        self, source: SourceRecord, candidates: Sequence[Candidate], now_ms: int
    ) -> Sequence[Settled]:
        """Store rows in one transaction, durably; return those that were settled at once."""
        return await self._writer.run(lambda db: _Admission(db, source, now_ms).store(candidates))

    async def close_source(self, source: SourceRecord) -> None:
        """Record that all of an input was read."""
        await self._writer.run(
            lambda db: db.execute(statement("close_source"), {"source": source.number}).rowcount
        )

    async def finish(self, run: str, now_ms: int) -> Sequence[Settled]:
        """Record that all inputs of `run` were read, if they were; settle what conflicts."""

        def conflicting(db: sqlite3.Connection) -> tuple[sqlite3.Row, list[int]]:
            found = _intake_of(db, run)
            return found, _conflicting(db, found)

        found, ids = await self._writer.run(conflicting)
        if found["intake_complete"] or not found["all_read"]:
            return []
        settled: list[Settled] = []
        for start in range(0, len(ids), CONFLICTS_AT_ONCE):
            some = ids[start : start + CONFLICTS_AT_ONCE]
            settle = partial(_settle_conflicts, some, found["on_conflict"], now_ms)
            settled += await self._writer.run(settle)

        def complete(db: sqlite3.Connection) -> None:
            values = {"run": found["number"], "now_ms": now_ms}
            if found["on_conflict"] != "newest":
                db.execute(statement("release_rows"), values)
            db.execute(statement("finish_intake"), values)

        await self._writer.run(complete)
        return settled


def _add_source(db: sqlite3.Connection, run: int | None, source: SourceRecord) -> SourceRecord:
    values = {
        "run": run,
        "name": source.name,
        "path": source.path,
        "sha256": source.sha256,
        "options": json.dumps(source.options),
        "columns": json.dumps(source.columns, ensure_ascii=False),
    }
    return replace(source, number=db.execute(statement("add_source"), values).lastrowid or 0)


def _intake_of(db: sqlite3.Connection, run: str) -> sqlite3.Row:
    run_number(db, run)  # It says so if there is no such run.
    found: sqlite3.Row = db.execute(statement("intake_of_run"), {"run": run}).fetchone()
    return found


def _conflicting(db: sqlite3.Connection, intake: sqlite3.Row) -> list[int]:
    """Return the ids of the rows that lose, all before the first of them is settled."""
    if intake["on_conflict"] == "newest":
        return []
    name = "later_in_run" if intake["on_conflict"] == "first" else "conflicting_in_run"
    found = db.execute(statement(name), {"run": intake["number"]})
    return [row["id"] for row in found]


def _settle_conflicts(
    ids: Sequence[int], on_conflict: str, now_ms: int, db: sqlite3.Connection
) -> list[Settled]:
    if on_conflict == "first":
        event, finding = Event.SUPERSEDE, NOT_FIRST
    else:
        event, finding = Event.CONFLICT, CONFLICT
    found = (db.execute(statement("row_facts"), {"id": row}).fetchone() for row in ids)
    return [settle_waiting(db, facts, event, finding, now_ms) for facts in found]


NOT_FIRST = Finding(
    Status.SUPERSEDED, "not_first", "An earlier row of the input disposes of the contact."
)
CONFLICT = Finding(
    Status.INVALID, "conflict", "The input holds several dispositions of the contact."
)
SETTLED_BEFORE = Finding(
    Status.DUPLICATE, "same_disposition", "The same disposition is in the journal already."
)


@dataclass(slots=True)
class _Admission:
    """One batch on its way in: what each row becomes, and what is stored for it."""

    db: sqlite3.Connection
    source: SourceRecord
    now_ms: int
    run: int = 0
    held_back: bool = False
    salt: bytes = b""
    rows: list[dict[str, object]] = field(default_factory=list)
    entries: list[tuple[object, ...]] = field(default_factory=list)
    clocks: dict[bytes, int | None] = field(default_factory=dict)

    def store(self, candidates: Sequence[Candidate]) -> Sequence[Settled]:
        """Store the batch and return the rows that were settled at once."""
        intake = _intake_of(self.db, self.source.run)
        self.run = intake["number"]
        # Which of several dispositions of a contact counts is known once all were read; the
        # newest one is found when a row is claimed.
        self.held_back = intake["on_conflict"] != "newest"
        first = self.db.execute(statement("last_row")).fetchone()[0] + 1
        settled: list[Settled] = []
        campaigns: set[str] = set()
        for row, candidate in enumerate(candidates, first):
            finding = self._judge(candidate)
            self.salt = secrets.token_bytes(SALT_BYTES)
            self.rows.append(self._values(row, candidate, finding))
            if finding.status is Status.PENDING and candidate.disposition is not None:
                campaigns.add(candidate.disposition.campaign)
            else:
                settled.append(self._note(row, candidate, finding))
        self.db.executemany(statement("add_campaign"), [{"campaign": name} for name in campaigns])
        self.db.executemany(statement("add_row"), self.rows)
        add_entries(self.db, self.entries)
        self.db.execute(statement("count_read"), {"run": self.run, "rows": len(self.rows)})
        values = {"source": self.source.number, "rows": len(self.rows)}
        self.db.execute(statement("advance_source"), values)
        return settled

    def _judge(self, candidate: Candidate) -> Finding:
        """Say what a row becomes on entering."""
        if candidate.key is None:
            first = candidate.problems[0]
            words = " ".join(problem.message for problem in candidate.problems)
            return Finding(Status.INVALID, first.code, words)
        if candidate.key in self.clocks:
            return SETTLED_BEFORE
        holder = self.db.execute(statement("holder"), {"key": candidate.key}).fetchone()
        if holder is not None:
            self.clocks[candidate.key] = holder["opt_out_received_ms"]
            return SETTLED_BEFORE
        self.clocks[candidate.key] = _received_ms(candidate)
        return Finding(Status.PENDING, "")

    def _clock(self, candidate: Candidate, finding: Finding) -> int | None:
        """Return when the row's own clock as an opt-out started; None if it has none.

        A duplicate has one only if it says that the opt-out was received before what the row
        says that holds its key.
        """
        received = _received_ms(candidate)
        if received is None or candidate.key is None or finding.status is not Status.DUPLICATE:
            return received
        known = self.clocks[candidate.key]
        return received if known is None or received < known else None

    def _values(self, row: int, candidate: Candidate, finding: Finding) -> dict[str, object]:
        given = candidate.disposition
        custom = None if given is None else given.custom_fields
        pending = finding.status is Status.PENDING
        opt_out = candidate.category is Category.OPT_OUT
        return {
            **_told(candidate),
            "id": row,
            "run": self.run,
            "source": self.source.number,
            "line": candidate.line,
            "cells": candidate.cells,
            "key": candidate.key,
            "salt": self.salt,
            "category": candidate.category,
            "notes": None if given is None else given.notes,
            "custom_fields": None if custom is None else json.dumps(custom, ensure_ascii=False),
            "timestamp_ms": _timestamp_ms(candidate),
            "event_id": None if given is None else given.event_id,
            "problems": _problems_json(candidate.problems),
            "status": finding.status,
            **standing(finding.status),
            "reason": finding.reason,
            "words": finding.words,
            "lane": OPT_OUT_LANE if opt_out else FRESH_LANE,
            "due_ms": self.now_ms if pending and not self.held_back else None,
            "settled_ms": None if pending else self.now_ms,
            "opt_out_received_ms": self._clock(candidate, finding),
            **_call_columns(given),
        }

    def _note(self, row: int, candidate: Candidate, finding: Finding) -> Settled:
        """Make the audit entry of a row that is settled on entering."""
        given = candidate.disposition
        call = None if given is None else given.call_record
        told = _told(candidate)
        subject = Subject(
            row=row,
            origin=Origin(self.source.run, self.source.name, candidate.line, self.source.sha256),
            campaign=told["campaign"],
            contact=told["contact"],
            outcome=told["outcome"],
            agent=told["agent"],
            category=candidate.category or "",
            timestamp_ms=_timestamp_ms(candidate),
            event_id=None if given is None else given.event_id,
            opt_out_received_ms=_received_ms(candidate),
            call_record=None if call is None else call.public,
            salt=self.salt,
            personal={} if given is None else given.personal,
        )
        entry = audit_entry(subject, finding, Exchange(), self.now_ms)
        self.entries.append(entry_values(self.run, entry, self.now_ms))
        return settled_as(subject, finding)


def _told(candidate: Candidate) -> dict[str, str]:
    given = candidate.disposition
    names = ("campaign", "contact", "outcome", "agent")
    if given is None:
        return {name: candidate.told.get(name, "") for name in names}
    return {name: getattr(given, name) for name in names}


def _timestamp_ms(candidate: Candidate) -> int | None:
    given = candidate.disposition
    return instant.to_ms(given.timestamp) if given is not None and given.timestamp else None


def _call_columns(given: Disposition | None) -> dict[str, str | None]:
    """Return what is stored of a call record: what is personal in a column of its own."""
    call = None if given is None else given.call_record
    if call is None:
        return {"call_record": None, "call_personal": None}
    personal = call.personal
    return {
        "call_record": json.dumps(call.public, ensure_ascii=False),
        "call_personal": json.dumps(personal, ensure_ascii=False) if personal else None,
    }


def _received_ms(candidate: Candidate) -> int | None:
    received = candidate.opt_out_received
    return None if received is None else instant.to_ms(received)


def _problems_json(problems: Sequence[Problem]) -> str | None:
    if not problems:
        return None
    listed = [
        {"field": one.field, "code": one.code, "message": one.message, "hint": one.hint}
        for one in problems
    ]
    return json.dumps(listed, ensure_ascii=False)
