"""Erasure and expiry: what is taken out is overwritten in the file and gone from its log."""

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from aftercall.adapters.journal.sqlite.audit_log import acts_in, sealed_in
from aftercall.adapters.journal.sqlite.connection import drop_backups, told
from aftercall.adapters.journal.sqlite.rows import add_act
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.acts import Deed, Hold, Scope, holds
from aftercall.domain.cells import names_contact
from aftercall.domain.commitment import canonical_json
from aftercall.domain.webhook import PUBLIC_FIELDS
from aftercall.errors import JournalError
from aftercall.ports.audit import PersonalData

EXPIRED_AT_ONCE = 20_000
"""Entries that one transaction takes out: between two of them others can write."""


class SqliteKeeping:
    """Takes data out of a journal that this process works on."""

    def __init__(self, writer: Writer, reader: sqlite3.Connection, path: Path) -> None:
        self._writer = writer
        self._reader = reader
        self._path = path

    def held_of(self, scope: Scope) -> PersonalData:
        """Say what there is of a person."""
        with told(self._path):
            return _held_of(self._reader, scope)

    async def erase(self, deed: Deed, now_ms: int) -> PersonalData:
        """Erase a person's data and record that, in one transaction; the bytes are gone then."""
        held = await self._writer.run(lambda db: _erase(db, deed, now_ms))
        await self._sweep()
        return held

    async def expire(self, deed: Deed, before_ms: int, now_ms: int) -> int:
        """Take out sealed entries from before a time, and the personal data of their rows."""
        total = 0
        while taken := await self._writer.run(lambda db: _expire(db, deed, before_ms, now_ms)):
            total += taken
        if total:
            await self._sweep()
        return total

    def expirable(self, before_ms: int) -> int:
        """Count what `expire` would take out."""
        with told(self._path):
            return sum(1 for _ in _expirable(self._reader, before_ms, -1))

    async def _sweep(self) -> None:
        """Let nothing of what was taken out remain in the journal's files."""
        await self._writer.alone(_sweep)
        drop_backups(self._path)


def _held_of(db: sqlite3.Connection, scope: Scope) -> PersonalData:
    asked = {"contact": scope.contact, "campaign": scope.campaign}
    rows = events = open_rows = 0
    unnamed = _unnamed(db, scope)
    campaigns: set[str] = set()
    runs: set[int] = set()
    inputs: dict[str, list[int]] = defaultdict(list)
    for row in chain(db.execute(statement("rows_of_person"), asked), unnamed):
        open_rows += row["open"]
        campaigns.add(row["campaign"])
        # Whoever erased before may have been stopped before the result files were written anew.
        runs.add(row["run"])
        if row["erased_ms"] is None:
            rows += 1
            inputs[row["source_name"]].append(row["line"])
    for event in db.execute(statement("events_of_person"), asked):
        events += _public(event["body"]) != event["body"]
    results = [
        (os.fsdecode(found["directory"]), found["id"])
        for run in sorted(runs)
        for found in db.execute(statement("result_files_of_run"), {"run": run})
    ]
    lines = tuple((name, tuple(sorted(set(found)))) for name, found in inputs.items())
    where = tuple(sorted(campaigns))
    return PersonalData(rows, events, open_rows, where, tuple(results), lines, len(unnamed))


def _unnamed(db: sqlite3.Connection, scope: Scope) -> list[sqlite3.Row]:
    """Return invalid rows that did not tell whose they are, but hold the person's id in a cell."""
    if not scope.contact:
        return []
    found = db.execute(statement("unnamed_rows"), {"campaign": scope.campaign})
    return [row for row in found if names_contact(row["cells"], scope.contact)]


