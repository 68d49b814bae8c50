"""Opt-outs with a clock: which there are, what reached the tenant, who acknowledged them."""

import json
import sqlite3
from collections.abc import Iterator, Sequence

from aftercall.adapters.journal.sqlite.rows import add_entry, run_number, subject_from
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain import instant
from aftercall.domain.audit import Finding
from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.opt_outs import (
    Acknowledgement,
    Held,
    LackingRecord,
    OptOutFilter,
    OptOutRow,
    acknowledgement_entry,
)
from aftercall.domain.status import Status

FOREVER_MS = 10**15
"""More than any instant of the calendar: to the year 33658."""


class SqliteOptOuts:
    """Acknowledgements, each with its audit entry in one transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def acknowledge(
        self, rows: Sequence[int], said: Acknowledgement, *, withdrawn: bool
    ) -> None:
        """Store that somebody has looked at some opt-outs, or takes that back."""

        def store(db: sqlite3.Connection) -> None:
            for row in rows:
                _acknowledge(db, row, said, withdrawn=withdrawn)

        await self._writer.run(store)


def _acknowledge(
    db: sqlite3.Connection, row: int, said: Acknowledgement, *, withdrawn: bool
) -> None:
    values = {
        "row": row,
        "at_ms": said.at_ms,
        "withdrawn": int(withdrawn),
        "by": said.by,
        "reason": said.reason,
    }
    db.execute(statement("add_acknowledgement"), values)
    facts = db.execute(statement("row_facts"), {"id": row}).fetchone()
    finding = Finding(Status(facts["status"]), facts["reason"], facts["words"])
    entry = acknowledgement_entry(subject_from(facts), finding, said, withdrawn=withdrawn)
    add_entry(db, facts["run"], entry, said.at_ms)


def opt_outs(
    db: sqlite3.Connection, asked: OptOutFilter, slow_ms: int | None
) -> Iterator[OptOutRow]:
    """Yield the opt-outs that are asked for, the nearest deadline first."""
    name = "opt_outs" if slow_ms is None else "slow_opt_outs"
    lacking = _records_lack(db)
    for facts in db.execute(statement(name), {**_values(asked), "slow_ms": slow_ms}):
        yield _opt_out(db, facts, _lacking(db, facts["id"]) if lacking else ())


def count(db: sqlite3.Connection, asked: OptOutFilter) -> int:
    """Count the opt-outs that are asked for."""
    return int(db.execute(statement("count_opt_outs"), _values(asked)).fetchone()[0])


def _values(asked: OptOutFilter) -> dict[str, object]:
    return {
        "campaign": asked.campaign,
        "contact": asked.contact,
        "since_ms": -FOREVER_MS if asked.since_ms is None else asked.since_ms,
        "until_ms": FOREVER_MS if asked.until_ms is None else asked.until_ms,
    }


def opt_out(db: sqlite3.Connection, row: int) -> OptOutRow | None:
    """Return the opt-out that has a number; None if there is none."""
    facts = db.execute(statement("opt_out"), {"row": row}).fetchone()
    return None if facts is None else _opt_out(db, facts, _lacking(db, row))


def to_judge(db: sqlite3.Connection, run: str, slow_ms: int) -> Iterator[OptOutRow]:
    """Yield the opt-outs of a run that it did not bring to the tenant itself, or slowly.

    What is told of them is what became of the outcome, not of its DNC records.
    """
    asked = {"run": run_number(db, run), "slow_ms": slow_ms}
    for facts in db.execute(statement("opt_outs_to_judge"), asked):
        yield _opt_out(db, facts)


def _opt_out(
    db: sqlite3.Connection, facts: sqlite3.Row, lacking: Sequence[LackingRecord] = ()
) -> OptOutRow:
    values = dict(facts)
    row = values.pop("id")
    is_held, is_acknowledged = values.pop("is_held"), values.pop("is_acknowledged")
    return OptOutRow(
        **values | {"status": Status(facts["status"])},
        row=row,
        held=_held(db, facts) if is_held else (),
        seen=_seen(db, facts),
        acknowledged=_acknowledged(db, row) if is_acknowledged else None,
        lacking=lacking,
    )


def _records_lack(db: sqlite3.Connection) -> bool:
    """Say whether any DNC record is not made, so that most lists need not ask for each row."""
    return bool(db.execute(statement("records_lack")).fetchone()[0])


def _lacking(db: sqlite3.Connection, row: int) -> Sequence[LackingRecord]:
    """Return the DNC records of a row that are not made."""
    found = db.execute(statement("lacking_records_of_row"), {"row": row})
    return tuple(
        LackingRecord(one["dnc_group"], FollowUpState(one["state"]), one["reason"], one["since_ms"])
        for one in found
    )


def _held(db: sqlite3.Connection, facts: sqlite3.Row) -> Sequence[Held]:
    contact = {"campaign": facts["campaign"], "contact": facts["contact"]}
    found = db.execute(statement("held_of_contact"), contact)
    return [
        Held(one["timestamp_ms"], one["id"], one["outcome"], bool(one["opt_out"]), one["at_ms"])
        for one in found
    ]


def _seen(db: sqlite3.Connection, facts: sqlite3.Row) -> Held | None:
    """Return what the tenant held when it superseded the row, as its audit entry tells it."""
    if (facts["status"], facts["reason"]) != (Status.SUPERSEDED, "newer_in_tenant"):
        return None
    asked = {"contact": facts["contact"], "row": facts["id"]}
    for found in db.execute(statement("entries_of_row"), asked):
        before = json.loads(found["entry"])["before"]
        moment = instant.parse((before or {}).get("disposition_timestamp") or "")
        if moment is not None and before["outcome_code"]:
            stamp = instant.to_ms(moment)
            return Held(stamp, 0, before["outcome_code"], opt_out=False, at_ms=facts["settled_ms"])
    return None


def _acknowledged(db: sqlite3.Connection, row: int) -> Acknowledgement | None:
    found = db.execute(statement("acknowledgement_of"), {"row": row}).fetchone()
    if found is None or found["withdrawn"]:
        return None
    return Acknowledgement(found["by"], found["reason"], found["at_ms"])
