"""Between rows of the database and the values of the domain."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aftercall.adapters.journal.sqlite.statements import execute_for_all, statement
from aftercall.domain import instant
from aftercall.domain.acts import Deed, act_entry
from aftercall.domain.audit import (
    Exchange,
    Finding,
    Origin,
    Settled,
    Subject,
    audit_entry,
    settled_as,
)
from aftercall.domain.call_record import CallRecord, record_from
from aftercall.domain.commitment import canonical_json
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.outcomes import Category
from aftercall.domain.settlement import Claim
from aftercall.domain.status import HOLDING, NEWER, Event, Status, advance
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter

NO_RUN = 0
"""In place of a run's number in entries about the log itself."""


def claim_from(facts: sqlite3.Row, now_ms: int, *, newer: bool) -> Claim:
    """Build the claim of a row that is taken now, from what it was before."""
    return Claim(
        row=facts["id"],
        serial=facts["serial"] + 1,
        origin=_origin(facts),
        disposition=disposition_from(facts),
        category=Category(facts["category"]),
        attempt=facts["attempts"] + 1,
        deferral=facts["deferrals"],
        first_tried_ms=facts["first_tried_ms"] or now_ms,
        first_deferred_ms=facts["first_deferred_ms"],
        doubt=bool(facts["doubt"]),
        newer=newer,
        salt=facts["salt"],
        words=facts["words"],
    )


def disposition_from(facts: sqlite3.Row) -> Disposition:
    """Build the disposition of a stored row that is valid."""
    return Disposition(
        campaign=facts["campaign"],
        contact=facts["contact"],
        outcome=facts["outcome"],
        agent=facts["agent"],
        notes=facts["notes"],
        custom_fields=_json_or_none(facts["custom_fields"]),
        timestamp=instant.from_ms(facts["timestamp_ms"]),
        event_id=facts["event_id"],
        opt_out_received_at=_moment_or_none(facts["opt_out_received_ms"]),
        call_record=_call_record(facts),
    )


def subject_from(facts: sqlite3.Row) -> Subject:
    """Build what an audit entry about a stored row is about."""
    return Subject(
        row=facts["id"],
        origin=_origin(facts),
        campaign=facts["campaign"],
        contact=facts["contact"],
        outcome=facts["outcome"],
        agent=facts["agent"],
        category=facts["category"] or "",
        timestamp_ms=facts["timestamp_ms"],
        event_id=facts["event_id"],
        attempt=facts["attempts"],
        deferrals=facts["deferrals"],
        deferred_since_ms=facts["first_deferred_ms"],
        opt_out_received_ms=facts["opt_out_received_ms"],
        call_record=_json_or_none(facts["call_record"]),
        salt=facts["salt"],
        personal=personal_of(facts),
    )


def personal_of(facts: sqlite3.Row) -> dict[str, Json]:
    """Return what of a stored row its audit entries hold commitments to, by name."""
    given: dict[str, Json] = {
        "notes": facts["notes"],
        "custom_fields": _json_or_none(facts["custom_fields"]),
    }
    called: dict[str, Json] = _json_or_none(facts["call_personal"]) or {}
    return {name: value for name, value in given.items() if value is not None} | called


def _call_record(facts: sqlite3.Row) -> CallRecord | None:
    if facts["call_record"] is None:
        return None
    personal = _json_or_none(facts["call_personal"]) or {}
    return record_from(_json_or_none(facts["call_record"]) | personal)


def _moment_or_none(ms: int | None) -> datetime | None:
    return None if ms is None else instant.from_ms(ms)


def _json_or_none(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _origin(facts: sqlite3.Row) -> Origin:
    return Origin(facts["run_id"], facts["source_name"], facts["line"], facts["source_sha256"])


def filter_values(db: sqlite3.Connection, asked: AuditFilter) -> dict[str, object]:
    """Return a filter's values as the statements about entries take them.

    Raises:
        JournalError: there is no such run.
    """
    return asdict(asked) | {"run": None if asked.run is None else run_number(db, asked.run)}


def run_number(db: sqlite3.Connection, run: str) -> int:
    """Return the number that the journal gave to `run`.

    Raises:
        JournalError: there is no such run.
    """
    found = db.execute(statement("run_number"), {"run": run}).fetchone()
    if found is None:
        message = f"There is no run {run} in this journal."
        raise JournalError(
            message, fix="Choose one of those listed.", next_command="aftercall runs"
        )
    return int(found["number"])


def standing(status: Status) -> dict[str, bool]:
    """Return what follows from a row's status as the columns of its own that it has for that."""
    return {"holds": status in HOLDING, "counts": status in NEWER}


def settle_waiting(
    db: sqlite3.Connection, facts: sqlite3.Row, event: Event, finding: Finding, now_ms: int
) -> Settled:
    """Settle a row that no request was made for, with its audit entry."""
    was = Status(facts["status"])
    if advance(was, event) is not finding.status:
        message = f"{event} does not lead from {was} to {finding.status}"
        raise ValueError(message)
    values = {
        "id": facts["id"],
        "was": was,
        "status": finding.status,
        **standing(finding.status),
        "reason": finding.reason,
        "words": finding.words,
        "problems": facts["problems"],
        "now_ms": now_ms,
    }
    db.execute(statement("settle_waiting"), values)
    subject = subject_from(facts)
    add_entry(db, facts["run"], audit_entry(subject, finding, Exchange(), now_ms), now_ms)
    return settled_as(subject, finding)


def add_entry(db: sqlite3.Connection, run: int, entry: Mapping[str, Json], now_ms: int) -> None:
    """Append an audit entry."""
    add_entries(db, [entry_values(run, entry, now_ms)])


def add_entries(db: sqlite3.Connection, entries: Sequence[tuple[object, ...]]) -> None:
    """Append audit entries, each as `entry_values` returns it."""
    execute_for_all(db, "add_entries", entries)


def add_act(
    db: sqlite3.Connection, deed: Deed, now_ms: int, *, leaf: int | None = None
) -> int | None:
    """Append the entry of an act and return its leaf; not if it would not be `leaf`."""
    last = int(db.execute(statement("audit_last")).fetchone()[0])
    if leaf is not None and last != leaf:
        return None
    add_entry(db, NO_RUN, act_entry(deed, now_ms), now_ms)
    return last


def entry_values(run: int, entry: Mapping[str, Json], now_ms: int) -> tuple[object, ...]:
    """Return an audit entry as the parameters of its statement."""
    told = (entry["row_id"], entry["campaign_id"], entry["contact_id"])
    return (now_ms, run, *told, canonical_json(entry))