def _erase(db: sqlite3.Connection, deed: Deed, now_ms: int) -> PersonalData:
    scope = deed.scope
    found = _held_of(db, scope)
    _refuse_if_held(holds(acts_in(db)), scope, found)
    if found.open_rows:
        rows = f"{found.open_rows} rows" if found.open_rows > 1 else "1 row"
        message = f"{rows} of {scope} still open: what is to be written cannot be erased yet."
        fix = "Bring them to their end first; then erase."
        raise JournalError(message, fix=fix, next_command="aftercall resume")
    asked = {"contact": scope.contact, "campaign": scope.campaign, "now_ms": now_ms}
    if left := db.execute(statement("follow_ups_of_person"), asked).fetchone()[0]:
        few = f"{left} follow-ups" if left > 1 else "1 follow-up"
        message = f"{few} of {scope} still open: what is to be sent cannot be erased yet."
        fix = "Bring them to their end first; then erase."
        raise JournalError(message, fix=fix, next_command="aftercall resume")
    unnamed = [{"id": row["id"], "now_ms": now_ms} for row in _unnamed(db, scope)]
    db.executemany(statement("erase_unnamed_row"), unnamed)
    db.execute(statement("erase_rows"), asked)
    db.execute(statement("forget_follow_ups"), asked)
    _strip_events(db, db.execute(statement("events_of_person"), asked).fetchall())
    details = {"rows": found.rows, "events": found.events, "unnamed_rows": found.unnamed}
    add_act(db, replace(deed, details=details), now_ms)
    return found


def _refuse_if_held(active: Iterable[Hold], scope: Scope, found: PersonalData) -> None:
    for hold in active:
        if hold.meets(scope, found.campaigns):
            message = f"Hold {hold.number} covers {scope}: it may not be erased ({hold.reason})."
            fix = "Whoever placed the hold must release it first."
            raise JournalError(message, fix=fix, next_command="aftercall audit hold list")


def _strip_events(db: sqlite3.Connection, events: Sequence[sqlite3.Row]) -> None:
    """Leave of events what every CRM is told, so that it still hears of what was applied."""
    db.executemany(statement("forget_answers"), [{"number": event["number"]} for event in events])
    stripped = [
        {"number": event["number"], "body": public}
        for event in events
        if (public := _public(event["body"])) != event["body"]
    ]
    db.executemany(statement("strip_event"), stripped)


def _public(body: str) -> str:
    """Return an event's body without the fields that were only sent because they were asked for."""
    event: Mapping[str, Any] = json.loads(body)
    kept = {name: value for name, value in event["data"].items() if name in PUBLIC_FIELDS}
    return canonical_json({**event, "data": kept}) if kept != event["data"] else body


def _expirable(db: sqlite3.Connection, before_ms: int, most: int) -> sqlite3.Cursor:
    """Return sealed entries from before a time that nothing holds; all of them if `most` is -1."""
    covered = [[hold.scope.contact, hold.scope.campaign] for hold in holds(acts_in(db))]
    asked = {
        "before_ms": before_ms,
        "sealed": sealed_in(db),
        "holds": canonical_json(covered),
        "most": most,
    }
    return db.execute(statement("expirable"), asked)


def _expire(db: sqlite3.Connection, deed: Deed, before_ms: int, now_ms: int) -> int:
    """Take out some entries; return how many."""
    found = _expirable(db, before_ms, EXPIRED_AT_ONCE).fetchall()
    if not found:
        return 0
    numbers = [row["number"] for row in found]
    # The entry comes first: SQLite gives the number of a last row that was removed to the next one.
    leaves = _ranges(number - 1 for number in numbers)
    add_act(db, replace(deed, details={**deed.details, "leaves": leaves}), now_ms)
    db.executemany(statement("remove_entry"), [{"number": number} for number in numbers])
    for row in {row["row"] for row in found}:
        # A row goes with the last of its entries.
        if db.execute(statement("erase_row"), {"id": row, "now_ms": now_ms}).rowcount:
            db.execute(statement("forget_follow_ups_of_row"), {"row": row})
            events = db.execute(statement("events_of_row"), {"row": row}).fetchall()
            _strip_events(db, events)
    return len(numbers)


def _ranges(leaves: Iterable[int]) -> list[list[int]]:
    """Return ascending numbers as ranges, each its first and its last."""
    found: list[list[int]] = []
    for leaf in leaves:
        if found and found[-1][1] == leaf - 1:
            found[-1][1] = leaf
        else:
            found.append([leaf, leaf])
    return found


def _sweep(db: sqlite3.Connection) -> None:
    # Deleted content is overwritten at once (see `connect`); what a file holds from before that
    # was so is left behind by rebuilding it. The write-ahead log keeps older states of pages.
    if db.execute(statement("remains_present")).fetchone() is not None:
        db.execute("VACUUM")
        db.execute(statement("remains_gone"))
    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        message = "Another program reads the journal: what was erased is still in its log file."
        fix = "It goes when the last reader closes the journal; or end that program and seal."
        raise JournalError(message, fix=fix, next_command="aftercall audit seal")
